"""An app's recorded requests under a new contract: the number refused, the reasons, and the placeholder pictures."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_contract_tests.impact.client import PlaceholderPictures
from bodydouble_contract_tests.impact.impact import impact
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Exchange, Finding, RecordedPicture, Severity, read_exchanges
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

REVISIONS = Path(__file__).parents[2] / "spec" / "tests" / "data"
PATH = "/v1/images/generations"
MODEL = "google/gemini-2.5-flash-image-edit"
OLD, NEW = (
    Contract.load(REVISIONS / f"revision-{name}.json", overlay=None)
    for name in ("2026-06-12-4cd011cd", "2026-08-14-87ef44bd")
)


def exchange(**changes: Any) -> Exchange:
    body = {"model": MODEL, "prompt": "make it night", "image_urls": ["https://example.com/a.png"], **changes}
    return Exchange("1", "2026-09-01T00:00:00.000Z", "POST", PATH, f"POST {PATH}", body=body)


def recorded(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {item.id: item for item in findings if item.id.startswith("impact-recorded-")}


@pytest.fixture(scope="module")
def replaced() -> dict[str, Finding]:
    """Return the findings for 38 requests that are valid except for the model, two with a removed ratio, one with four pictures, and one that was refused before."""
    exchanges = [
        *(exchange(prompt=f"picture {number}") for number in range(20)),
        *[exchange(prompt="again")] * 18,
        exchange(aspect_ratio="21:9"),
        exchange(aspect_ratio="21:9", num_images=2),
        exchange(image_urls=["https://example.com/a.png"] * 4),
        exchange(model="unknown"),
    ]
    return recorded(impact(OLD, NEW, exchanges=exchanges))


@pytest.mark.parametrize("path", [f"{PATH}/", "/images/generations", f"/{PATH}?a=b"])
def test_a_recorded_request_is_tried_whatever_the_spelling_of_its_path(path: str) -> None:
    found = recorded(impact(OLD, OLD, exchanges=[replace(exchange(), operation=None, path=path)]))
    assert [*found] == ["impact-recorded-requests-accepted"]


def test_one_sentence_counts_the_calls_for_the_new_name_and_those_that_are_refused_with_it_too(
    replaced: dict[str, Finding],
) -> None:
    finding = replaced["impact-recorded-requests-refused"]
    assert finding.message == (
        "all of your 41 calls are refused: model is now 'google/nano-banana-edit'; "
        "with the new name, 3 of your 41 calls are still refused: "
        "2 for aspect_ratio='21:9': allowed are '1:1', '9:16', '16:9', '3:4', '4:3'; "
        "1 for image_urls=['https://example.com/a.png', … 4 items]: it may have at most 3 items "
        "(1 skipped: the old contract refuses such requests too)"
    )
    assert [cause.pointer for cause in finding.covers] == ["/model", "/aspect_ratio", "/image_urls", "/aspect_ratio"]


def test_each_cause_has_a_recorded_request_that_the_new_contract_refuses(replaced: dict[str, Finding]) -> None:
    causes = [cause for finding in replaced.values() for cause in finding.covers if "-refused/" in cause.id]
    assert len(causes) == 3
    assert all(
        cause.pointer in {fault.pointer for fault in NEW.operation().validate_request(cause.request)}
        for cause in causes
    )


def test_under_the_same_contract_all_would_be_accepted() -> None:
    findings = recorded(impact(OLD, OLD, exchanges=[exchange(), exchange(prompt="another")]))
    assert [(item.severity, item.message) for item in findings.values()] == [
        (Severity.INFO, "no call of yours is affected")
    ]


def test_what_cannot_be_sent_again_is_left_out_and_counted() -> None:
    raw = Exchange("2", "2026-09-01T00:00:00.000Z", "POST", PATH, f"POST {PATH}", raw={"bytes": 3, "text": "{{{"})
    elsewhere = Exchange("3", "2026-09-01T00:00:00.000Z", "GET", "/v1/models")
    findings = recorded(impact(OLD, OLD, exchanges=[raw, exchange(), elsewhere]))
    assert [item.message for item in findings.values()] == [
        "no call of yours is affected (1 skipped: the body was not recorded)",
        "1 recorded request matches no operation of the old contract and was skipped",
    ]


def picture(kind: str, size: tuple[int, int]) -> bytes:
    buffer = BytesIO()
    Image.effect_noise(size, 40).save(buffer, kind)
    return buffer.getvalue()


def test_requests_that_a_journal_file_kept_are_tried_with_pictures_of_the_same_length(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    data = picture("JPEG", (640, 480))
    uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    with_limits = orjson.loads(orjson.dumps(OLD.document))
    schema = with_limits["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["image_urls"]["items"] = {"type": "string", "maxLength": len(uri) - 1}
    app = create_app(OLD, Settings(journal_file=file))
    with httpx.Client(transport=MockTransport(app), base_url="http://localhost") as client:
        client.post(
            PATH,
            json={"model": MODEL, "prompt": "a", "image_urls": [uri]},
            headers={"Authorization": "Bearer some-key"},
        )
    app.close()
    exchanges = read_exchanges(file).exchanges
    assert "$picture" in str(exchanges[0].body)
    refused = recorded(impact(OLD, Contract.load(with_limits, overlay=None), exchanges=exchanges))
    assert refused["impact-recorded-requests-refused"].covers[0].pointer == "/image_urls/0"
    schema["properties"]["image_urls"]["items"]["maxLength"] += 1
    accepted = recorded(impact(OLD, Contract.load(with_limits, overlay=None), exchanges=exchanges))
    assert [*accepted] == ["impact-recorded-requests-accepted"]


kinds = st.sampled_from(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"])
sides = st.integers(1, 300)


@settings(max_examples=15, deadline=None)
@given(kinds, sides, sides, st.integers(0, 300_000), st.booleans())
def test_a_placeholder_has_the_type_and_size_and_at_least_the_bytes_of_its_picture(
    kind: str, width: int, height: int, size: int, is_data_uri: bool
) -> None:
    text = PlaceholderPictures().text(RecordedPicture("0" * 64, kind, size, (width, height), is_data_uri))
    assert text.startswith(f"data:{kind};base64,") is is_data_uri
    data = base64.b64decode(text.partition(",")[2] if is_data_uri else text)
    with Image.open(BytesIO(data)) as image:
        image.load()
        assert (Image.MIME[image.format or ""], image.size) == (kind, (width, height))
    assert len(data) >= size


@pytest.mark.parametrize("pixels", [None, (2**40, 2**40), (70_000, 3)])
def test_a_picture_of_unknown_or_impossible_size_gets_a_placeholder(pixels: tuple[int, int] | None) -> None:
    data = PlaceholderPictures().data(
        RecordedPicture("0" * 64, "image/webp", 2**60 if pixels is None else 0, pixels, is_data_uri=True)
    )
    with Image.open(BytesIO(data)) as image:
        assert image.size == ((70_000, 3) if pixels == (70_000, 3) else (64, 64))
    assert len(data) <= 64 * 1024 * 1024


def test_a_picture_of_an_unsupported_type_keeps_the_name_of_its_type() -> None:
    text = PlaceholderPictures().text(RecordedPicture("0" * 64, "image/avif", 10, (3, 3), is_data_uri=True))
    assert text.startswith("data:image/avif;base64,")
