"""Servers that accept, refuse or fail on some values and combinations of values."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.strategies import boundary_cases
from bodydouble_spec import is_array, is_object

from contract_tests.tests.mutants.model import Mutant, MutatedCall, members
from contract_tests.tests.mutants.parts import Condition, breaking

__all__ = ["value_mutants"]

Test = Callable[[Any], bool]

_MODEL, _RATIO, _COUNT, _INPUTS, _PROMPT, _PROVIDER = (
    "model", "aspect_ratio", "num_images", "image_urls", "prompt", "provider",
)  # fmt: skip


def value_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in the outcome of a call with certain values; the properties are those of image editing."""
    usual = boundary_cases(profile.contract, profile.operation)[0].body
    yield from _accepting(profile, usual)
    yield from _breaking_on_invalid()
    yield from _refusing()
    yield from _breaking_on_odd()
    yield from _combined()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _items(value: Any) -> list[Any]:
    return value if is_array(value) else []


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"https?://[^\s/]+|data:image/|[A-Za-z0-9+/]{20}", value) is not None


def _accepting(profile: OperationProfile, usual: Mapping[str, Any]) -> Iterator[Mutant]:
    model, ratios = usual[_MODEL], list(profile.sizes)
    cases: tuple[tuple[str, str, str, Test], ...] = (
        ("count-zero", "0 pictures are accepted", _COUNT, lambda v: _is_number(v) and v == 0),
        ("count-negative", "a negative number is accepted", _COUNT, lambda v: _is_number(v) and v < 0),
        ("count-far-below", "a number far below is accepted", _COUNT, lambda v: _is_number(v) and v < -100),
        ("count-far-above", "a number far above is accepted", _COUNT, lambda v: _is_number(v) and v >= 100),
        ("count-up-to-ten", "up to ten pictures are accepted", _COUNT, lambda v: _is_number(v) and 4 < v <= 10),
        ("count-numeral", "a numeral in quotes is accepted", _COUNT, lambda v: _is_text(v) and v.strip().isdigit()),
        ("count-empty", "an empty text is accepted as a number", _COUNT, lambda v: v == ""),
        ("count-true", "true is accepted as a number", _COUNT, lambda v: v is True),
        ("count-null", "null is accepted as a number", _COUNT, lambda v: v is None),
        ("count-list", "a list is accepted as a number", _COUNT, is_array),
        ("ratio-null", "null is accepted as a ratio", _RATIO, lambda v: v is None),
        ("ratio-empty", "an empty ratio is accepted", _RATIO, lambda v: v == ""),
        ("ratio-blank-around", "blanks around a ratio are ignored", _RATIO, lambda v: _is_text(v) and v != v.strip() and v.strip() in ratios),
        ("ratio-x", "16x9 is accepted", _RATIO, lambda v: _is_text(v) and v.lower().replace("x", ":") in ratios),
        ("ratio-slash", "16/9 is accepted", _RATIO, lambda v: _is_text(v) and v.replace("/", ":") in ratios),
        ("ratio-any-shape", "any two numbers are accepted as a ratio", _RATIO, lambda v: _is_text(v) and re.fullmatch(r"\d+:\d+", v) is not None),
        ("ratio-prefix", "a ratio may have an ending", _RATIO, lambda v: _is_text(v) and v.startswith(tuple(ratios)) and v not in ratios),
        ("ratio-number", "a number is accepted as a ratio", _RATIO, _is_number),
        ("model-case", "the case of the model does not matter", _MODEL, lambda v: _is_text(v) and v.lower() == model),
        ("model-blank-around", "blanks around the model are ignored", _MODEL, lambda v: _is_text(v) and v.strip() == model),
        ("model-short", "the model without its vendor is accepted", _MODEL, lambda v: v == model.partition("/")[2]),
        ("model-empty", "an empty model is accepted", _MODEL, lambda v: v == ""),
        ("model-null", "null is accepted as a model", _MODEL, lambda v: v is None),
        ("model-beginning", "the beginning of the model is enough", _MODEL, lambda v: _is_text(v) and 3 < len(v) < len(model) and model.startswith(v)),
        ("model-longer", "the model may have an ending", _MODEL, lambda v: _is_text(v) and v.startswith(model)),
        ("prompt-null", "null is accepted as a prompt", _PROMPT, lambda v: v is None),
        ("prompt-number", "a number is accepted as a prompt", _PROMPT, _is_number),
        ("prompt-list", "a list is accepted as a prompt", _PROMPT, is_array),
        ("inputs-text", "one URL instead of a list is accepted", _INPUTS, _is_text),
        ("inputs-null", "null is accepted as inputs", _INPUTS, lambda v: v is None),
        ("inputs-first-only", "only the first input is looked at", _INPUTS, lambda v: _is_url(next(iter(_items(v)), None))),
        ("inputs-last-only", "only the last input is looked at", _INPUTS, lambda v: _is_url(next(iter(_items(v)[-1:]), None))),
        ("inputs-ends-only", "inputs between the ends are not looked at", _INPUTS, lambda v: len(_items(v)) > 2 and _is_url(v[0]) and _is_url(v[-1])),
        ("inputs-null-item", "null is accepted as an input", _INPUTS, lambda v: None in _items(v)),
        ("inputs-empty-item", "an empty text is accepted as an input", _INPUTS, lambda v: "" in _items(v)),
        ("inputs-object", "an object is accepted as an input", _INPUTS, lambda v: any(map(is_object, _items(v)))),
        ("inputs-words", "words are accepted as an input", _INPUTS, lambda v: any(_is_text(one) and " " in one.strip() for one in _items(v))),
        ("provider-null", "null is accepted as a provider", _PROVIDER, lambda v: v is None),
        ("provider-number", "a number is accepted as a provider", _PROVIDER, _is_number),
        ("provider-list", "a list of providers is accepted", _PROVIDER, is_array),
    )  # fmt: skip
    for name, claim, prop, test in cases:
        yield Mutant(f"accepts-{name}", claim, "invalid-refused", accepts=_forgiving(profile, usual, prop, test))
    yield Mutant("accepts-two-faults", "two faults are accepted", "invalid-refused", accepts=_has_faults(profile, 2))


