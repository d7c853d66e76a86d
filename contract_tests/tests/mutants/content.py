"""Servers whose pictures are damaged, whose answers contradict the price, or that change their mind."""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO

from bodydouble_spec import is_array, is_object
from PIL import Image

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall, members
from contract_tests.tests.mutants.parts import Change, answering, breaking, in_body, made, put

__all__ = ["content_mutants"]


def content_mutants() -> Iterator[Mutant]:
    """Yield the mutants that show in pictures, in the cost of a call, and in the order of calls."""
    yield from _pictures()
    yield from _lists()
    yield from _costs()
    yield from _state()


def _pictures() -> Iterator[Mutant]:
    whole = "picture-whole"
    yield _picture("checksum", "the checksum of a PNG's pixels is wrong", whole, _with_wrong_checksum(b"IDAT"))
    yield _picture("checksum-header", "the checksum of a PNG's end is wrong", whole, _with_wrong_checksum(b"IEND"))
    yield _picture("no-end", "a PNG has no end", whole, lambda r: replace(r, body=r.body[: r.body.rfind(b"IEND") - 4]))
    yield _picture("jpeg-no-end", "a JPEG has no end", whole, lambda r: _as("JPEG", r, cut=2))
    yield _picture("gif-no-end", "a GIF has no end", whole, lambda r: _as("GIF", r, cut=1))
    yield _picture("webp-long", "a WebP is shorter than it says", whole, lambda r: _as("WEBP", r, longer=64))


def _picture(name: str, claim: str, check: str, change: Change) -> Mutant:
    return Mutant(
        f"picture-{name}", claim, check, pictures=lambda _call, reply: change(reply) if reply.status == 200 else reply
    )


def _with_wrong_checksum(kind: bytes) -> Change:
    def change(reply: MutantReply) -> MutantReply:
        at = reply.body.rfind(kind)
        (length,) = struct.unpack(">I", reply.body[at - 4 : at])
        end = at + 4 + length
        wrong = zlib.crc32(reply.body[at:end]) ^ 1
        return replace(reply, body=reply.body[:end] + struct.pack(">I", wrong) + reply.body[end + 4 :])

    return change


def _as(form: str, reply: MutantReply, *, cut: int = 0, longer: int = 0) -> MutantReply:
    file = BytesIO()
    with Image.open(BytesIO(reply.body)) as picture:
        picture.convert("RGB").save(file, form)
    data = file.getvalue()
    data = data[: len(data) - cut]
    if longer:
        data = data[:4] + struct.pack("<I", len(data) - 8 + longer) + data[8:]
    return replace(reply, body=data).with_header("content-type", f"image/{form.lower()}")


def _lists() -> Iterator[Mutant]:
    distinct = "picture-distinct"
    yield answering("urls-one", "every picture of an answer has one URL", distinct, in_body(_repeated), 200)
    yield answering("url-base", "a URL has no path", "picture-downloadable", made("/data/*/url", _origin), 200)
    yield answering(
        "url-blank", "a URL ends with a blank", "picture-url-absolute", made("/data/*/url", lambda old: f"{old} "), 200
    )
    yield answering(
        "base64-line-breaks", "Base64 has line breaks", "picture-decodable", put("/data/*/b64_json", "aGVs\nbG8="), 200
    )
    yield answering(
        "base64-other", "Base64 is no picture", "picture-decodable", put("/data/*/b64_json", "aGVsbG8="), 200
    )


def _repeated(body: object) -> object:
    if not is_object(body):
        return body
    return {name: [value[0]] * len(value) if is_array(value) and value else value for name, value in body.items()}


def _origin(url: object) -> str:
    return "/".join(str(url).split("/")[:3])


def _costs() -> Iterator[Mutant]:
    used = "/meta/usage/credits_used"
    yield answering("price-less", "a call costs half of the price", "charge-as-documented", _cost_times(0.5), 200)
    yield answering("price-tenth-more", "a call costs a tenth more", "charge-as-documented", _cost_times(1.1), 200)
    yield answering("price-one", "a call costs one credit", "charge-as-documented", put(used, 1), 200)
    yield answering(
        "body-only",
        "the body has other credits than the header",
        "cost-consistent",
        made(used, lambda old: old + 1),
        200,
    )
    yield answering(
        "usd-in-body",
        "dollars in the body are not those of the header",
        "cost-consistent",
        put("/meta/usage/usd_spent", 0.5),
        200,
    )


def _cost_times(factor: float) -> Change:
    """Return a change of the cost, in the body and in both headers alike."""

    def change(reply: MutantReply) -> MutantReply:
        changed = made("/meta/usage/credits_used", lambda old: old * factor)(reply)
        for name, digits in (("x-aimlapi-credits-used", 0), ("x-aimlapi-usd-spent", 9)):
            if name in reply.headers:
                changed = changed.with_header(name, f"{float(reply.headers[name]) * factor:.{digits}f}")
        return changed

    return change


def _state() -> Iterator[Mutant]:
    valid, steady = "valid-accepted", "answers-steadily"
    yield Mutant(
        "second-equal",
        "an equal call is answered with the list empty",
        "answer-strict",
        needs_all=True,
        answers=_on_repetition(put("/data", [])),
    )
    yield replace(
        breaking(
            "after-refusal",
            "a call after a refusal gives 500",
            valid,
            lambda c: c.asks_validly and bool(c.refused) and _is_plain(c),
        ),
        needs_all=True,
    )
    yield breaking(
        "second-success", "only the first call succeeds", valid, lambda c: c.asks_validly and c.succeeded > 0
    )
    yield breaking("every-seventh", "every seventh call gives 503", steady, lambda c: c.number % 7 == 0, 503)
    yield breaking("conflict", "every fifth call gives 409", steady, lambda c: c.number % 5 == 0, 409)
    yield breaking("redirect", "every call is redirected", valid, lambda c: c.method == "POST", 302)
    yield breaking("accepted-job", "a call gives 202 and a job", valid, lambda c: c.asks_validly, 202)


def _is_plain(call: MutatedCall) -> bool:
    return len(members(call)) <= 4


def _on_repetition(change: Change) -> Callable[[MutatedCall, MutantReply], MutantReply]:
    last: list[bytes] = []

    def answers(call: MutatedCall, reply: MutantReply) -> MutantReply:
        if reply.status != 200 or call.method != "POST":
            return reply
        is_same = last[-1:] == [call.raw]
        last[:] = [call.raw]
        return change(reply) if is_same else reply

    return answers
