"""Text of strangers in messages: one line, and nothing in it that a terminal obeys."""

__all__ = ["one_line", "printable"]

_MAX_CHARACTERS = 600


def one_line(text: str) -> str:
    """The text in one printable line of at most 600 characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"


def printable(text: str) -> str:
    r"""The text with what cannot be seen written as an escape, such as ``\\x1b``."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
