"""Folders as they can be compared."""

from pathlib import Path


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file below it, however deep, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
