"""Parsing of ``Prefer`` (RFC 7240), without I/O."""

from typing import Any

import pytest
from bodydouble_mockserver.directives import (
    DIRECTIVE_NAMES,
    DirectiveChoices,
    Directives,
    parse_prefer,
    unread_preferences,
)
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.settings import Images
from hypothesis import example, given, settings
from hypothesis import strategies as st

CHOICES = DirectiveChoices(dialects=("documented", "quick-example"), violations=("missing-data",))


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        ("code=429", "code", 429),
        ("delay=2", "delay", (2.0, 2.0)),
        ("delay=.5..1.25", "delay", (0.5, 1.25)),
        ("dialect=quick-example", "dialect", "quick-example"),
        ("envelope=legacy", "envelope", "legacy"),
        ("retry-after=7", "retry_after", 7),
        ("images=b64_json", "images", Images.B64_JSON),
        ("violation=missing-data", "violation", "missing-data"),
        ("fault=hang", "fault", "hang"),
    ],
)
def test_each_directive_is_parsed(asked: str, field: str, value: Any) -> None:
    assert parse_prefer([asked.encode()], CHOICES).given() == {field: value}


@pytest.mark.parametrize(
    "written",
    [
        "code=429",
        "CODE=429",
        'code="429"',
        r'code="4\29"',
        " \t code \t=\t 429 \t",
        "code=429;a=b",
        'code="429" ; a="x, code=500" ; b',
        "wait=10, code=429, respond-async",
        'other="code=500, \\" code=501", code=429',
        ',, ,code=429,"',
        "code=429, code=500",
        "code=429, Code=500",
        "code=429, code=nonsense",
        "=500, co de=500, code=429",
    ],
)
def test_every_spelling_of_rfc_7240_is_equivalent(written: str) -> None:
    assert parse_prefer([written.encode()], CHOICES) == Directives(code=429)


def test_several_headers_are_read_as_one_list() -> None:
    assert parse_prefer([b"code=429", b"delay=1, code=500", b"foo"], CHOICES) == Directives(code=429, delay=(1, 1))


@st.composite
def _written(draw: st.DrawFn) -> tuple[list[bytes], dict[str, str]]:
    """Prefer headers in random spellings, and the first value of each preference in them."""
    token = st.text("abcXYZ019.-_", min_size=1, max_size=8)
    space = st.text(" \t", max_size=3)
    first: dict[str, str] = {}
    headers: list[bytes] = []
    for _ in range(draw(st.integers(0, 3))):
        parts: list[str] = []
        for _ in range(draw(st.integers(0, 4))):
            name, value = draw(st.sampled_from(["violation", "Violation", "VIOLATION", "dialect"]) | token), draw(token)
            first.setdefault(name.lower(), value)
            quoted = "".join(f"\\{letter}" if draw(st.booleans()) else letter for letter in value)
            shown = draw(st.sampled_from([value, f'"{quoted}"']))
            parameters = draw(st.sampled_from(["", ";", "; a=b", ';a="x, violation=y; \\" z"', " ; a ; b=c"]))
            parts.append(f"{draw(space)}{name}{draw(space)}={draw(space)}{shown}{parameters}{draw(space)}")
        headers.append(",".join(parts).encode())
    return headers, {name: value for name, value in first.items() if name in {"violation", "dialect"}}


class _Anything(tuple[str, ...]):
    __slots__ = ()

    def __contains__(self, _name: object) -> bool:
        return True


@settings(max_examples=200, deadline=None)
@given(_written())
def test_the_first_of_each_preference_counts_however_it_is_written(
    written: tuple[list[bytes], dict[str, str]],
) -> None:
    headers, wanted = written
    assert parse_prefer(headers, DirectiveChoices(_Anything(), _Anything())).given() == wanted


_FRAGMENTS = st.sampled_from(
    [
        *(name.encode() for name in DIRECTIVE_NAMES if name != "delay"),
        *(name.encode() for name in FAULTS),
        *(b"=", b",", b";", b'"', b"\\", b" ", b"429", b"204", b"legacy", b"quick-example", b"missing-data", b"both"),
    ]
)
_HEADERS = st.lists(_FRAGMENTS, max_size=14).map(b"".join) | st.binary(max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(_HEADERS, max_size=3))
@example([b"delay=" + b"9" * 5000])
@example([b"code=\xb2\xb3\xb9", b'"', b"\\", b'="', b"code=" + b"4" * 5000])
def test_any_bytes_are_parsed_or_told(values: list[bytes]) -> None:
    applied = parse_prefer(values, CHOICES).given()
    told = unread_preferences(values, CHOICES, "POST /x")
    assert all(found.id == "prefer-not-understood" for found in told)
    assert applied.keys() <= {name.replace("-", "_") for name in DIRECTIVE_NAMES}


@pytest.mark.parametrize(
    "long",
    ["a" + " " * 60_000 + "b", "a=" + " " * 60_000 + '"', '"\\' * 30_000, 'a="' * 20_000, "a;" * 30_000, "=" * 60_000],
    ids=["spaces", "spaces before a quote", "escapes", "open quotes", "parameters", "equals signs"],
)
def test_parsing_a_long_header_takes_linear_time(long: str) -> None:
    # With backtracking, each of these would take minutes to days.
    assert parse_prefer([long.encode(), b"code=429"], CHOICES) == Directives(code=429)
