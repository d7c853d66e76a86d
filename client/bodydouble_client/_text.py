"""Text from elsewhere, made safe to put into a message: short, printable, encodable."""

__all__ = ["describe", "encodable", "shorten"]


def shorten(text: str, limit: int = 200) -> str:
    """The text on one line, at most ``limit`` characters, with anything unprintable replaced by ``?``."""
    head = " ".join(text[: limit * 4].split())
    printable = "".join(character if character.isprintable() else "?" for character in head)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def describe(value: object, limit: int = 60) -> str:
    """A short repr of any value, whatever its own ``__repr__`` does."""
    if isinstance(value, (str, bytes)):
        value = value[: limit * 2]
    try:
        return shorten(repr(value), limit)
    except Exception:  # noqa: BLE001 - a stranger's __repr__, or an int too long to print
        return f"a value of type {type(value).__name__}"


def encodable(text: str) -> bool:
    """Whether the text can be sent as UTF-8; a lone surrogate cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
