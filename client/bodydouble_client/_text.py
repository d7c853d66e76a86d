"""Foreign text made safe for messages: short, printable and encodable."""

__all__ = ["describe", "is_encodable", "shorten"]


def shorten(text: str, limit: int = 200) -> str:
    """Return the text on one line of at most ``limit`` characters, with ``?`` for anything unprintable."""
    head = " ".join(text[: limit * 4].split())
    printable = "".join(character if character.isprintable() else "?" for character in head)
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def describe(value: object, limit: int = 60) -> str:
    """Return a short repr of any value, also when its ``__repr__`` fails."""
    if isinstance(value, (str, bytes)):
        value = value[: limit * 2]
    try:
        return shorten(repr(value), limit)
    except Exception:  # noqa: BLE001 - a foreign __repr__, or an int too long to print
        return f"a value of type {type(value).__name__}"


def is_encodable(text: str) -> bool:
    """Return whether the text can be encoded as UTF-8; a lone surrogate cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