def _forgiving(profile: OperationProfile, usual: Mapping[str, Any], name: str, test: Test) -> Condition:
    """Return the condition that a call would be valid with another value of a property, which passes a test."""

    def concerns(call: MutatedCall) -> bool:
        body = members(call)
        is_wrong = name in body and test(body[name]) and bool(profile.operation.validate_request(body))
        return call.is_known and is_wrong and not profile.operation.validate_request({**body, name: usual[name]})

    return concerns


def _has_faults(profile: OperationProfile, count: int) -> Condition:
    """Return the condition that so many properties, or more, have faults."""

    def concerns(call: MutatedCall) -> bool:
        found = profile.operation.validate_request(call.parsed) if call.asks_validly else []
        return len({finding.pointer.split("/")[1] for finding in found if finding.pointer}) >= count

    return concerns


def _value(name: str, test: Test) -> Condition:
    return lambda call: call.is_known and name in members(call) and test(members(call)[name])


def _breaking_on_invalid() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, str, Test], ...] = (
        ("null-prompt", "a prompt of null gives 500", _PROMPT, lambda v: v is None),
        ("object-prompt", "an object as prompt gives 500", _PROMPT, is_object),
        ("zero", "0 pictures give 500", _COUNT, lambda v: _is_number(v) and v == 0),
        ("huge-count", "an enormous number of pictures gives 500", _COUNT, lambda v: _is_number(v) and v > 1e6),
        ("negative-count", "a negative number far below gives 500", _COUNT, lambda v: _is_number(v) and v < -100),
        ("text-count", "words for a number give 500", _COUNT, lambda v: _is_text(v) and not v.strip().isdigit()),
        ("empty-ratio", "an empty ratio gives 500", _RATIO, lambda v: v == ""),
        ("odd-ratio", "a ratio without a colon gives 500", _RATIO, lambda v: _is_text(v) and ":" not in v),
        ("null-model", "a model of null gives 500", _MODEL, lambda v: v is None),
        ("unknown-model", "an unknown model gives 500", _MODEL, lambda v: _is_text(v) and v != "google/gemini-2.5-flash-image-edit"),
        ("null-item", "an input of null gives 500", _INPUTS, lambda v: None in _items(v)),
        ("middle-item", "a wrong input in the middle gives 500", _INPUTS, lambda v: len(_items(v)) > 2 and not all(map(_is_url, v[1:-1]))),
        ("nested-list", "a list as an input gives 500", _INPUTS, lambda v: any(map(is_array, _items(v)))),
        ("object-inputs", "an object as inputs gives 500", _INPUTS, is_object),
        ("provider-object", "an object as provider gives 500", _PROVIDER, is_object),
    )  # fmt: skip
    for name, claim, prop, test in cases:
        yield breaking(f"breaks-on-{name}", claim, "invalid-refused", _value(prop, test))
    yield breaking("breaks-on-list-body", "a list as body gives 500", "invalid-refused", lambda c: is_array(c.parsed))


