"""Bodies of requests: counted before they are read, read whole, and not waited for too long.

A body that comes slowly holds a thread of the web server, of which there are few. Of one process at most half of them
are given to slow bodies; who sent one gets a single thread for the next minute. What lasts too long is cut off.
A view that refuses the request before it looks at the body never waits for it.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase, BytesIO

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from rest_framework.exceptions import Throttled

from jobhub.connections import cut
from jobhub.handlers import throttled
from jobhub.proxies import peer_of
from vendors.wire.errors import OWN_WORDS
from vendors.wire.problems import Kind

SLOW_S = 1.0
"""From here on a body counts as slow."""
LONGEST_S = 10.0
BYTES_PER_S = 65_536
"""What a large body must keep up with beyond that."""
LOOK_EVERY_S = 0.1
SUSPECT_S = 60.0
SUSPECTS = 1024
RETRY_AFTER_S = 1
TOO_LARGE = OWN_WORDS[Kind.TOO_LARGE]


class TooSlow(OSError):
    """A body came too slowly, or ended too early. Django makes it an unreadable request."""


@dataclass(eq=False)
class Reading:
    """One body that is being read."""

    source: str
    peer: str
    port: int
    allowed_s: float
    began_at: float = field(default_factory=time.monotonic)
    is_cut: bool = False


class Bodies:
    """Those being read in this process, and whose were slow. Only `start` makes it cut any off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: list[Reading] = []
        self._suspects: OrderedDict[str, float] = OrderedDict()
        self._some = threading.Event()

    def start(self) -> None:
        """Begin to watch, in a thread that sleeps while nothing is read."""
        threading.Thread(target=self._watch, name="bodies", daemon=True).start()

    @contextmanager
    def reading(self, reading: Reading) -> Iterator[None]:
        """Raises `TooSlow` when a suspect has one under way already."""
        with self._lock:
            if self._refuses(reading.source):
                raise TooSlow
            self._readings.append(reading)
        self._some.set()
        try:
            yield
        finally:
            with self._lock:
                self._readings.remove(reading)

    def refuses(self, source: str) -> bool:
        """Whether a suspect has one under way already."""
        with self._lock:
            return self._refuses(source)

    def _refuses(self, source: str) -> bool:
        if self._suspects.get(source, 0) <= time.monotonic():
            return False
        return any(one.source == source for one in self._readings)

    def _watch(self) -> None:
        while self._some.wait():
            time.sleep(LOOK_EVERY_S)
            with self._lock:
                if not self._readings:
                    self._some.clear()
            for reading in self._too_slow(time.monotonic()):
                cut(reading.peer, reading.port, time.monotonic() - reading.began_at)

    def _too_slow(self, now: float) -> list[Reading]:
        """Those to cut off now: what lasts too long, and the oldest slow ones beyond half of the threads."""
        places = max(1, settings.HUB["WEB_THREADS"] // 2)
        with self._lock:
            slow = [one for one in self._readings if now - one.began_at > SLOW_S]
            found = slow[: max(0, len(slow) - places)]
            found += [one for one in slow if one not in found and now - one.began_at > one.allowed_s]
            for one in found:
                one.is_cut = True
                self._suspects[one.source] = now + SUSPECT_S
                self._suspects.move_to_end(one.source)
            while len(self._suspects) > SUSPECTS:
                self._suspects.popitem(last=False)
        return found

    def forget(self) -> None:
        with self._lock:
            self._suspects.clear()


BODIES = Bodies()


class WholeBodies:
    """Refuses a body above `JOBHUB_MAX_BODY`: by its announced length unread, else when that much has been read.

    Django takes a body without a length for an empty one, so a chunked body is read here; any other when it is wanted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = _length(request)
        is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        if (length or is_chunked) and BODIES.refuses(_source(request)):
            text = "bodies from this address come too slowly; send one at a time"
            return throttled(request, Throttled(wait=RETRY_AFTER_S, detail=text))
        if is_chunked:
            _read_chunks(request)
        elif length:
            request._stream = WhenWanted(request, length)  # type: ignore[assignment]
        return self.get_response(request)


class WhenWanted(BufferedIOBase):
    """A body of announced length: read whole when its first byte is asked for."""

    def __init__(self, request: HttpRequest, length: int) -> None:
        self._request = request
        self._length = length

    @cached_property
    def _body(self) -> BytesIO:
        body = _read(self._request, self._length)
        if len(body) < self._length:  # the web server tells nobody that the client went away
            raise TooSlow
        return BytesIO(body)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._body.read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._body.readline(size)


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        raise BadRequest("Content-Length is not a number")
    if int(length[:20]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig(TOO_LARGE)
    return int(length)


def _read_chunks(request: HttpRequest) -> None:
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        body = _read(request, limit + 1)
    except TooSlow:
        raise BadRequest("the body came too slowly") from None
    if len(body) > limit:
        raise RequestDataTooBig(TOO_LARGE)
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)


def _read(request: HttpRequest, length: int) -> bytes:
    reading = Reading(
        source=_source(request),
        peer=peer_of(request),
        port=int(request.META.get("SERVER_PORT") or 0),
        allowed_s=LONGEST_S + length / BYTES_PER_S,
    )
    with BODIES.reading(reading):
        body: bytes = request.META["wsgi.input"].read(length)
    if reading.is_cut:
        raise TooSlow
    return body


def _source(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
