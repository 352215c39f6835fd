"""The words of a vendor for the states of an execution, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.states import State


@dataclass(frozen=True)
class StateWords:
    """A total map from states to words, and from words to the states that they mean in a filter.

    Raises `ValueError` when it is made with a state that has no word, or a word that leads nowhere.
    """

    words: Mapping[State, str]
    back: Mapping[str, frozenset[State]]

    def __post_init__(self) -> None:
        if missing := set(State) - set(self.words):
            raise ValueError(f"no word for: {', '.join(sorted(missing))}")
        lost = {state for state, word in self.words.items() if state not in self.back.get(word, ())}
        if lost:
            raise ValueError(f"no way back to: {', '.join(sorted(lost))}")


def same_words() -> StateWords:
    """The core's own words."""
    return StateWords(
        words={state: state.value for state in State},
        back={state.value: frozenset({state}) for state in State},
    )
