"""The runner that stands where there is nothing to run."""

import pytest

from jobs.errors import Invalid, RunFailed
from jobs.runners.context import Context
from jobs.runners.fail import FailRunner


def test_it_fails_with_what_it_was_told(context: Context) -> None:
    runner = FailRunner()
    with pytest.raises(RunFailed, match=r"^nobody said what to do$"):
        runner.run(runner.validate({"message": "nobody said what to do"}), context)


@pytest.mark.parametrize("spec", [{}, {"message": ""}, {"message": 1}, {"message": "x" * 2001}])
def test_it_needs_a_message(spec: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="message"):
        FailRunner().validate(spec)
