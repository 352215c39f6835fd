"""This process's TCP connections, asked of Linux: the web server does not tell which one a request came by."""

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

LAST_SENT = struct.Struct("@44xI")
"""`tcpi_last_data_sent` of linux/tcp.h: milliseconds since something was sent, or since the connection was made."""
LEEWAY_MS = 50
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_in(text: str) -> IPAddress | None:
    """An address in its shortest form: IPv4 stays itself on a socket that takes both."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def cut(peer: str, port: int, silent_s: float) -> int:
    """Close the connections from `peer` to our `port` to which nothing was sent for so long; returns how many.

    A request that has waited so long came by one of them. What else it hits are connections of the same client that
    are idle.
    """
    wanted = address_in(peer)
    n_cut = 0
    for connection in _ours():
        with connection:
            if _is_from(connection, wanted, port) and _silent_ms(connection) >= silent_s * 1000 - LEEWAY_MS:
                connection.shutdown(socket.SHUT_RDWR)
                n_cut += 1
    return n_cut


def _ours() -> Iterator[socket.socket]:
    for entry in Path("/proc/self/fd").iterdir():
        try:
            if not str(entry.readlink()).startswith("socket:"):
                continue
            copy = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:
            continue
        yield copy


def _is_from(connection: socket.socket, wanted: IPAddress | None, port: int) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.type != socket.SOCK_STREAM:
        return False
    try:
        return connection.getsockname()[1] == port and address_in(connection.getpeername()[0]) == wanted
    except OSError:
        return False


def _silent_ms(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_SENT.size)
    return int(LAST_SENT.unpack(info)[0])
