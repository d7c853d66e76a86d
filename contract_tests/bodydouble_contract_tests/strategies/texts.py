"""Strategies for texts: what people type, and what breaks programs that handle it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Generic, TypeVar

from bodydouble_spec.schema import SchemaView
from hypothesis import strategies as st

from bodydouble_contract_tests.schema import (
    MOST_DRAWN,
    matches,
    matching,
    picture_texts,
    satisfying,
    satisfying_any,
    simplest_match,
    text_of_length,
)

__all__ = ["LONG", "choice", "texts", "with_short_repr"]

T = TypeVar("T")


class _ByIndex(Generic[T]):
    """Return a value by its index."""

    def __init__(self, values: Sequence[T]) -> None:
        self._values = values

    def __call__(self, number: int) -> T:
        return self._values[number]

    def __repr__(self) -> str:
        return f"<one of {len(self._values)} values>"


def choice(values: Sequence[T]) -> st.SearchStrategy[T]:
    """Return a strategy for one of the values. It shrinks to the first."""
    return st.sampled_from(range(len(values))).map(_ByIndex(values))


def with_short_repr(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Return the same strategy with a short representation."""

    @st.composite
    def bodies(draw: Callable[[st.SearchStrategy[T]], T]) -> T:
        return draw(strategy)

    return bodies()


LONG = 4000
"""The length of a long text in characters, about; one text in ten is long."""

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
# Drawing long texts by character would take longer than everything else together; they are repeated from these.
_UNITS = tuple(text for text in _SAMPLES if len(text) > 1)
_LONGEST = 10_000_000
# The validator does not check formats, but other tools do, so the values keep them.
_FORMATS: dict[str, Callable[[], st.SearchStrategy[str]]] = {
    "uri": lambda: choice(_http_urls()),
    "url": lambda: choice(_http_urls()),
    "uri-reference": lambda: choice([*_http_urls(), "/a.png", "a"]),
    "date-time": lambda: st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"),
    "date": lambda: st.dates().map(str),
    "email": lambda: st.sampled_from(["a@example.com", "first.last+tag@mail.example.org"]),
    "uuid": lambda: st.uuids().map(str),
    "ipv4": lambda: st.ip_addresses(v=4).map(str),
    "ipv6": lambda: st.ip_addresses(v=6).map(str),
    "hostname": lambda: st.sampled_from(["example.com", "a", "xn--bcher-kva.example"]),
    "byte": lambda: choice(["", "aGk=", *picture_texts()["base64"]]),
}


def texts(view: SchemaView, likely: Sequence[str] = ()) -> st.SearchStrategy[str] | None:
    """Return a strategy for texts with the view's lengths, patterns and format, or None when none can be made.

    A pattern that tells pictures from other texts gets pictures in the three forms of `picture_texts`; any other pattern gets generated texts.
    ``likely`` values are mixed in where any text is allowed.
    """
    least, most = int(view.limits.get("minLength", 0)), view.limits.get("maxLength")

    def fits(text: str) -> bool:
        return (
            least <= len(text)
            and (most is None or len(text) <= most)
            and all(matches(pattern, text) for pattern in view.patterns)
        )

    if least > _LONGEST or (most is not None and most < least):
        return None
    if view.patterns:
        pattern, *others = view.patterns
        is_checked = bool(others) or bool(least) or most is not None
        patterned = _patterned(pattern, fits)
        if not is_checked and patterned is not None:
            return patterned
        simplest = _simplest(view, least, most, fits)
        return _checked(patterned, fits, simplest)
    for name in view.values("format"):
        if name in _FORMATS:
            formatted = _FORMATS[name]()
            if least or most is not None:
                formatted = satisfying_any(formatted, fits, is_simplest=False) or _free(least, most)
            pictures = [text for text in picture_texts()["data-uri"] if fits(text)] if name in {"uri", "url"} else []
            return st.one_of(formatted, choice(pictures)) if pictures else formatted
    if view.known_values:
        known = [text for text in _in_any_case(view.known_values) if fits(text)]
        return _free(least, most, known) if known else _free(least, most)
    long_texts = _long(least, most)
    usual_texts = _free(least, most, [text for text in likely if fits(text)])
    return (
        usual_texts
        if long_texts is None
        else st.integers(0, 9).flatmap(lambda die: long_texts if die == 9 else usual_texts)
    )


def _simplest(view: SchemaView, least: int, most: float | None, fits: Callable[[str], bool]) -> str | None:
    """Return a text with all patterns and the lengths of a view, or None when none is easily found. Pictures come first: a search takes seconds."""
    pictures = (text for pool in picture_texts().values() for text in pool)
    return next((text for text in chain(pictures, _searched(view, least, most)) if fits(text)), None)


def _searched(view: SchemaView, least: int, most: float | None) -> Iterator[str]:
    longest = None if most is None else int(most)
    for pattern in view.patterns:
        made = chain(
            [simplest_match(pattern, least, longest)], (text_of_length(view, least + more) for more in range(4))
        )
        yield from (text for text in made if text is not None)


def _checked(
    strategy: st.SearchStrategy[str] | None, fits: Callable[[str], bool], simplest: str | None
) -> st.SearchStrategy[str] | None:
    """Return the texts that fit, or None when none is known."""
    if simplest is None:
        return None
    return st.just(simplest) if strategy is None else satisfying(strategy, fits, simplest)


def _patterned(pattern: str, fits: Callable[[str], bool]) -> st.SearchStrategy[str] | None:
    pools = [tuple(filter(fits, pool)) for pool in picture_texts().values()]
    pictures = [choice(pool) for pool in pools if pool]
    tells_pictures = not any(matches(pattern, text) for text in ("", "a", "not a picture", "1"))
    if tells_pictures and len(pictures) == len(pools):
        return st.one_of(pictures)
    generated = matching(pattern)
    if not tells_pictures or not pictures:
        return generated
    return st.one_of(*pictures, generated) if generated is not None else st.one_of(pictures)


def _free(least: int, most: float | None, also: Sequence[str] = ()) -> st.SearchStrategy[str]:
    """Return a strategy for short texts, samples and the given ones, each about equally often."""
    if least > MOST_DRAWN:
        return st.tuples(choice(_UNITS), st.integers(0, 99)).map(
            lambda drawn: _repeated(drawn[0], least, drawn[1], most)
        )
    samples = [text for text in _SAMPLES if least <= len(text) and (most is None or len(text) <= most)]
    longest = least + _SHORT if most is None else min(int(most), least + _SHORT)
    choices = [choice(samples)] if samples else []
    choices.append(st.text(min_size=least, max_size=longest))
    if also:
        choices.append(choice(also))
    return st.one_of(choices)


def _long(least: int, most: float | None) -> st.SearchStrategy[str] | None:
    """Return a strategy for long texts, or None where no text may be long."""
    length = LONG if most is None else min(LONG, int(most))
    if length <= least + _SHORT:
        return None
    return st.tuples(choice(_UNITS), st.integers(0, 99)).map(
        lambda drawn: _repeated(drawn[0], max(least, length - drawn[1]))
    )


def _repeated(unit: str, length: int, more: int = 0, most: float | None = None) -> str:
    """Return a text of that length, or of a few more characters where ``most`` allows them."""
    whole = length + more if most is None else min(length + more, int(most))
    return (unit * (whole // len(unit) + 1))[:whole]


def _in_any_case(texts: Sequence[str]) -> list[str]:
    cases = (str, str.upper, str.title, str.swapcase)
    return list(dict.fromkeys(case(text) for text in texts for case in cases))


def _http_urls() -> list[str]:
    return [text for text in picture_texts()["url"] if text.startswith("http")]
