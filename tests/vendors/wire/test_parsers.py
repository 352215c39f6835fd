"""JSON as it comes: read strictly, refused with the reason."""

import json

import pytest

from vendors.wire.parsers import MAX_DEPTH, read_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, "x", null, true]} \n', {"a": [1, 2.5, "x", None, True]}),
        ('"größe 🎉"'.encode(), "größe 🎉"),
        (b'"\\ud83c\\udf89"', "🎉"),
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1e300", 1e300),
        (b'"\\\\u0000"', "\\u0000"),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
)
def test_it_reads(body: bytes, value: object) -> None:
    assert read_json(body) == (value if value is not None else json.loads(body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty body"),
        (b" \n", "empty body"),
        (b"{", "line 1"),
        (b"{'a': 1}", "line 1"),
        (b"[1,]", "trailing comma"),
        (b"{} {}", "line 1"),
        (b"NaN", "line 1"),
        (b"[Infinity]", "line 1"),
        (b"1e999", "infinity"),
        (b"18446744073709551616", "out of range"),
        (b"1" * 100_000, "infinity"),
        (b'"\xff"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'"\\ud800"', "surrogate"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "deeper"),
        (b"[" * 1_000_000, "depth|deeper"),
    ],
)
def test_it_refuses(body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_json(body)
