"""Sizes, counts and names of files as people read them."""


def size_text(n_bytes: float) -> str:
    """For people: `999 bytes`, `12.3 MB` (powers of 1000)."""
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    units = ["TB", "GB", "MB", "kB"]
    n_bytes /= 1000
    while n_bytes >= 999.95 and len(units) > 1:
        n_bytes /= 1000
        units.pop()
    return f"{n_bytes:.1f} {units[-1]}"


def printable(path: str) -> str:
    """A file's name as text that every database and terminal takes: other bytes as `\\xff`, newlines as `\\n`."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
