"""The catalogue of checks: each claim about a server, its evidence, and the price of proving it."""

from collections.abc import Iterator

from bodydouble_spec import Evidence

from bodydouble_contract_tests.model.cases import Check
from bodydouble_contract_tests.model.profile import OperationProfile

__all__ = ["catalogue"]

_NO_KEY = 401

_HTTP = "the HTTP standard (RFC 9110), on which the contract is based"
_SECRETS = "a key is a secret: what is shown, logged or shared must not hold it (RFC 6750, section 5)"
_PICTURE_FORMATS = "the standards of the formats: PNG (W3C), JPEG (ITU-T T.81), GIF89a, RIFF"
_DISTINCT = "the published contract: one item for each picture, and a URL names one resource (RFC 3986)"
_JSON = "JSON (RFC 8259) and the published contract, which accepts nothing else"
_OPENAPI_CORE = "openapi-core, reading the same contract"


def catalogue(profile: OperationProfile) -> tuple[Check, ...]:
    """Return every check that applies to the operation, in the order of the report."""
    return (
        *_of_requests(profile),
        *_of_answers(profile),
        *_of_headers(profile),
        *(_of_pictures(profile) if profile.has_pictures else ()),
        *_of_price(profile),
        *_of_refusals(profile),
        *_of_behaviour(),
    )


def _of_requests(profile: OperationProfile) -> Iterator[Check]:
    images = int(profile.has_pictures)
    status = profile.operation.success_status
    if profile.operation.request is not None:
        body = ("requestBody",)
        yield Check(
            "valid-accepted",
            f"A valid request is answered with {status}.",
            profile.evidence(*body),
            profile.source(*body),
            images,
        )
        yield Check(
            "unknown-key-tolerated",
            "A property that is not in the contract is tolerated.",
            Evidence.INFERRED,
            "observed on a neighbouring model",
            images,
        )
        yield Check(
            "odd-request-survived",
            "A valid request whose outcome is not specified gets no 5xx.",
            Evidence.DOCUMENTED,
            _HTTP,
            images,
        )
    else:
        yield Check(
            "valid-accepted",
            f"A request is answered with {status}.",
            profile.evidence(),
            profile.source(),
            images,
        )


def _of_answers(profile: OperationProfile) -> Iterator[Check]:
    success = ("responses", str(profile.operation.success_status), "content")
    evidence, source = profile.evidence(*success), profile.source(*success)
    images = int(profile.has_pictures)
    yield Check("answer-media-type", "An answer has a documented media type.", evidence, source, images)
    yield Check("answer-conforms", "An answer conforms to its schema.", evidence, source, images)
    yield Check(
        "answer-strict",
        "An answer has every documented property, no undocumented one, and no empty value where content is needed.",
        evidence,
        source,
        images,
    )
    yield Check(
        "answer-second-opinion",
        "A second validator agrees with the verdict on an answer.",
        Evidence.ASSUMED,
        _OPENAPI_CORE,
        images,
    )


def _of_headers(profile: OperationProfile) -> Iterator[Check]:
    images, status = int(profile.has_pictures), profile.operation.success_status
    headers = profile.headers(status)
    ids = [name for name in headers if name.endswith("-id")]
    page = ("responses", profile.response_key(status), "headers")
    if headers:
        evidence, source = profile.evidence(*page, ids[0] if ids else next(iter(headers))), profile.source(*page)
        yield Check(
            "answer-headers", "An answer has the documented headers, each of its type.", evidence, source, images
        )
    if ids:
        yield Check(
            "request-id-new", "Each call has its own id.", profile.evidence(*page, ids[0]), profile.source(*page)
        )
    echo = next((name for name, item in headers.items() if "x-echo-of" in item), None)
    if echo is not None:
        evidence, source = profile.evidence(*page, echo), profile.source(*page, echo)
        yield Check("client-id-echoed", "A valid request id of the caller is returned.", evidence, source, images)
        yield Check("client-id-dropped", "An invalid request id of the caller is dropped.", evidence, source)
    if profile.cors_exposed is not None:
        claim = "Pages from any origin may read an answer and its documented headers."
        yield Check("cors-answer", claim, profile.evidence("x-cors"), profile.source("x-cors"))
    if profile.cors_allowed is not None:
        claim = "Pages from any origin may send a key and JSON."
        yield Check("cors-preflight", claim, profile.evidence("x-preflight"), profile.source("x-preflight"))
    if profile.operation.is_authenticated:
        yield Check("key-secret", "The API key appears nowhere in an answer.", Evidence.DOCUMENTED, _SECRETS)


