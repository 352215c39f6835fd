"""Django's command line, with the hub's own commands first in its list, each with what it does."""

import re
import shutil
import textwrap

from django.core.management import ManagementUtility, get_commands, load_command_class

OURS = ("jobhub", "jobs")
INDENT = 14


class CommandLine(ManagementUtility):
    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:
            return str(super().main_help_text(commands_only=True))
        lines = [_line(name, app) for name, app in sorted(get_commands().items()) if app in OURS]
        ways = "`manage.py COMMAND --help` says everything; `manage.py help --commands` lists Django's own as well."
        return "\n".join(["Commands of the hub:", "", *lines, "", ways])


def _line(name: str, app: str) -> str:
    said = re.split(r"[.;] ", str(load_command_class(app, name).help))[0].rstrip(".")
    width = shutil.get_terminal_size().columns - 2
    return textwrap.fill(f"  {name:<{INDENT - 2}}{said}", width, subsequent_indent=" " * INDENT)
