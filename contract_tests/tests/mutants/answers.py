"""Servers with wrong answers and wrong pictures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import orjson
from bodydouble_contract_tests.model import OperationProfile
from bodydouble_mockserver.answer import Violation, violations
from bodydouble_spec import is_array, is_object
from PIL import Image

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall, always, has

__all__ = ["answer_mutants"]

# The violations of the mock that another check finds.
_CHECKS = {
    "fewer-images": "image-count", "unreachable-url": "picture-downloadable", "relative-url": "picture-url-absolute",
    "wrong-aspect-ratio": "picture-pixels",
}  # fmt: skip
_HTML = b"<html><body><h1>Something went wrong</h1></body></html>"


def answer_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in an answer or in a picture."""
    for violation in violations(profile.operation):
        check = _CHECKS.get(violation.id) or _check(profile, violation)
        if violation.id not in _NULLABLE:
            yield Mutant(
                f"violation-{violation.id}",
                f"the answer's violation is {violation.id}",
                check,
                prefers=always(f"violation={violation.id}"),
                needs_socket=violation.id == "unreachable-url",
            )
    yield from _bodies(profile)
    yield from _refusals()
    if profile.has_pictures:
        yield from _picture_mutants(profile)


def _check(profile: OperationProfile, violation: Violation) -> str:
    """Return the check that finds a violation: ``answer-conforms`` where the body breaks its schema, else ``answer-strict``."""
    operation = profile.operation
    response = operation.response(operation.success_status)
    for example in () if response is None else response.examples.values():
        broken = violation.apply(example)
        if not operation.validate_response(operation.success_status, "application/json", example, strict=False):
            nonstrict = operation.validate_response(operation.success_status, "application/json", broken, strict=False)
            return "answer-conforms" if nonstrict else "answer-strict"
    return "answer-strict"


# Null or absence of one of two nullable siblings is not a deviation, or one for information only.
_NULLABLE = {"null-data.b64_json", "missing-data.b64_json", "empty-data.b64_json"}


def _bodies(profile: OperationProfile) -> Iterator[Mutant]:
    yield _on_success("body-empty-object", "a success is {}", "answer-strict", lambda _call, _body: {})
    yield _on_success("body-array", "a success is a list", "answer-conforms", lambda _call, body: [body])
    if profile.has_pictures:
        yield _on_success(
            "images-for-data", "the list is called images", "answer-strict", lambda _call, body: _lists_renamed(body)
        )
        yield _on_success(
            "item-without-picture", "an item is {}", "answer-strict", lambda _call, body: _emptied_items(body)
        )
        yield _on_success(
            "one-image-more", "one picture too many", "image-count", lambda _call, body: _resized(body, 1)
        )
        yield _on_success(
            "always-one-image", "one picture, whatever was asked", "image-count", lambda _call, body: _first(body)
        )
    if profile.states_cost:
        for name, value in {"zero": 0, "negative": -84000}.items():
            yield _on_success(f"credits-{name}", f"credits are {name}", "credits-positive", _cost_is(value))
        yield _on_success("credits-double", "a call costs twice the price", "charge-as-documented", _times(2))
        yield _on_success(
            "credits-flat", "a call costs the same, however many pictures", "credits-proportional", _cost_is(84000)
        )
    yield _raw(
        "refusal-as-success",
        "a failure comes with a success status",
        "answer-strict",
        lambda reply: replace(reply, body=b'{"status":500,"message":"The picture could not be made"}'),
    )
    yield _raw("status-201", "a success is 201", "valid-accepted", lambda reply: replace(reply, status=201))
    yield _raw(
        "type-html",
        "a success is sent as HTML",
        "answer-media-type",
        lambda reply: reply.with_header("content-type", "text/html"),
    )


def _refusals() -> Iterator[Mutant]:
    def change(name: str, claim: str, make: Callable[[MutantReply], MutantReply]) -> Mutant:
        return Mutant(
            f"refusal-{name}",
            claim,
            "refusal-envelope",
            answers=lambda _call, reply: make(reply) if reply.status == 400 else reply,
        )

    yield change(
        "html",
        "a refusal is an HTML page",
        lambda r: replace(r, body=_HTML, headers={**r.headers, "content-type": "text/html"}),
    )
    yield change(
        "text",
        "a refusal is plain text",
        lambda r: replace(r, body=b"no", headers={**r.headers, "content-type": "text/plain"}),
    )
    yield change("empty-object", "a refusal is {}", lambda r: replace(r, body=b"{}"))
    yield change("without-error", "a refusal lacks error", lambda r: replace(r, body=_without(r.body, "error")))
    yield Mutant(
        "refusal-without-key-html",
        "a 401 is an HTML page",
        "refusal-envelope",
        answers=lambda _call, reply: (
            replace(reply, body=_HTML).with_header("content-type", "text/html") if reply.status == 401 else reply
        ),
    )
    yield change(
        "status-text", "status is a text in a refusal", lambda r: replace(r, body=_put(r.body, "status", "400"))
    )


