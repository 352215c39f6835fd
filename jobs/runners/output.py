"""Turns what a program writes into the run's output, and the lines meant for the hub into reports."""

import codecs
import re
from collections.abc import Callable

from jobs.runners.context import Context

MAX_LINE_CHARS = 65536
"""A longer line is passed on in pieces and never read as a word to the hub."""
TAIL_CHARS = 4096
N_CAUSES = 5

WORDS = ("::progress ", "::warning ")
FRACTION = re.compile(r"::progress ([0-9]{1,18})/([0-9]{1,18})(?: +(\S.{0,39}))?", re.ASCII)
PERCENT = re.compile(r"::progress (100|[0-9]{1,2})%", re.ASCII)
COUNT = re.compile(r"::progress ([0-9]{1,18})", re.ASCII)
WARNING = re.compile(r"::warning +(\S.*)")


class Output:
    """One stream of a program, decoded as it comes: `feed` it with each piece and `close` it at the end.

    What is no UTF-8, and NUL, which not every database can hold, become U+FFFD.
    """

    def __init__(self, context: Context, stream: str) -> None:
        self.context = context
        self.stream = stream
        self.tail = ""
        """Masked as it comes: a secret that it begins in the midst of would not be known later."""
        self._mask = context.mask_stream()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> None:
        self._take(self._decoder.decode(data).replace("\0", "\ufffd"))

    def close(self) -> None:
        self._take(self._decoder.decode(b"", final=True))

    def last_lines(self) -> list[str]:
        """The last few that are not blank; ask when the stream is closed."""
        self._keep(self._mask.close())
        return [line.strip() for line in self.tail.splitlines() if line.strip()][-N_CAUSES:]

    def _take(self, text: str) -> None:
        if text:
            self._keep(self._mask.feed(text))
            self.context.log(text, self.stream)

    def _keep(self, text: str) -> None:
        self.tail = (self.tail + text)[-TAIL_CHARS:]


class SpokenOutput(Output):
    """Output in which lines may speak to the hub; those are acted upon and left out.

    `::progress 40/200 files`, `::progress 40/200`, `::progress 40%`, `::progress 40` and `::warning text`, at
    the start of a line, exactly so written. All else is plain output, passed on as soon as that is sure.
    """

    def __init__(self, context: Context, stream: str = "stdout") -> None:
        super().__init__(context, stream)
        self._held = ""
        """The beginning of a line that may be a word."""
        self._in_line = False
        """The line's beginning was passed on as plain."""

    def close(self) -> None:
        super().close()
        if self._held and not self._act(self._held):
            super()._take(self._held)
        self._held = ""

    def _take(self, text: str) -> None:
        text = self._held + text
        self._held = ""
        if self._in_line:
            text = self._pass_on(text, text.find("\n") + 1 or len(text))
        while text:
            text = self._take_word(text) if _may_be_word(text) else self._pass_on(text, _end_of_plain(text))

    def _pass_on(self, text: str, end: int) -> str:
        super()._take(text[:end])
        self._in_line = not text[:end].endswith("\n")
        return text[end:]

    def _take_word(self, text: str) -> str:
        line, newline, rest = text.partition("\n")
        if not newline and len(line) <= MAX_LINE_CHARS:
            self._held = line
        elif len(line) > MAX_LINE_CHARS or not self._act(line):
            self._pass_on(line + newline, len(line + newline))
        return rest

    def _act(self, line: str) -> bool:
        """Whether the line was a word."""
        for pattern, action in ACTIONS:
            if match := pattern.fullmatch(line.removesuffix("\r")):
                action(self.context, match)
                return True
        return False


def _may_be_word(text: str) -> bool:
    return any(text.startswith(word) or word.startswith(text) for word in WORDS)


def _end_of_plain(text: str) -> int:
    """Where the next line that may be a word begins."""
    if next_word := text.find("\n::") + 1:
        return next_word
    last_line = text.rfind("\n") + 1
    return last_line if _may_be_word(text[last_line:]) else len(text)


ACTIONS: tuple[tuple[re.Pattern[str], Callable[[Context, re.Match[str]], None]], ...] = (
    (
        FRACTION,
        lambda context, match: context.progress(int(match[1]), int(match[2]), (match[3] or "").strip()),
    ),
    (PERCENT, lambda context, match: context.progress(int(match[1]), 100, "%")),
    (COUNT, lambda context, match: context.progress(int(match[1]))),
    (WARNING, lambda context, match: context.warn(match[1].strip())),
)
