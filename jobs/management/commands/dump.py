"""`manage.py dump`: the hub's own data in one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from jobs.engine.rights import audit
from jobs.errors import Invalid
from jobs.management.base import HubCommand, add_json, anywhere
from jobs.management.dumps import write
from jobs.management.dumps.progress import bar
from jobs.management.preflight import check_database
from jobs.models import Secret


class Command(HubCommand):
    help = (
        "Write the hub's own data to a new file: users, projects, keys, jobs, executions with their output, the audit. "
        "The hub may run meanwhile; the file holds one moment of it. It opens the hub to whoever has it (password "
        "hashes, digests of keys), so only its owner may read it. Secrets stay encrypted: without VAR/hub/secret.keys, "
        "which is not in the file unless you say --with-keys, nobody can read them, you neither. Not in it: sessions, "
        "messages of the queue, and what jobs made (VAR/data)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="A new file, such as hub-2027-01-31.zip.")
        parser.add_argument(
            "--with-keys", action="store_true", help="Take the keys of the secrets along: they can be read then."
        )
        add_json(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        check_database()
        path: Path = options["file"].absolute()
        with_keys: bool = options["with_keys"]
        audit(anywhere(), "dump", str(path), with_keys=with_keys)
        try:
            with bar(self.stderr, write.n_rows) as advance:
                manifest = write.dump(path, with_keys=with_keys, advance=advance)
        except OSError as error:
            raise Invalid.field("", f"cannot write {str(path)!r}: {error.strerror}") from None
        rows = {name: table["rows"] for name, table in manifest["tables"].items()}
        if options["json"]:
            self.say_json({"file": str(path), "bytes": path.stat().st_size, "rows": rows, "keys": with_keys})
        else:
            self.say(f"{path}: {sum(rows.values())} rows of {len(rows)} tables, {path.stat().st_size} bytes")
        if not with_keys and Secret.objects.exists():
            self.stderr.write("the keys of the secrets are not in it; keep VAR/hub/secret.keys in another place")
