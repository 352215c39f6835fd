"""What every database keeps."""

from typing import Any

import pytest

from jobs.texts import check_json, check_text, storable


def test_a_plain_text_stays() -> None:
    assert storable("größe \U0001f600\n") == "größe \U0001f600\n"


def test_what_cannot_be_kept_is_replaced() -> None:
    assert storable("a\0b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert storable("x" * 20, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("text", ["\0", "a\ud800", "\udfff"], ids=ascii)
def test_a_text_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NUL or surrogate"):
        check_text(text)


@pytest.mark.parametrize(
    "value",
    [{"a": "\0"}, ["\ud800"], {"\0": 1}, float("nan"), [float("inf")], {1, 2}, {"a": b"x"}, {(1, 2): 3}],
    ids=ascii,
)
def test_json_that_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        check_json(value)


def test_json_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="itself"):
        check_json(value)


@pytest.mark.parametrize(
    "value", [None, {}, [1, 2.5, "x", None, True], {"a": "\\u0000"}, "\\\\u0000", 10**60], ids=ascii
)
def test_json_that_can_be_kept_is_given_back(value: Any) -> None:
    assert check_json(value) is value
