"""The guard of the network: which hosts a job may talk to.

Public and private networks are open to jobs. What only this machine, its link or its cloud can reach is refused unless
JOBHUB_ALLOWED_TARGETS lists it: loopback, link-local (and with it the clouds' metadata), unspecified, multicast and
reserved addresses, and IPv4 dressed up as IPv6. Unix sockets are not used at all.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from jobs.errors import Invalid, RunFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "JOBHUB_ALLOWED_TARGETS"
REFUSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # Linux takes 0.0.0.0 for this machine
        "127.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "100.100.100.200/32",  # the metadata of Alibaba's cloud
        "168.63.129.16/32",  # and of Azure's machines
    )
)
OPEN_V6 = (ipaddress.IPv6Network("2000::/3"), ipaddress.IPv6Network("fc00::/7"))
"""All that is global unicast or a private network; the rest is link-local, multicast or reserved."""
REFUSED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/32",  # Teredo and 6to4 carry an IPv4 address
        "2002::/16",
        "fd00:ec2::254/128",  # the metadata of Amazon's cloud
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
LOCALHOST = "localhost"
LOCALHOSTS = (ipaddress.IPv4Network("127.0.0.1/32"), ipaddress.IPv6Network("::1/128"))


@dataclass(frozen=True)
class Rule:
    """One word of the setting: a name or networks, and the port (`None`: every one)."""

    name: str = ""
    networks: tuple[Network, ...] = ()
    port: int | None = None

    def fits_name(self, host: str, port: int) -> bool:
        return self.name == host and self.port in (None, port)

    def fits_address(self, address: Address, port: int) -> bool:
        return any(address in network for network in self.networks) and self.port in (None, port)


@dataclass(frozen=True)
class Target:
    """A host whose addresses were checked: connect to one of these, and never look the name up again."""

    host: str
    """As it was given, in lower case and ASCII, without brackets: for certificates and the Host header."""
    port: int
    addresses: tuple[str, ...]
    """In the resolver's order."""


@dataclass(frozen=True)
class TargetGuard:
    """Says what a job may connect to. A listed name is trusted wherever it leads; all others by their addresses."""

    allowed: tuple[Rule, ...] = ()

    def check(self, host: str, port: int, *, field: str = "url") -> None:
        """What can be said when a spec is saved, without asking the name service; raises `Invalid`.

        Addresses are judged in each spelling (`127.1`, `0x7f000001`); names when they are used, by `resolve`.
        """
        try:
            name = host_name(host)
        except ValueError as error:
            raise Invalid.field(field, str(error)) from None
        known = _spelled_out(name, port)
        if known and not self._open(name, port, known):
            raise Invalid.field(field, refusal(host))

    def resolve(self, host: str, port: int) -> Target:
        """The addresses of the host that a job may connect to; raises `RunFailed` when there is none.

        Every address is checked and the forbidden ones are left out. Connect to an address of the answer: a second
        look-up may have another result.
        """
        try:
            name = host_name(host)
        except ValueError as error:
            raise RunFailed(str(error)) from None
        try:
            found = _look_up(name, port)
        except OSError as error:
            raise RunFailed(f"cannot find the host {host!r}", causes=[str(error.strerror)]) from None
        addresses = self._open(name, port, found)
        if not addresses:
            raise RunFailed(refusal(host))
        return Target(name, port, addresses)

    def _open(self, name: str, port: int, addresses: Iterable[str]) -> tuple[str, ...]:
        if any(rule.fits_name(name, port) for rule in self.allowed):
            return tuple(addresses)
        return tuple(text for text in addresses if self._allows(ipaddress.ip_address(text), port))

    def _allows(self, address: Address, port: int) -> bool:
        if any(rule.fits_address(_plain(address), port) for rule in self.allowed):
            return True
        return not is_guarded(address)


def refusal(host: str) -> str:
    """Tells no address: what a name of the inner network stands for is not for everybody."""
    return f"{host!r} is not an allowed target; list it in {SETTING} if jobs may reach it"


def is_guarded(address: Address) -> bool:
    """Whether jobs may reach this address only when it is listed."""
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in REFUSED_V4)
    if address in NAT64:
        return is_guarded(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    is_open = any(address in network for network in OPEN_V6)
    return not is_open or any(address in network for network in REFUSED_V6)


def _plain(address: Address) -> Address:
    """An IPv4 address dressed up is undressed, so that the rules know it."""
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def host_name(host: str) -> str:
    """A name or address as it is compared and sent: lower case, ASCII, no brackets, no dot at its end.

    Raises `ValueError` for what is none.
    """
    text = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in text:
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            raise ValueError(f"{host!r} is no host") from None
        if address.scope_id:
            raise ValueError(f"{host!r} is no host: a zone is not understood")
        return str(address)
    try:
        name = text.lower().removesuffix(".").encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError(f"{host!r} is no host") from None
    if not HOST.fullmatch(name):
        raise ValueError(f"{host!r} is no host")
    return name


def _look_up(name: str, port: int, flags: int = 0) -> tuple[str, ...]:
    rows = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


def _spelled_out(name: str, port: int) -> tuple[str, ...]:
    """The addresses that are plain without a name service; none for other names."""
    if name == LOCALHOST:
        return tuple(str(network.network_address) for network in LOCALHOSTS)
    try:
        return _look_up(name, port, socket.AI_NUMERICHOST)
    except OSError:
        return ()


# -- the setting -----------------------------------------------------------------------------------------------------
def parse(words: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of JOBHUB_ALLOWED_TARGETS; raises `ValueError` naming the word that is none."""
    return tuple(_rule(word) for word in words)


def _rule(word: str) -> Rule:
    host, port = _split_port(word)
    try:
        return Rule(networks=(ipaddress.ip_network(host, strict=False),), port=port)
    except ValueError:
        pass
    if "/" in host or ":" in host:
        raise ValueError(f"{word!r} is no network; wanted such as 10.0.0.0/8:5432 or [fd00::/8]:5432")
    name = host_name(host)
    return Rule(name=name, networks=LOCALHOSTS if name == LOCALHOST else (), port=port)


def _split_port(word: str) -> tuple[str, int | None]:
    """`[v6]:port`, `host:port`, or a host alone; IPv6 without brackets has no port."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", word)
    host, port = (bracketed[1], bracketed[2]) if bracketed else (word, None)
    if not bracketed and word.count(":") == 1:
        host, _, port = word.partition(":")
    if port is None:
        return host, None
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"{word!r}: wanted a port from 1 to 65535 after the last ':'")
    return host, int(port)


_guard: TargetGuard | None = None


def configure(guard: TargetGuard) -> None:
    """Set the guard of this process; done once at start from the settings."""
    global _guard
    _guard = guard


def guard() -> TargetGuard:
    """The guard of this process."""
    if _guard is None:
        raise RuntimeError("jobs.targets.configure() was not called")
    return _guard