def _on_success(name: str, claim: str, check: str, make: Callable[[MutatedCall, Any], Any]) -> Mutant:
    def answers(call: MutatedCall, reply: MutantReply) -> MutantReply:
        return replace(reply, body=orjson.dumps(make(call, orjson.loads(reply.body)))) if reply.status == 200 else reply

    return Mutant(name, claim, check, answers=answers)


def _raw(name: str, claim: str, check: str, make: Callable[[MutantReply], MutantReply]) -> Mutant:
    return Mutant(name, claim, check, answers=lambda _call, reply: make(reply) if reply.status == 200 else reply)


def _cost_is(value: float) -> Callable[[MutatedCall, Any], Any]:
    return lambda _call, body: _numbers(body, lambda _old: value)


def _times(factor: float) -> Callable[[MutatedCall, Any], Any]:
    return lambda _call, body: _numbers(body, lambda old: old * factor)


def _numbers(body: Any, change: Callable[[float], float]) -> Any:
    """Return the body with every number changed: the numbers of a success are its cost."""
    if is_object(body):
        return {name: _numbers(value, change) for name, value in body.items()}
    if is_array(body):
        return [_numbers(item, change) for item in body]
    return change(body) if isinstance(body, int | float) and not isinstance(body, bool) else body


def _resized(body: Any, more: int) -> Any:
    return {name: [*value, *value[:more]] if is_array(value) else value for name, value in body.items()}


def _first(body: Any) -> Any:
    return {name: value[:1] if is_array(value) else value for name, value in body.items()}


def _lists_renamed(body: Any) -> Any:
    return {"images" if is_array(value) else name: value for name, value in body.items()}


def _emptied_items(body: Any) -> Any:
    return {name: [dict[str, Any]() for _ in value] if is_array(value) else value for name, value in body.items()}


def _without(body: bytes, name: str) -> bytes:
    return orjson.dumps({key: value for key, value in orjson.loads(body).items() if key != name})


def _put(body: bytes, name: str, value: Any) -> bytes:
    return orjson.dumps({**orjson.loads(body), name: value})


def _picture_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in a picture, for an operation with pictures."""
    yield from _delivered()
    if profile.sizes:
        yield _on_picture("half-size", "pictures have half of the pixels each way", "picture-pixels", _half)
        yield _on_picture("column-missing", "pictures lack their last column", "picture-pixels", _narrower)
    if profile.names.ratio is not None:
        for ratio in list(profile.sizes)[-2:]:
            yield _misshapen(ratio, has(profile.names.ratio, ratio))


def _delivered() -> Iterator[Mutant]:
    gone = "picture-downloadable"
    yield _on_picture("gone", "pictures are gone", gone, lambda r: replace(r, status=404))
    yield _on_picture("broken-server", "pictures give 500", gone, lambda r: replace(r, status=500))
    yield Mutant("picture-needs-key", "pictures need the key", gone, pictures=_locked)
    unread = "picture-decodable"
    yield _on_picture("page", "an HTML page for a picture", unread, lambda r: replace(r, body=_HTML))
    yield _on_picture(
        "honest-page",
        "an HTML page for a picture, sent as HTML",
        unread,
        lambda r: replace(r, body=_HTML, headers={"content-type": "text/html"}),
    )
    yield _on_picture("cut", "pictures are cut off", unread, lambda r: replace(r, body=r.body[: len(r.body) // 2]))
    yield _on_picture("empty", "pictures are empty", unread, lambda r: replace(r, body=b""))
    yield _on_picture(
        "type", "a PNG is sent as JPEG", "picture-media-type", lambda r: r.with_header("content-type", "image/jpeg")
    )


def _misshapen(ratio: str, concerns: Callable[[MutatedCall], bool]) -> Mutant:
    return Mutant(
        f"picture-wrong-for-{ratio}",
        f"only pictures of {ratio} have another shape",
        "picture-pixels",
        prefers=lambda call: "violation=wrong-aspect-ratio" if concerns(call) else None,
    )


def _on_picture(name: str, claim: str, check: str, make: Callable[[MutantReply], MutantReply]) -> Mutant:
    return Mutant(
        f"picture-{name}", claim, check, pictures=lambda _call, reply: make(reply) if reply.status == 200 else reply
    )


def _locked(call: MutatedCall, reply: MutantReply) -> MutantReply:
    return reply if call.is_known else replace(reply, status=401)


def _half(reply: MutantReply) -> MutantReply:
    return _redrawn(reply, lambda picture: picture.reduce(2))


def _narrower(reply: MutantReply) -> MutantReply:
    return _redrawn(reply, lambda picture: picture.crop((0, 0, picture.width - 1, picture.height)))


def _redrawn(reply: MutantReply, change: Callable[[Image.Image], Image.Image]) -> MutantReply:
    file = BytesIO()
    with Image.open(BytesIO(reply.body)) as picture:
        change(picture).save(file, "png")
    return replace(reply, body=file.getvalue())
