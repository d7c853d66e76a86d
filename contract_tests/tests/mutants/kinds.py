"""Servers of kinds that the checks did not know: written, tried and missed before there was a check for them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_spec import is_object

from contract_tests.tests.mutants.model import Mutant, MutatedCall, members
from contract_tests.tests.mutants.parts import Condition, breaking

__all__ = ["kind_mutants"]


def kind_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants; the properties are those of image editing."""
    yield from _empty_values(profile)
    valid, tolerated = "valid-accepted", "unknown-key-tolerated"
    yield breaking(
        "refuses-scheme-small", "the scheme bearer in small letters is refused", valid, _scheme_in_small, 401
    )
    yield breaking("refuses-link", "a URL in a prompt is refused", valid, _prompt(lambda text: "://" in text), 400)
    yield breaking("breaks-on-hash", "a number sign in a prompt gives 500", valid, _prompt(lambda text: "#" in text))
    yield replace(breaking("breaks-on-fal-upright", "fal at 9:16 gives 500", valid, _fal_upright), needs_all=True)
    for name in ("n", "response_format"):
        yield breaking(f"refuses-key-{name}", f"the key {name} is refused", tolerated, _has_key(name), 400)
    yield breaking("breaks-on-latin", "the charset of Latin gives 500", "odd-request-survived", _charset)
    yield Mutant(
        "picture-untyped",
        "pictures have no media type",
        "picture-media-type",
        pictures=lambda _call, reply: replace(
            reply, headers={name: value for name, value in reply.headers.items() if name != "content-type"}
        ),
    )


def _empty_values(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield servers that take a value of another type for none, as `if not value` does."""
    for name in ("num_images", "aspect_ratio", "provider"):
        claim = f"false is accepted as {name}"
        yield Mutant(f"accepts-false-{name}", claim, "invalid-refused", accepts=_only_fault(profile, name, False))


def _only_fault(profile: OperationProfile, name: str, value: Any) -> Condition:
    def concerns(call: MutatedCall) -> bool:
        body = members(call)
        if not call.is_known or name not in body or body[name] is not value:
            return False
        return {fault.pointer for fault in profile.operation.validate_request(body)} == {f"/{name}"}

    return concerns


def _prompt(test: Callable[[str], bool]) -> Condition:
    return lambda call: call.asks_validly and test(str(members(call).get("prompt")))


def _scheme_in_small(call: MutatedCall) -> bool:
    return call.headers.get("authorization", "").startswith("bearer ")


def _fal_upright(call: MutatedCall) -> bool:
    body = members(call)
    return call.asks_validly and (body.get("provider"), body.get("aspect_ratio")) == ("fal", "9:16")


def _has_key(name: str) -> Condition:
    return lambda call: call.asks_validly and is_object(call.parsed) and name in call.parsed


def _charset(call: MutatedCall) -> bool:
    return "8859" in call.headers.get("content-type", "")
