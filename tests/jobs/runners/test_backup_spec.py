"""What the spec of a backup may say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Invalid
from jobs.runners.backup import BackupRunner
from tests.jobs.runners.archives import NAME

REFUSED = [
    ({"surprise": 1}, "surprise: unknown field"),
    ({"source": None}, "source"),
    ({"source": []}, "source: wanted at least one path"),
    ({"source": "relative"}, "source: wanted an absolute path"),
    ({"source": "/etc"}, "JOBHUB_ALLOWED_PATHS"),
    ({"source": "{top}/hub"}, "belongs to the hub itself"),
    ({"source": ["{top}/source", "{top}/source/folder"]}, "lie inside one another"),
    ({"source": ["{top}/source", "{top}/source"]}, "lie inside one another"),
    ({"source": "{top}/container/papers/x"}, "where this backup writes its archives"),
    ({"container": "/etc"}, "JOBHUB_ALLOWED_PATHS"),
    ({"container": ""}, "container: "),
    ({"container": ".."}, "container: wanted a path or name without"),
    ({"container": "a/../b"}, "container: wanted a path or name without"),
    ({"backup_name": ""}, "backup_name: "),
    ({"backup_name": ".."}, "backup_name: "),
    ({"backup_name": ".hidden"}, "backup_name: "),
    ({"backup_name": "a/b"}, "backup_name: "),
    ({"backup_name": "a\nb"}, "backup_name: "),
    ({"backup_name": "n" * 201}, "backup_name: "),
    ({"max_level": -1}, "max_level: "),
    ({"max_level": "3"}, "max_level: "),
    ({"max_level": True}, "max_level: "),
    ({"max_level": 1, "always_level": 1}, "either max_level or always_level"),
    ({"restart_after_days": 0}, "restart_after_days: "),
    ({"restart_after_days": 1e300}, "restart_after_days: "),
    ({"exclude": "*.o"}, "exclude: "),
    ({"exclude": [""]}, "exclude.0: "),
    ({"exclude": ["/etc/passwd"]}, "exclude: '/etc/passwd' lies below no source"),
    ({"compression": "rar"}, "compression: "),
    ({"one_file_system": "yes"}, "one_file_system: "),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_a_wrong_spec_is_refused_by_field(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    given = {"source": str(tmp_path / "source"), "container": str(tmp_path / "container"), "backup_name": NAME}
    filled = json.loads(json.dumps({**given, **fields}).replace("{top}", str(tmp_path)))
    with pytest.raises(Invalid, match=re.escape(message)):
        BackupRunner().validate(filled)


@pytest.mark.parametrize("field", ["source", "container"])
def test_what_is_required_is_said(field: str, tmp_path: Path) -> None:
    given = {"source": str(tmp_path / "source"), "container": "tapes"}
    given.pop(field)
    with pytest.raises(Invalid, match=f"{field}: this field is required"):
        BackupRunner().validate(given)
