"""JDBC URLs: what they become here, and what is refused in them."""

from typing import Any

import pytest

from jobs import sources
from jobs.errors import Invalid
from jobs.sources import jdbc

PASSWORD = "p:/?#[]@!$ %ü"

MEANT = [
    ("jdbc:postgresql://db.example.org:5433/shop", {}, "postgresql://db.example.org:5433/shop"),
    ("jdbc:postgresql://db.example.org/shop?ssl=true", {}, "postgresql://db.example.org/shop?sslmode=verify-full"),
    ("jdbc:postgresql://db.example.org/shop", {"ssl": True}, "postgresql://db.example.org/shop?sslmode=verify-full"),
    ("jdbc:postgresql://db.example.org/shop", {"ssl": False}, "postgresql://db.example.org/shop"),
    ("jdbc:postgresql://h/d?ssl=true&sslmode=require", {}, "postgresql://h/d?sslmode=require"),
    ("jdbc:postgresql://h/d?sslmode=verify-ca", {}, "postgresql://h/d?sslmode=verify-full"),
    ("jdbc:postgresql://h/d?ApplicationName=siren&connectTimeout=5", {}, "postgresql://h/d"),
    ("jdbc:postgresql:shop", {}, "postgresql://localhost/shop"),
    ("jdbc:postgresql://h/", {"user": "jane"}, "postgresql://h/jane"),
    ("jdbc:postgresql://jane@h", {}, "postgresql://h/jane"),
    ("jdbc:mysql://h:3307/shop?useSSL=true&requireSSL=false", {}, "mysql://h:3307/shop?sslmode=require"),
    ("jdbc:mysql://h/shop?useSSL=true&verifyServerCertificate=true", {}, "mysql://h/shop?sslmode=verify-full"),
    ("jdbc:mysql://h/shop?sslMode=DISABLED&serverTimezone=UTC", {}, "mysql://h/shop?sslmode=disable"),
    ("jdbc:mysql://h/a%2Fb", {}, "mysql://h/a%2Fb"),
    ("jdbc:mariadb://[::1]:3307/shop?sslMode=trust", {}, "mysql://[::1]:3307/shop?sslmode=require"),
    ("jdbc:sqlite:/srv/a b.db", {}, "sqlite:////srv/a%20b.db"),
    ("jdbc:sqlite:file:/srv/shop.db", {}, "sqlite:////srv/shop.db"),
    ("jdbc:db2://h:50000/shop", {"progressive": True}, ""),
]


@pytest.mark.parametrize(("text", "properties", "url"), MEANT)
def test_a_jdbc_url_is_understood(text: str, properties: dict[str, Any], url: str) -> None:
    assert jdbc.parse(text, properties).url == url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "jdbc:postgresql://h/d?user=jane&password=s3cret&ssl=true",
            "jdbc:postgresql://h/d?user=jane&ssl=true",
        ),
        ("jdbc:postgresql://h/d?password=s3cret", "jdbc:postgresql://h/d"),
        ("jdbc:mysql://jane:s3cret@h/d", "jdbc:mysql://jane@h/d"),
        ("jdbc:mysql://h/d?Pass%77ord=s3cret&user=jane", "jdbc:mysql://h/d?user=jane"),
    ],
)
def test_a_password_in_the_url_is_taken_out_of_it(text: str, shown: str) -> None:
    found = jdbc.parse(text)

    assert (found.text, found.password) == (shown, "s3cret")
    assert "s3cret" not in repr(found)


def test_what_is_given_beside_the_url_counts() -> None:
    text = "jdbc:postgresql://h/d?user=jane&password=old"
    found = [jdbc.parse(text, {"user": "joe", "password": "new"}), jdbc.parse(text, user="joe", password="new")]

    assert [(one.user, one.password) for one in found] == [("joe", "new")] * 2


@pytest.mark.parametrize("text", ["jdbc:postgresql://203.0.113.7/d", "jdbc:mysql://203.0.113.7/d"])
def test_credentials_of_any_characters_arrive(text: str) -> None:
    url = sources.parse(jdbc.parse(text).with_login("jane/doe", PASSWORD), is_secret=True)

    assert (url.user, url.password, url.host) == ("jane/doe", PASSWORD, "203.0.113.7")


def test_the_password_is_found_again() -> None:
    known, unknown = jdbc.parse("jdbc:mysql://h/d"), jdbc.parse("jdbc:db2://h:50000/d")

    assert [jdbc.password_of(one.with_login("jane", PASSWORD)) for one in (known, unknown)] == [PASSWORD, PASSWORD]


def test_an_unknown_database_is_nothing_that_a_run_could_use() -> None:
    with pytest.raises(Invalid, match="wanted a URL that begins with one of"):
        sources.parse(jdbc.parse("jdbc:db://localhost:5432/default").with_login("", "s3cret"), is_secret=True)


REFUSED = [
    ("postgresql://h/d", {}, "wanted a JDBC URL"),
    ("jdbc:", {}, "wanted a JDBC URL"),
    ("jdbc:postgresql://h/d\nx", {}, "wanted a JDBC URL"),
    ("jdbc:postgresql://a,b/d", {}, "wanted one host"),
    ("jdbc:postgresql://h:port/d", {}, "wanted one host"),
    ("jdbc:mysql:loadbalance://h/d", {}, "wanted one host"),
    ("jdbc:mysql://address=(host=h)/d", {}, "wanted one host"),
    ("jdbc:sqlite::memory:", {}, "wanted jdbc:sqlite:/absolute"),
    ("jdbc:sqlite:relative.db", {}, "wanted jdbc:sqlite:/absolute"),
    ("jdbc:postgresql://h/d?socketFactory=org.example.X", {}, "'socketFactory' is not allowed"),
    ("jdbc:postgresql://h/d", {"sslfactoryarg": "x"}, "'sslfactoryarg' is not allowed"),
    ("jdbc:postgresql://h/d", {"options": "-c role=admin"}, "'options' is not allowed"),
    ("jdbc:postgresql://h/d?sslmode=maybe", {}, "sslmode wants one of"),
    ("jdbc:postgresql://h/d", {"ssl": "maybe"}, "ssl wants true or false"),
    ("jdbc:mysql://h/d?allowLoadLocalInfile=true", {}, "'allowLoadLocalInfile' is not allowed"),
    ("jdbc:mysql://h/d?autoDeserialize=true", {}, "'autoDeserialize' is not allowed"),
    ("jdbc:mysql://h/d?serverTimezone=Europe/Berlin", {}, "'serverTimezone' is not allowed"),
    ("jdbc:sqlite:/srv/a.db?enable_load_extension=true", {}, "'enable_load_extension' is not allowed"),
    ("jdbc:oracle:thin:scott/tiger@//h:1521/x", {}, "leave credentials out"),
    ("jdbc:sqlserver://h;user=sa;password=x", {}, "leave credentials out"),
    ("jdbc:db2://h/d", {"apiToken": "x"}, "leave credentials out"),
]


@pytest.mark.parametrize(("text", "properties", "reason"), REFUSED)
def test_what_has_no_place_here_is_refused(text: str, properties: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid) as error:
        jdbc.parse(text, properties)

    assert reason in error.value.message
