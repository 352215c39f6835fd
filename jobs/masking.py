"""Take the values of secrets out of everything that is shown, stored or logged."""

import base64
import html
import json
import logging
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "****"
MIN_CHARS = 4
"""A shorter value is not masked: it would tear every text to pieces. Such a secret cannot be set."""
MIN_PART_CHARS = 8
"""A shorter line or word of a value is not masked on its own."""

Span = tuple[int, int]


def forms(value: str) -> set[str]:
    """How a value may turn up: as it is; its lines, words and a URL's password and path; each of these also quoted
    for a URL, escaped for JSON, Python or HTML, and in Base64 at any place within a longer text."""
    found = {value}
    for part in {value, *_parts(value)}:
        found |= {part, *_escaped(part), *_base64_forms(part)}
    return {form for form in found if len(form) >= MIN_CHARS}


def _parts(value: str) -> Iterator[str]:
    yield from (part for part in (*value.splitlines(), *value.split()) if len(part) >= MIN_PART_CHARS)
    try:
        url = urlsplit(value)
        password = url.password or ""
    except ValueError:
        return
    if url.netloc:
        yield from (part for part in (password, unquote(password)) if len(part) >= MIN_CHARS)
        rest = url.path + (f"?{url.query}" if url.query else "")
        yield from (part for part in (url.path, rest) if len(part) >= MIN_PART_CHARS)


def _escaped(text: str) -> set[str]:
    quoted = {quote(text, safe=""), quote(text), quote_plus(text)} if _is_encodable(text) else set()
    in_json = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    lower = {_lower_escapes(form) for form in quoted}
    return quoted | lower | in_json | {repr(text)[1:-1], html.escape(text), html.escape(text, quote=False)}


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lower_escapes(text: str) -> str:
    """`%2f` for `%2F`."""
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def _base64_forms(text: str) -> Iterator[str]:
    """What of it surely stands in the Base64 of any text that holds it: one form for each of the three places at
    which it may begin, without the characters that its neighbours share."""
    data = text.encode(errors="replace")
    for place in range(3):
        end = (place + len(data)) % 3
        coded = base64.b64encode(bytes(place) + data).decode()
        first = (0, 2, 3)[place]
        last = len(coded) - (0, 3, 2)[end]
        form = coded[first:last]
        if len(form) >= MIN_CHARS:
            yield form
            yield form.replace("+", "-").replace("/", "_")


class Masker:
    """The values that one run knows. Every text that leaves the run goes through it."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """From now on this value is masked, in each of its forms."""
        if len(value) >= MIN_CHARS:
            with self._lock:
                self._forms = tuple({*self._forms, *forms(value)})
            with _alive_lock:
                _alive.add(self)

    def mask(self, text: str) -> str:
        """A whole text."""
        if not self._forms:
            return text
        stream = Stream(self)
        return stream.feed(text) + stream.close()

    def holds(self, value: Any) -> bool:
        """Whether a text anywhere in a JSON value holds a secret."""
        return any(self.mask(text) != text for text in _texts(value)) if self._forms else False

    def spans(self, text: str) -> Iterator[Span]:
        """Where values stand in the text, also when they overlap."""
        for form in self._forms:
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form)
                start = text.find(form, start + 1)

    def first_open(self, text: str) -> int:
        """Where the first value begins that may go on after the end of the text; its length when none does."""
        return min((_open_at(text, form) for form in self._forms), default=len(text))


def _open_at(text: str, form: str) -> int:
    start = text.find(form[0], max(0, len(text) - len(form) + 1))
    while start >= 0 and not form.startswith(text[start:]):
        start = text.find(form[0], start + 1)
    return len(text) if start < 0 else start


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


class Stream:
    """A text that comes in pieces. It holds back only what may be the beginning of a value."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._held = ""
        self._covered = 0
        """So many characters of what is held belong to a value that began before."""
        self._in_mask = False
        """The last that was given is a mask: what touches it needs no second one."""

    def feed(self, text: str) -> str:
        """What of it can be shown already."""
        text = self._held + text
        return self._give(text, self._masker.first_open(text))

    def close(self) -> str:
        """What was held back: it was no value after all."""
        return self._give(self._held, len(self._held))

    def _give(self, text: str, end: int) -> str:
        shown, at, covered = [], 0, max(0, self._covered - end)
        for start, stop in _merged([(0, self._covered), *self._masker.spans(text)]):
            if start >= end:
                break
            shown.append(self._plain(text[at:start]))
            shown.append("" if self._in_mask else MASK)
            self._in_mask = True
            at, covered = min(stop, end), max(covered, stop - end)
        shown.append(self._plain(text[at:end]))
        self._held, self._covered = text[end:], covered
        return "".join(shown)

    def _plain(self, text: str) -> str:
        self._in_mask = self._in_mask and not text
        return text


def _merged(spans: Iterable[Span]) -> list[Span]:
    """In order, none touching another, no empty ones."""
    merged: list[Span] = []
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


_alive: "weakref.WeakSet[Masker]" = weakref.WeakSet()
_alive_lock = threading.Lock()


def mask_all(text: str) -> str:
    """Without the values of any run of this process."""
    with _alive_lock:
        maskers = tuple(_alive)
    for masker in maskers:
        text = masker.mask(text)
    return text


class MaskingFormatter(logging.Formatter):
    """Lines of the hub's log, with their tracebacks, without values."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_all(super().format(record))
