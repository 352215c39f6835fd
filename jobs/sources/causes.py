"""What drivers raise, told as a chain of causes."""

MAX_CAUSES = 10


def causes_of(error: BaseException) -> list[str]:
    """The words of an exception and of what it was raised from."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < MAX_CAUSES:
        driver = getattr(seen, "orig", None) or seen
        text = _words(driver)
        if text not in found:
            found.append(text)
        seen = driver.__cause__ or (None if driver.__suppress_context__ else driver.__context__)
    return found


def _words(error: BaseException) -> str:
    """MySQL's errors are a number and a text, the others a text."""
    args = error.args
    if len(args) == 2 and isinstance(args[0], int):
        return f"({args[0]}) {args[1]}"
    return str(error).strip() or type(error).__name__
