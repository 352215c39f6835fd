"""State words and error tables are total, or they cannot be made."""

import pytest

from jobs.states import State
from vendors.wire.problems import ErrorRow, Kind, total
from vendors.wire.states import StateWords, same_words

WORDS = same_words()


def test_every_word_leads_back() -> None:
    assert {State(word): WORDS.back[word] for word in WORDS.words.values()} == {
        state: frozenset({state}) for state in State
    }


def test_a_missing_word_is_named() -> None:
    words = {state: word for state, word in WORDS.words.items() if state is not State.PAUSED}
    with pytest.raises(ValueError, match="no word for: paused"):
        StateWords(words=words, back=WORDS.back)


def test_a_missing_way_back_is_named() -> None:
    back = {word: states for word, states in WORDS.back.items() if word != "paused"}
    with pytest.raises(ValueError, match="no way back to: paused"):
        StateWords(words=WORDS.words, back=back)


def test_a_missing_error_is_named() -> None:
    rows = {kind: ErrorRow(400, "x") for kind in Kind if kind is not Kind.BUG}
    with pytest.raises(ValueError, match="no row for: bug"):
        total(rows)