def _refusing() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, str, Test], ...] = (
        ("two-images", "2 pictures are refused", _COUNT, lambda v: v == 2),
        ("three-images", "3 pictures are refused", _COUNT, lambda v: v == 3),
        ("square", "the default ratio is refused", _RATIO, lambda v: v == "1:1"),
        ("portrait", "upright pictures are refused", _RATIO, lambda v: v in {"9:16", "2:3", "3:4", "4:5"}),
        ("line-break", "a prompt of two lines is refused", _PROMPT, lambda v: _is_text(v) and "\n" in v),
        ("quote", "a prompt with quotes is refused", _PROMPT, lambda v: _is_text(v) and '"' in v),
        ("letter", "a prompt of one letter is refused", _PROMPT, lambda v: _is_text(v) and len(v) == 1),
        ("han", "a Chinese prompt is refused", _PROMPT, lambda v: _is_text(v) and re.search("[\u4e00-\u9fff]", v) is not None),
        ("long", "a prompt of more than 500 characters is refused", _PROMPT, lambda v: _is_text(v) and 500 < len(v) <= 1000),
        ("jpeg", "a JPEG as input is refused", _INPUTS, lambda v: any(_is_text(one) and one.startswith("data:image/jpeg") for one in _items(v))),
        ("webp", "a WebP as input is refused", _INPUTS, lambda v: any(_is_text(one) and one.startswith("data:image/webp") for one in _items(v))),
        ("three-inputs", "a third input is refused", _INPUTS, lambda v: len(_items(v)) == 3 and all(map(_is_url, v))),
        ("url-query", "a URL with a query is refused", _INPUTS, lambda v: any(_is_text(one) and one.startswith("http") and "?" in one for one in _items(v))),
    )  # fmt: skip
    for name, claim, prop, test in cases:
        yield breaking(f"refuses-{name}", claim, "valid-accepted", _value(prop, test), 400)


def _breaking_on_odd() -> Iterator[Mutant]:
    valid, odd = "valid-accepted", "odd-request-survived"
    cases: tuple[tuple[str, str, str, Test], ...] = (
        ("percent", "a percent sign gives 500", valid, lambda v: "%" in v),
        ("braces", "braces give 500", valid, lambda v: "{" in v),
        ("tag", "a tag gives 500", valid, lambda v: "<" in v),
        ("backslash", "a backslash gives 500", valid, lambda v: "\\" in v),
        ("apostrophe", "an apostrophe gives 500", valid, lambda v: "'" in v),
        ("accent", "an accent gives 500", valid, lambda v: re.search("[\u00c0-\u024f]", v) is not None),
        ("tab", "a tab gives 500", valid, lambda v: "\t" in v),
        ("emoji", "an emoji gives 500", valid, lambda v: any(ord(letter) > 0xFFFF for letter in v)),
        ("joiner", "joined emoji give 500", valid, lambda v: "\u200d" in v),
        ("arabic", "Arabic gives 500", valid, lambda v: re.search("[\u0600-\u06ff]", v) is not None),
        ("blank", "a blank prompt gives 500", odd, lambda v: bool(v) and not v.strip()),
        ("very-long", "more than 10,000 characters give 500", odd, lambda v: len(v) > 10_000),
    )  # fmt: skip
    for name, claim, check, test in cases:
        yield breaking(f"breaks-on-{name}", claim, check, _value(_PROMPT, _text_with(test)))


def _text_with(test: Test) -> Test:
    return lambda value: _is_text(value) and test(value)


def _combined() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, Mapping[str, Test]], ...] = (
        ("wide-four", "four pictures of 21:9 give 500", {_RATIO: lambda v: v == "21:9", _COUNT: lambda v: v == 4}),
        ("upright-two", "two pictures of 9:16 give 500", {_RATIO: lambda v: v == "9:16", _COUNT: lambda v: v == 2}),
        ("google-wide", "google cannot do 16:9", {_PROVIDER: lambda v: _is_text(v) and v.lower() == "google", _RATIO: lambda v: v == "16:9"}),
        ("fal-three", "fal cannot do three pictures", {_PROVIDER: lambda v: _is_text(v) and v.lower() == "fal", _COUNT: lambda v: v == 3}),
        ("two-in-two-out", "two inputs and two pictures give 500", {_INPUTS: lambda v: len(_items(v)) == 2, _COUNT: lambda v: v == 2}),
        ("url-tall", "input by URL cannot be 4:5", {_INPUTS: lambda v: any(_is_text(one) and one.startswith("http") for one in _items(v)), _RATIO: lambda v: v == "4:5"}),
        ("provider-two-inputs", "fal takes one input", {_PROVIDER: lambda v: _is_text(v) and v.lower() == "fal", _INPUTS: lambda v: len(_items(v)) == 2}),
    )  # fmt: skip
    for name, claim, tests in cases:
        yield breaking(f"combined-{name}", claim, "valid-accepted", _all(tests))


def _all(tests: Mapping[str, Test]) -> Condition:
    return lambda call: (
        call.is_known and all(name in members(call) and test(members(call)[name]) for name, test in tests.items())
    )