def _of_pictures(profile: OperationProfile) -> Iterator[Check]:
    success = ("responses", str(profile.operation.success_status), "content")
    evidence, source = profile.evidence(*success), profile.source(*success)
    if profile.names.count is not None:
        yield Check("image-count", "An answer has the requested number of pictures.", evidence, source, 2)
    yield Check("picture-url-absolute", "A picture's URL is an absolute http(s) URL.", evidence, source, 1)
    yield Check("picture-downloadable", "A picture can be downloaded without the key.", evidence, source, 1)
    yield Check(
        "picture-decodable", "A download, or a Base64 text, is a picture that can be decoded.", evidence, source, 1
    )
    yield Check(
        "picture-media-type", "A picture has the media type that the answer states.", Evidence.INFERRED, _HTTP, 1
    )
    yield Check(
        "picture-whole",
        "A picture is complete: its checksums are right, and it is not cut off.",
        Evidence.DOCUMENTED,
        _PICTURE_FORMATS,
        1,
    )
    yield Check("picture-distinct", "Each picture of an answer has its own URL.", evidence, _DISTINCT, 2)
    if profile.has_open_pictures:
        open_to = "x-picture-cors"
        claim = "Pages from any origin may read a picture."
        yield Check("picture-cors", claim, profile.evidence(open_to), profile.source(open_to), 1)
    if profile.sizes:
        yield Check(
            "picture-pixels",
            "A picture has the documented size in pixels for the requested aspect ratio.",
            profile.evidence("x-sizes"),
            profile.source("x-sizes"),
            1,
        )


def _of_price(profile: OperationProfile) -> Iterator[Check]:
    if not profile.states_cost:
        return
    # Without a price there is no evidence that a call costs anything.
    evidence = Evidence.ASSUMED if profile.credits is None else profile.evidence("x-price")
    yield Check(
        "credits-positive", "A successful call costs more than 0 credits.", evidence, profile.source("x-price"), 1
    )
    if profile.names.count is not None:
        yield Check(
            "credits-proportional",
            "The cost of a call is in proportion to its number of pictures.",
            Evidence.ASSUMED,
            "the price of several pictures is not documented",
            3,
        )
    if profile.credits_per_usd is not None:
        claim = "Header and body state the same credits, and dollars of the same value."
        yield Check("cost-consistent", claim, evidence, profile.source("x-price"), 1)
    if profile.credits is not None:
        yield Check(
            "charge-as-documented",
            "A call costs the documented price for each picture.",
            evidence,
            profile.source("x-price"),
            1,
        )


def _of_refusals(profile: OperationProfile) -> Iterator[Check]:
    has_body = profile.operation.request is not None
    if has_body or any(not item.is_ignored for item in profile.operation.inputs):
        status = str(profile.refusal_status)
        refusal = ("responses", status)
        is_documented = status in profile.operation.responses
        yield Check(
            "invalid-refused",
            f"An invalid request is refused with {status}.",
            Evidence.DOCUMENTED if is_documented else Evidence.ASSUMED,
            profile.source(*refusal) if is_documented else _HTTP,
        )
        yield Check(
            "refusal-envelope",
            "A refusal has a documented envelope.",
            profile.evidence(*refusal),
            profile.source(*refusal),
        )
        yield from _of_envelopes(profile, status)
        evidence = Evidence.DOCUMENTED if is_documented else Evidence.ASSUMED
        if has_body:
            yield Check("malformed-refused", f"A body that is not JSON is refused with {status}.", evidence, _JSON)
    yield Check("method-refused", "Another method is refused: 404 or 405.", Evidence.INFERRED, _HTTP)
    if profile.operation.is_authenticated:
        evidence, source = profile.evidence("security"), profile.source("security")
        yield Check("no-key-refused", "A call without a key is refused with 401.", evidence, source)
        yield Check("wrong-key-refused", "A call with a wrong key is refused with 401.", evidence, source)


def _of_envelopes(profile: OperationProfile, status: str) -> Iterator[Check]:
    """Yield the checks of what a refusal says, where the contract documents refusals."""
    refusal = ("responses", status)
    if status not in profile.operation.responses:
        return
    evidence, source = profile.evidence(*refusal), profile.source(*refusal)
    claim = "The body of a refusal agrees with its status line: status, title, path, time and a message."
    yield Check("refusal-consistent", claim, evidence, source)
    yield Check("refusal-issues", "The issues of a refusal name every property that is wrong.", evidence, source)
    if profile.headers(int(status)) or profile.headers(_NO_KEY):
        name = (*refusal, "headers", "x-request-id")
        claim = "A refusal has the documented headers."
        yield Check("refusal-headers", claim, profile.evidence(*name), profile.source(*name))
        claim = "The requestId of a refusal is its x-request-id."
        yield Check("request-id-matches", claim, evidence, source)


def _of_behaviour() -> Iterator[Check]:
    documented = Evidence.DOCUMENTED
    yield Check(
        "answers-steadily", "The same request always gives the same kind of answer, and no 5xx.", documented, _HTTP
    )
    yield Check("answer-in-time", "An answer arrives within the time limit.", documented, _HTTP)
    yield Check("answer-whole", "An answer is complete and valid HTTP.", documented, _HTTP)
    yield Check("body-length", "A body has the length that its header states.", documented, _HTTP)
    yield Check("content-encoding", "A body has the encoding that its header states.", documented, _HTTP)
