"""Texts: what people type, and what breaks programs that handle it."""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from bodydouble_contract_tests._choice import choice
from bodydouble_contract_tests._node import Node
from bodydouble_contract_tests._pattern import matches, matching
from bodydouble_contract_tests._pictures import picture_texts

__all__ = ["LONG", "texts"]

LONG = 4000
"""About so many characters has a long text; one in ten is long."""

_SHORT = 12
_SAMPLES = (
    "make it night",
    "",
    "a",
    " ",
    "\x00",
    "before\x00after",
    "line one\nline two\r\n\ttabbed",
    "𝄞 clef, 🦊 fox, 👩‍👩‍👧‍👦 family",
    "שלום עולם",
    "مرحبا بالعالم \u202eright to left\u202c",
    "e\u0301\u0323 Z\u0351\u0343\u0346a\u0305lgo",
    "cafe\u0301 noe\u0308l",
    "日本語のプロンプト",
    "\ufeffbyte order mark \ufffd \uffff",
    '"quotes" \\ and </script> {{braces}} %s ${x}',
    "'; DROP TABLE prompts; --",
    "null",
    "1",
)
# Formats are notes to the validator, but other tools check them, so the values keep them.
_FORMATS: dict[str, Callable[[], st.SearchStrategy[str]]] = {
    "uri": lambda: choice(_plain_urls()),
    "url": lambda: choice(_plain_urls()),
    "uri-reference": lambda: choice([*_plain_urls(), "/a.png", "a"]),
    "date-time": lambda: st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"),
    "date": lambda: st.dates().map(str),
    "email": lambda: st.sampled_from(["a@example.com", "first.last+tag@mail.example.org"]),
    "uuid": lambda: st.uuids().map(str),
    "ipv4": lambda: st.ip_addresses(v=4).map(str),
    "ipv6": lambda: st.ip_addresses(v=6).map(str),
    "hostname": lambda: st.sampled_from(["example.com", "a", "xn--bcher-kva.example"]),
    "byte": lambda: choice(["", "aGk=", *picture_texts()["base64"]]),
}


def texts(node: Node, likely: Sequence[str] = ()) -> st.SearchStrategy[str] | None:
    """Texts that conform to the node's lengths, patterns and format; None when none can be made.

    A pattern that tells pictures from other texts is met with pictures in the three forms of `picture_texts`, any other one by
    generating from it. ``likely`` are values to mix in where any text will do.
    """
    least, most = int(node.limits.get("minLength", 0)), node.limits.get("maxLength")

    def fits(text: str) -> bool:
        return (
            least <= len(text)
            and (most is None or len(text) <= most)
            and all(matches(pattern, text) for pattern in node.patterns)
        )

    if most is not None and most < least:
        return None
    if node.patterns:
        return _patterned(node.patterns[0], fits, is_checked=len(node.patterns) > 1 or bool(least) or most is not None)
    for name in node.formats:
        if name in _FORMATS:
            plain = _FORMATS[name]().filter(fits)
            pictures = [text for text in picture_texts()["data-uri"] if fits(text)] if name in {"uri", "url"} else []
            return st.one_of(plain, choice(pictures)) if pictures else plain
    if node.known_values:
        known = [text for text in _in_any_case(node.known_values) if fits(text)]
        return _free(least, most, known) if known else _free(least, most)
    long = _long(least, most)
    usual = _free(least, most, [text for text in likely if fits(text)])
    return usual if long is None else st.integers(0, 9).flatmap(lambda die: long if die == 9 else usual)


def _patterned(pattern: str, fits: Callable[[str], bool], *, is_checked: bool) -> st.SearchStrategy[str] | None:
    pools = [tuple(filter(fits, pool)) for pool in picture_texts().values()]
    pictures = [choice(pool) for pool in pools if pool]
    tells_pictures = not any(matches(pattern, text) for text in ("", "a", "not a picture", "1"))
    if tells_pictures and len(pictures) == len(pools):
        return st.one_of(pictures)
    generated = matching(pattern)
    if generated is not None and is_checked:
        generated = generated.filter(fits)
    if not tells_pictures or not pictures:
        return generated
    return st.one_of(*pictures, generated) if generated is not None else st.one_of(pictures)


def _free(least: int, most: float | None, also: Sequence[str] = ()) -> st.SearchStrategy[str]:
    """Short texts, samples and the given ones, each sort about as often."""
    samples = [text for text in _SAMPLES if least <= len(text) and (most is None or len(text) <= most)]
    longest = least + _SHORT if most is None else min(int(most), least + _SHORT)
    choices = [choice(samples)] if samples else []
    choices.append(st.text(min_size=least, max_size=longest))
    if also:
        choices.append(choice(also))
    return st.one_of(choices)


def _long(least: int, most: float | None) -> st.SearchStrategy[str] | None:
    """Long texts, which drawn character by character would cost more than everything else together."""
    length = LONG if most is None else min(LONG, int(most))
    if length <= least + _SHORT:
        return None
    units = [text for text in _SAMPLES if len(text) > 1]
    return st.tuples(choice(units), st.integers(0, 99)).map(
        lambda drawn: (drawn[0] * (length // len(drawn[0]) + 1))[: max(least, length - drawn[1])]
    )


def _in_any_case(texts: Sequence[str]) -> list[str]:
    cases = (str, str.upper, str.title, str.swapcase)
    return list(dict.fromkeys(case(text) for text in texts for case in cases))


def _plain_urls() -> list[str]:
    return [text for text in picture_texts()["url"] if text.startswith("http")]
