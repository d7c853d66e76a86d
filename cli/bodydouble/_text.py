"""Untrusted text in messages: in one line, and without control characters."""

__all__ = ["one_line", "printable"]

_MAX_CHARACTERS = 600


def one_line(text: str) -> str:
    """Return the text in one printable line of at most 600 characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"


def printable(text: str) -> str:
    r"""Return the text with characters that cannot be printed as escapes, such as ``\\x1b``."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
