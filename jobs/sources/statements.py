"""What a query may be: one statement that only reads.

The database enforces it too (a read-only transaction, an authorizer, a protocol of one statement); this is what can be
said when a spec is saved, and what a read-only transaction does not stop (`INTO OUTFILE`).
"""

import re
from collections.abc import Iterator

from jobs.errors import Invalid
from jobs.sources.urls import MYSQL, POSTGRESQL, SQLITE

FIRST_WORDS = ("SELECT", "WITH", "VALUES", "TABLE")
MAX_CHARS = 20_000
VALUE = "\ufffc"
"""Stands in a query that is checked where a value will be bound."""

DOUBLED = r"'(?:[^']|'')*'"
BACKSLASHED = r"'(?:[^'\\]|''|\\.)*'"
IDENTIFIER = r'"(?:[^"]|"")*"'
LINE = r"--[^\n]*"
BLOCK = r"/\*.*?\*/"
TICKED = r"`(?:[^`]|``)*`"
QUOTED = {
    SQLITE: [DOUBLED, IDENTIFIER, TICKED, r"\[[^\[\]]*\]", LINE, BLOCK],
    POSTGRESQL: [rf"(?<![\w$])[eE]{BACKSLASHED}", DOUBLED, IDENTIFIER, r"(?<![\w$])\$(\w*)\$.*?\$\1\$", LINE],
    MYSQL: [BACKSLASHED, r'"(?:[^"\\]|""|\\.)*"', TICKED, r"--(?=\s|$)[^\n]*", r"#[^\n]*", BLOCK],
}
"""What hides words and semicolons in each dialect. PostgreSQL's block comments nest: they are cut out by hand."""
SKIPPED = {dialect: re.compile("|".join(parts), re.DOTALL) for dialect, parts in QUOTED.items()}
NESTED = re.compile(r"/\*|\*/")
WORD = re.compile(r"[^\W\d]\w*|\S")
OPENERS = "'\"`"


def check_query(sql: str, dialect: str, *, field: str = "query") -> None:
    """Refuse what is not one reading statement; raises `Invalid`."""
    if len(sql) > MAX_CHARS or "\0" in sql:
        raise Invalid.field(field, f"wanted at most {MAX_CHARS} characters, none of them NUL")
    bare = _bare(sql, dialect, field)
    if bare.count(VALUE) < sql.count(VALUE):
        raise Invalid.field(field, "a variable stands inside quotes or a comment; it is bound, so write it on its own")
    words = [word.upper() for word in WORD.findall(bare)]
    while words and words[-1] == ";":
        words.pop()
    first = next((word for word in words if word != "("), "")
    if first not in FIRST_WORDS:
        raise Invalid.field(field, f"wanted a query: it begins with {', '.join(FIRST_WORDS)}")
    if ";" in words:
        raise Invalid.field(field, "wanted one statement, and there is another one behind a ';'")
    if "INTO" in words:
        raise Invalid.field(field, "a query may not write: INTO is not allowed")


def _bare(sql: str, dialect: str, field: str) -> str:
    """Without literals, quoted names and comments."""
    if dialect == MYSQL and re.search(r"/\*M?!", sql):
        raise Invalid.field(field, "comments that MySQL executes (/*! … */) are not allowed")
    bare = "".join(_pieces(sql, dialect, field))
    if any(opener in bare for opener in OPENERS):
        raise Invalid.field(field, "a quote is opened and never closed")
    return bare


def _pieces(sql: str, dialect: str, field: str) -> Iterator[str]:
    at = 0
    comment = re.compile(r"/\*") if dialect == POSTGRESQL else None
    while at < len(sql):
        skipped = SKIPPED[dialect].search(sql, at)
        block = comment.search(sql, at) if comment else None
        if block and (skipped is None or block.start() < skipped.start()):
            yield sql[at : block.start()] + " "
            at = _end_of_nested(sql, block.start(), field)
        elif skipped:
            yield sql[at : skipped.start()] + " "
            at = skipped.end()
        else:
            yield sql[at:]
            return


def _end_of_nested(sql: str, start: int, field: str) -> int:
    depth = 0
    for mark in NESTED.finditer(sql, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise Invalid.field(field, "a comment is opened and never closed")
