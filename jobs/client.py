"""The one HTTP client of the hub: it connects to checked addresses only, and knows an end to everything.

It follows redirects itself and checks every hop, drops what the caller sent along when one leaves the origin, takes no
proxy from the environment, verifies certificates by the machine's own list (or `SSL_CERT_FILE`), and bounds the time
and the size of an answer, unpacked.
"""

import http.client
import io
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import ECONNABORTED
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit

from jobs import targets
from jobs.errors import RunFailed, Stopped
from jobs.targets import SETTING, Target

PORTS = {"http": 80, "https": 443}
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK_BYTES = 65536
CONNECT_S = 10.0
"""How long one address is tried."""
LOOK_S = 0.1
"""How often the word to stop is looked for."""
LIMIT_BYTES = 1 << 20
KEPT_ELSEWHERE = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that may follow a redirect to another origin; any other could be a credential."""
OWN_HEADERS = re.compile(
    r"host|connection|keep-alive|content-length|transfer-encoding|accept-encoding|te|trailer|upgrade|expect|proxy-.*"
)
"""Those that the client itself writes, for they decide where one message ends and the next begins."""
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
STAYS_IN_URL = "/?%:@!$&'()*+,;=~[]"


@dataclass(frozen=True)
class Url:
    """The parts of an http(s) URL that matter, read once: what is checked is what is connected to."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query, ready to be sent."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`; the message never holds the text, which may be a secret."""
        if not text.isprintable() or " " in text or "\\" in text:
            raise ValueError("a URL must not hold blanks, control characters or backslashes")
        try:
            parts = urlsplit(text)
            port = PORTS.get(parts.scheme) if parts.port is None else parts.port
        except ValueError:
            raise ValueError("this is no URL") from None
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("wanted a URL that begins with http:// or https:// and a host")
        if "@" in parts.netloc:
            raise ValueError("a URL must not hold a user or password")
        if not port:
            raise ValueError("wanted a port from 1 to 65535")
        host = targets.host_name(f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname)
        query = f"?{quote(parts.query, safe=STAYS_IN_URL)}" if parts.query else ""
        return cls(parts.scheme, host, port, quote(parts.path or "/", safe=STAYS_IN_URL) + query)

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


@dataclass(frozen=True)
class Request:
    """What is sent. Headers as `check_header` lets them through."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects."""

    url: Url
    """Who answered."""
    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case; of several of one name the last."""
    body: bytes
    is_cut: bool
    """The body was larger than the limit; this is its beginning."""
    duration_s: float


def check_header(name: str, value: str = "") -> None:
    """Raises `ValueError`, without the value, for a header that cannot be sent or would change the message's frame."""
    if not HEADER_NAME.fullmatch(name):
        raise ValueError("wanted the name of a header")
    if OWN_HEADERS.fullmatch(name.lower()):
        raise ValueError(f"the header {name!r} is written by the hub itself")
    if not value.isprintable() or not _is_latin(value):
        raise ValueError(f"the header {name!r} must be printable Latin-1 text without line breaks")


def _is_latin(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def send(
    request: Request,
    *,
    timeout_s: float,
    limit_bytes: int = LIMIT_BYTES,
    should_stop: Callable[[], bool] = lambda: False,
    takes: Callable[[int], bool] = lambda status: False,  # noqa: ARG005
) -> Answer:
    """The answer to a request, whatever its status, after at most 5 redirects.

    A redirect whose status the caller `takes` is an answer. `should_stop` is asked from another thread. Raises
    `RunFailed` when there is no whole answer in time or no allowed way to it, and `Stopped`.
    """
    began_at = time.monotonic()
    talk = _Talk(request.url.host, limit_bytes)
    with _Watch(timeout_s, should_stop) as watch:
        try:
            answer = talk.exchange(request, watch)
            while answer.status in REDIRECTS and "location" in answer.headers and not takes(answer.status):
                request = talk.redirected(request, answer)
                answer = talk.exchange(request, watch)
        except (OSError, http.client.HTTPException, zlib.error, RunFailed) as error:
            watch.raise_if_over(talk.host)
            raise talk.failure(error) from None
    return replace(answer, duration_s=time.monotonic() - began_at)


class _Talk:
    """One request with its redirects."""

    def __init__(self, host: str, limit_bytes: int) -> None:
        self.host = host
        """The one that was asked for: no other is ever named."""
        self.limit_bytes = limit_bytes
        self.n_redirects = 0

    @property
    def who(self) -> str:
        return f"the target to which {self.host!r} redirects" if self.n_redirects else repr(self.host)

    def exchange(self, request: Request, watch: "_Watch") -> Answer:
        url = request.url
        connection = _Connection(self._find(url), watch, is_tls=url.scheme == "https")
        try:
            connection.request(request.method, url.path, body=request.body, headers=_with_defaults(request.headers))
            with connection.getresponse() as response:
                ends_with_line = response.length is None and not response.chunked
                body, is_cut = self._read(response)
                if ends_with_line and not is_cut:
                    watch.raise_if_over(self.host)
                named = {name.lower(): value for name, value in response.getheaders()}
                return Answer(url, response.status, _printable(response.reason), named, body, is_cut, 0.0)
        finally:
            connection.close()

    def _find(self, url: Url) -> Target:
        try:
            return targets.guard().resolve(url.host, url.port)
        except RunFailed:
            if not self.n_redirects:
                raise
            raise RunFailed(f"{self.host!r} redirects to a target that is unknown or not listed in {SETTING}") from None

    def _read(self, response: http.client.HTTPResponse) -> tuple[bytes, bool]:
        unpack = _unpacker(response.headers.get("Content-Encoding", ""))
        body = bytearray()
        while len(body) <= self.limit_bytes and (data := response.read1(CHUNK_BYTES)):
            body += unpack(data, self.limit_bytes + 1 - len(body))
        is_cut = len(body) > self.limit_bytes
        if response.length and not is_cut:
            raise RunFailed(f"{self.who} broke off in the midst of its answer")
        return bytes(body[: self.limit_bytes]), is_cut

    def redirected(self, request: Request, answer: Answer) -> Request:
        """The next hop. Raises `RunFailed` for one that would send something where it was not meant to go."""
        self.n_redirects += 1
        if self.n_redirects > MAX_REDIRECTS:
            raise RunFailed(f"{self.host!r} redirects more than {MAX_REDIRECTS} times")
        try:
            url = Url.parse(urljoin(str(answer.url), answer.headers["location"]))
        except ValueError:
            raise RunFailed(f"{self.host!r} redirects to what is no http or https URL") from None
        if (answer.url.scheme, url.scheme) == ("https", "http"):
            raise RunFailed(f"{self.host!r} redirects from https to http, which is not followed")
        if answer.status in (301, 302, 303) and request.method not in ("GET", "HEAD"):
            request = replace(request, method="GET", body=None, headers=_without_body(request.headers))
        if url.origin != answer.url.origin:
            if request.body is not None or request.method not in ("GET", "HEAD", "OPTIONS"):
                raise RunFailed(f"{self.host!r} redirects a {request.method} to another host, which is not followed")
            kept = {name: value for name, value in request.headers.items() if name.lower() in KEPT_ELSEWHERE}
            request = replace(request, headers=kept)
        return replace(request, url=url)

    def failure(self, error: Exception) -> RunFailed:
        if isinstance(error, RunFailed):
            return error
        if isinstance(error, ssl.SSLCertVerificationError):
            return RunFailed(f"the certificate of {self.who} cannot be trusted", causes=[error.verify_message])
        if isinstance(error, zlib.error):
            return RunFailed(f"the answer of {self.who} cannot be unpacked")
        return RunFailed(f"the talk with {self.who} failed", causes=[_reason(error)])


def _with_defaults(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name in headers}
    defaults = {"User-Agent": "JobHub", "Accept": "*/*"}
    return {**{name: value for name, value in defaults.items() if name.lower() not in given}, **headers}


def _without_body(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.lower().startswith("content-")}


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:100]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Turns what came into what was meant, at most so many bytes: a small answer may unpack to a huge one."""
    if encoding.lower() in ("", "identity"):
        return lambda data, _: data
    if encoding.lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS).decompress
    raise RunFailed("the answer is packed in a way that was not asked for")


class _WholeLines(io.BufferedReader):
    """Python's own reader takes a line that broke off for a whole one, and so half a head for a head."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            raise ConnectionAbortedError(ECONNABORTED, "it broke off in the midst of its answer")
        return line


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **given: Any) -> None:
        super().__init__(sock, *args, **given)
        self.fp = _WholeLines(self.fp.detach())


# -- the connection ----------------------------------------------------------------------------------------------------
class _Connection(http.client.HTTPConnection):
    """To one of the checked addresses, while certificate and Host header go by the name."""

    response_class = _Response

    def __init__(self, target: Target, watch: "_Watch", *, is_tls: bool) -> None:
        super().__init__(target.host, target.port)
        self.target, self.watch, self.is_tls = target, watch, is_tls
        self.default_port = PORTS["https" if is_tls else "http"]

    def connect(self) -> None:
        self.sock = self._connect()
        self.sock.settimeout(self.watch.left_s())
        if self.is_tls:
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self.host)

    def _connect(self) -> socket.socket:
        failed: OSError | None = None
        for address in self.target.addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(min(CONNECT_S, self.watch.left_s()))
                self.watch.hold(sock)
                sock.connect((address, self.target.port))
            except OSError as error:
                sock.close()
                failed = error
            else:
                return sock
        raise failed or OSError("no address")


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Watch:
    """Cuts the line when the time is over or the run must stop: a peer that sends a byte a minute keeps nobody."""

    def __init__(self, timeout_s: float, should_stop: Callable[[], bool]) -> None:
        self._timeout_s = timeout_s
        self._ends_at = time.monotonic() + timeout_s
        self._should_stop = should_stop
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._was_stopped = self._is_late = False
        self._thread = threading.Thread(target=self._look, name="http-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._drop()

    def left_s(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())

    def hold(self, sock: socket.socket) -> None:
        """Watch this line from now on. By a file descriptor of its own: TLS takes the given one over."""
        with self._lock:
            self._drop()
            self._line = sock.dup()
            if self._was_stopped or self._is_late:
                raise TimeoutError("too late")

    def raise_if_over(self, host: str) -> None:
        if self._was_stopped:
            raise Stopped
        if self._is_late or time.monotonic() >= self._ends_at:
            raise RunFailed(f"no whole answer from {host!r} within {self._timeout_s:g} s")

    def _look(self) -> None:
        while not self._done.wait(min(LOOK_S, self.left_s())):
            with self._lock:
                self._was_stopped = self._should_stop()
                self._is_late = time.monotonic() >= self._ends_at
                if (self._was_stopped or self._is_late) and self._line is not None:
                    _shut(self._line)

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it was not connected yet, or not any more
        line.shutdown(socket.SHUT_RDWR)
