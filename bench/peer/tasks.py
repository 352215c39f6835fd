"""What the peer runs."""


def noop() -> None:
    """Nothing."""
