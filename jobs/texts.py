"""What texts and JSON every database can keep."""

import json
import re
from typing import Any

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
LABEL = "label:"
"""What a job begins its node with that may run on any node of a label."""
LABEL_PATTERN = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def storable(text: str, limit: int | None = None) -> str:
    """The text with U+FFFD for NUL and lone surrogates, cut to `limit` characters."""
    clean = UNSTORABLE.sub("\ufffd", text)
    return clean if limit is None or len(clean) <= limit else f"{clean[: limit - 1]}…"


def check_text(value: str) -> str:
    """The text itself; `ValueError` for one with NUL or a lone surrogate."""
    if UNSTORABLE.search(value):
        raise ValueError("must not contain NUL or surrogate characters")
    return value


def check_json(value: Any) -> Any:
    """The value itself; `ValueError` for what is no JSON: other types, NaN, infinity, NUL and lone surrogates."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"cannot be kept as JSON: {error}") from None
    except ValueError:
        raise ValueError("must not contain NaN, infinity or itself") from None
    if UNSTORABLE.search(text) or NUL_IN_JSON.search(text):
        raise ValueError("must not contain NUL or surrogate characters")
    return value


def check_label(word: str) -> str:
    """A node's label itself; `ValueError` for another word."""
    if not re.fullmatch(LABEL_PATTERN, word):
        raise ValueError(f"wanted a label of 1 to 63 small letters, digits, dots, dashes or underscores, got {word!r}")
    return word


def check_pin(value: str) -> str:
    """What a job may be pinned to, itself: a node's name, or `label:` and a label."""
    if value.startswith(LABEL):
        check_label(value.removeprefix(LABEL))
    return check_text(value)
