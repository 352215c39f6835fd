"""What the commands say of themselves, for somebody who has never read the README."""

from argparse import ArgumentParser

import pytest
from django.core.management import ManagementUtility, get_commands, load_command_class

from jobhub.command_line import OURS, CommandLine

NAMES = sorted(name for name, app in get_commands().items() if app in OURS)


def parser_of(name: str) -> ArgumentParser:
    return load_command_class(get_commands()[name], name).create_parser("manage.py", name)


def deeds_of(name: str) -> dict[str, ArgumentParser]:
    choices = (action.choices for action in parser_of(name)._actions if action.dest == "deed")
    return dict(next(choices, None) or {})


DEEDS = [(name, deed) for name in NAMES for deed in deeds_of(name)]


def test_the_list_has_each_command_of_the_hub_with_what_it_does_and_none_of_djangos() -> None:
    said = CommandLine(["manage.py", "help"]).main_help_text()
    listed = [line.split(maxsplit=1)[0] for line in said.splitlines() if line[:2] == "  " and line[2] != " "]

    assert (listed, "  trigger     Start a job by its name" in said, "sqlflush" in said) == (NAMES, True, False)


def test_djangos_own_commands_are_listed_for_completion() -> None:
    words = ["manage.py", "help", "--commands"]

    assert CommandLine(words).main_help_text(commands_only=True) == ManagementUtility(words).main_help_text(
        commands_only=True
    )


@pytest.mark.parametrize(("name", "deed"), DEEDS, ids=[f"{name} {deed}" for name, deed in DEEDS])
def test_each_deed_says_what_it_does_and_how_it_exits(name: str, deed: str) -> None:
    parser = deeds_of(name)[deed]

    assert (bool(parser.description), parser.epilog) == (True, parser_of(name).epilog)
