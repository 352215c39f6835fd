"""What the guard of the network lets through, in whatever spelling it is asked."""

import ipaddress
import socket
from typing import Any

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.targets import Rule, TargetGuard, is_guarded, parse

OPEN = ["93.184.216.34", "10.1.2.3", "192.168.1.1", "172.16.0.1", "100.64.0.1", "2606:2800:220:1::1", "fd12::1"]
GUARDED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::127.0.0.1",
    "64:ff9b:1::1",
    "2001::1",
    "2002:7f00:1::",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "100::1",
]
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "::1",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[fe80::1%25lo]",
    "１２７.0.0.1",  # noqa: RUF001 - full-width digits are the point
    "①②⑦.0.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
]
NO_HOSTS = [
    "",
    ".",
    "a b",
    "a\nb",
    "a/b",
    "user@host",
    "[::1",
    "fe80::1::2",
    "a..b",
    "host:80",
    "ho\0st",
    "-a.example",
    "*",
]
Names = dict[str, list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What the world's name service knows: names to addresses."""
    known: Names = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, flags: int = 0, **given: Any) -> Any:
        if host not in known or flags & socket.AI_NUMERICHOST:
            return real(host, port, *args, flags=flags | socket.AI_NUMERICHOST, **given)
        families = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in known[host]]
        return [(family, socket.SOCK_STREAM, 6, "", (one, port)) for family, one in families]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def guard(*words: str) -> TargetGuard:
    return TargetGuard(parse(words))


# -- addresses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", OPEN)
def test_public_and_private_addresses_are_open(address: str) -> None:
    assert guard().resolve(address, 443).addresses == (address,)


@pytest.mark.parametrize("address", GUARDED)
def test_what_only_this_machine_its_link_or_its_cloud_reaches_is_guarded(address: str) -> None:
    assert is_guarded(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", GUARDED)
def test_a_guarded_address_is_refused_when_it_is_used(address: str) -> None:
    with pytest.raises(RunFailed, match="JOBHUB_ALLOWED_TARGETS"):
        guard().resolve(address, 80)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_guarded_address_can_be_saved(spelling: str) -> None:
    with pytest.raises(Invalid, match=r"^url: "):
        guard().check(spelling, 80)


@pytest.mark.parametrize("host", NO_HOSTS)
def test_what_is_no_host_is_refused_when_saved_and_when_used(host: str) -> None:
    with pytest.raises(Invalid, match="is no host"):
        guard().check(host, 80)
    with pytest.raises(RunFailed, match="is no host"):
        guard().resolve(host, 80)


# -- names -------------------------------------------------------------------------------------------------------------
def test_saving_asks_no_name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = socket.getaddrinfo

    def getaddrinfo(*args: Any, flags: int = 0, **given: Any) -> Any:
        asked.append(flags & socket.AI_NUMERICHOST)
        return real(*args, flags=flags, **given)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    guard().check("db.example.org", 5432)
    assert asked == [socket.AI_NUMERICHOST]


def test_a_name_is_judged_by_where_it_leads(names: Names) -> None:
    names["evil.example"] = ["169.254.169.254"]
    with pytest.raises(RunFailed, match=r"'evil\.example' is not an allowed target"):
        guard().resolve("evil.example", 80)


def test_a_refusal_tells_no_address(names: Names) -> None:
    names["inner.example"] = ["127.0.0.1"]
    with pytest.raises(RunFailed) as caught:
        guard().resolve("inner.example", 80)
    assert "127" not in str(caught.value)


def test_of_mixed_addresses_only_the_open_ones_are_given(names: Names) -> None:
    names["mixed.example"] = ["127.0.0.1", "93.184.216.34", "::1"]
    assert guard().resolve("mixed.example", 80).addresses == ("93.184.216.34",)


def test_a_name_that_nobody_knows_fails_with_the_reason() -> None:
    with pytest.raises(RunFailed, match=r"cannot find the host 'no\.such\.host\.invalid'") as caught:
        guard().resolve("no.such.host.invalid", 80)
    assert caught.value.causes


# -- the setting -------------------------------------------------------------------------------------------------------
LISTED = [
    ("localhost", "localhost", 1, True),
    ("localhost:9200", "localhost", 9200, True),
    ("localhost:9200", "127.0.0.1", 9200, True),
    ("localhost:9200", "::1", 9200, True),
    ("localhost:9200", "localhost", 9201, False),
    ("localhost:9200", "127.0.0.2", 9200, False),
    ("127.0.0.1:9200", "localhost", 9200, True),
    ("127.0.0.1:9200", "::ffff:127.0.0.1", 9200, True),
    ("127.0.0.1", "127.0.0.1", 65535, True),
    ("127.0.0.0/8", "127.9.9.9", 1, True),
    ("127.0.0.0/8:80", "127.9.9.9", 80, True),
    ("127.0.0.0/8:80", "127.9.9.9", 81, False),
    ("127.0.0.0/8:80", "169.254.169.254", 80, False),
    ("[::1]:80", "::1", 80, True),
    ("[::1]:80", "::1", 81, False),
    ("[::1]", "::1", 81, True),
    ("::1", "::1", 81, True),
    ("[fe80::/10]:80", "fe80::5", 80, True),
    ("fe80::/10", "fe80::5", 81, True),
    ("169.254.169.254", "169.254.169.254", 80, True),
]


@pytest.mark.parametrize(("word", "host", "port", "is_open"), LISTED)
def test_a_listed_target_is_open_at_its_port_only(word: str, host: str, port: int, is_open: bool) -> None:
    try:
        found = bool(guard(word).resolve(host, port))
    except RunFailed:
        found = False
    assert found is is_open


def test_a_listed_name_is_trusted_wherever_it_leads(names: Names) -> None:
    names["es.inner"] = ["127.0.0.1"]
    assert guard("es.inner:9200").resolve("ES.Inner.", 9200).addresses == ("127.0.0.1",)


def test_another_name_of_the_same_address_is_not(names: Names) -> None:
    names["other.example"] = ["127.0.0.1"]
    with pytest.raises(RunFailed):
        guard("es.inner:9200").resolve("other.example", 9200)


BAD_WORDS = [
    "host:",
    "host:0",
    "host:65536",
    "host:x",
    "10.0.0.0/33",
    "[::1",
    "[::1]:",
    "a b",
    "a/b",
    "unix:/run/x",
    ":80",
]


@pytest.mark.parametrize("word", BAD_WORDS)
def test_a_word_that_is_no_target_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|no host|no network"):
        parse([word])


def test_networks_are_taken_with_bits_beyond_their_mask() -> None:
    assert parse(["10.1.2.3/8"]) == (Rule(networks=(ipaddress.ip_network("10.0.0.0/8"),)),)
