"""Nothing of a secret is left, however it is written and wherever it is cut."""

import base64
import gc
import json
import logging
import random
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.masking import MASK, Masker, MaskingFormatter, Stream

VALUE = 's3cr&t/"+ö\\<x>'
FORMS = {
    "plain": VALUE,
    "quoted": quote(VALUE, safe=""),
    "quoted as a path": quote(VALUE),
    "quoted as a form": quote_plus(VALUE),
    "quoted in lower case": quote(VALUE, safe="").lower(),
    "in JSON": json.dumps(VALUE)[1:-1],
    "in JSON of today": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "in Python": repr(VALUE)[1:-1],
    "in HTML": "s3cr&amp;t/&quot;+ö\\&lt;x&gt;",
}


def masker(*values: str) -> Masker:
    made = Masker()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_value_is_masked_in_each_form(form: str) -> None:
    assert masker(VALUE).mask(f"a {form} b") == f"a {MASK} b"


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "1", "12"])
def test_a_value_is_masked_in_the_base64_of_a_longer_text(before: str, after: str) -> None:
    value = "correct-horse-battery"
    coded = base64.b64encode(f"{before}{value}{after}".encode()).decode()
    shown = masker(value).mask(coded)
    assert MASK in shown
    assert len(shown) <= len(MASK) + 14


def test_values_shorter_than_four_characters_are_not_masked() -> None:
    assert masker("abc").mask("abc abcd") == "abc abcd"


def test_the_lines_of_a_key_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END KEY-----"
    assert masker(key).mask("> MIIEvQIBADANBgkqhkiG9w0\r\n") == f"> {MASK}\r\n"


def test_the_token_of_a_whole_header_is_masked_alone() -> None:
    assert masker("Bearer abcdef123456").mask("token=abcdef123456") == f"token={MASK}"


def test_the_password_and_the_path_of_a_url_are_masked_alone() -> None:
    hidden = masker("postgresql://joe:p%40ss@db.example/base-of-joe")
    assert hidden.mask("joe p@ss p%40ss db.example /base-of-joe") == f"joe {MASK} {MASK} db.example {MASK}"


def test_values_that_overlap_leave_nothing() -> None:
    assert masker("xabc", "abcdef").mask("-xabcdef-") == f"-{MASK}-"


def test_the_longer_of_two_values_leaves_no_rest() -> None:
    assert masker("abcd", "abcdef").mask("abcdef") == MASK


def test_values_side_by_side_are_one_mask() -> None:
    assert masker("abcd").mask("abcdabcd abcd") == f"{MASK} {MASK}"


# -- in pieces ---------------------------------------------------------------------------------------------------------
def in_pieces(hidden: Masker, text: str, cuts: list[int]) -> str:
    stream = Stream(hidden)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [stream.feed(text[start:stop]) for start, stop in pairwise(edges)]
    return "".join(pieces) + stream.close()


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_value_in_two_reads_is_masked(cut: int) -> None:
    stream = Stream(masker("hunter2-hunter"))
    text = "hunter2-hunter"
    assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.close() == MASK


def test_only_what_may_be_a_beginning_is_held_back() -> None:
    assert Stream(masker("hunter2")).feed("the word hun") == "the word "


def test_what_was_no_value_after_all_is_given() -> None:
    stream = Stream(masker("hunter2"))
    assert stream.feed("hun") + stream.feed("gry\n") == "hungry\n"


def test_a_value_that_is_learnt_in_mid_stream_is_masked_from_then_on() -> None:
    hidden = masker("first-value")
    stream = Stream(hidden)
    first = stream.feed("other-value ")
    hidden.add("other-value")
    assert first + stream.feed("other-value ") == f"other-value {MASK} "


@given(
    values=st.lists(st.text("ab", min_size=4, max_size=7), min_size=1, max_size=4),
    text=st.text("abc", max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_pieces_give_what_the_whole_gives(values: list[str], text: str, cuts: list[int]) -> None:
    hidden = masker(*values)
    assert in_pieces(hidden, text, cuts) == hidden.mask(text)


@given(
    values=st.lists(st.text("ab", min_size=4, max_size=7), min_size=1, max_size=4),
    text=st.text("abc", max_size=60),
)
def test_no_value_is_left(values: list[str], text: str) -> None:
    shown = masker(*values).mask(text)
    assert not [value for value in values if value in shown]


def test_a_run_of_one_letter_is_not_held_back_for_ever() -> None:
    stream = Stream(masker("aaaa"))
    assert stream.feed("a" * 5000) == MASK
    assert stream.feed("a" * 5000) + stream.close() == ""


def test_a_flood_with_a_large_key_takes_its_time_but_ends() -> None:
    chosen = random.Random(1)
    key = "\n".join("".join(chosen.choices("abcdefghijkl+/", k=64)) for _ in range(50))
    assert masker(key).mask("x" * 200_000) == "x" * 200_000


# -- what lies around --------------------------------------------------------------------------------------------------
def test_a_value_deep_in_json_is_found() -> None:
    assert masker("hunter2").holds({"a": [1, {"b": "is hunter2"}]})


def test_names_in_json_are_no_values() -> None:
    assert not masker("rows").holds({"rows": 1})


def log_line() -> str:
    try:
        raise ValueError("login of joe with hunter2 failed")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "%s", ("hunter2",), info)
    return MaskingFormatter("%(message)s").format(record)


def test_log_lines_and_tracebacks_are_masked_while_a_run_lives() -> None:
    hidden = masker("hunter2")
    assert "hunter2" not in log_line()
    assert hidden.mask("hunter2") == MASK


def test_a_run_that_is_over_masks_no_more() -> None:
    masker("hunter2")
    gc.collect()
    assert log_line().startswith("hunter2\n")
