"""Print, as JSON, the effect of the vendored contract on this import path on mock, cases and client."""

import json

import bodydouble_spec
from bodydouble_contract_tests import boundary_cases
from bodydouble_contract_tests.claims import (
    Harness,
    ReceivedRequest,
    RecordingServer,
    boundary_calls,
    claim_valid_call_is_served,
)
from bodydouble_spec import Contract, Overlay, provenance

URLS = [f"https://example.org/{number}.png" for number in range(4)]
USUAL = {"model": "google/nano-banana-edit", "prompt": "a hat", "image_urls": URLS[:3], "num_images": 2}
CHANGES = {
    "usual": {},
    "former model": {"model": "google/gemini-2.5-flash-image-edit"},
    "four inputs": {"image_urls": URLS},
    "21:9": {"aspect_ratio": "21:9"},
    "16:9": {"aspect_ratio": "16:9"},
    "one and a half": {"num_images": 1.5},
    "unknown setting": {"safety_setting": "none"},
}


def of_mock(harness: Harness, contract: Contract) -> dict[str, object]:
    """Return the status of a usual request with each change, the pictures of the usual one, and the properties of its cost."""
    bodies = {name: USUAL | change for name, change in CHANGES.items()}
    replies = {
        name: harness.post(contract.operation(), body, json.dumps(body).encode()) for name, body in bodies.items()
    }
    usual = json.loads(replies["usual"].answer)
    return {
        "statuses": {name: posted.status for name, posted in replies.items()},
        "pictures": len(usual["data"]),
        "usage": sorted(usual["meta"]["usage"]),
    }


def of_client(harness: Harness, contract: Contract) -> dict[str, object]:
    """Return the allowed calls that the client cannot make, with the reasons: as sent, and with the model's new name."""
    calls = boundary_calls(contract)
    received: list[ReceivedRequest] = []
    refused = 0
    for call in calls:
        record = harness.run(call)
        refused += bool(claim_valid_call_is_served(record))
        received += record.received
    as_sent = [places(request.answer) for request in received]
    renamed = [json.loads(request.body) | {"model": USUAL["model"]} for request in received]
    replies = [harness.post(contract.operation(), body, json.dumps(body).encode()) for body in renamed]
    return {
        "every call is refused": refused == len(calls) > 0,
        "because of": sorted({place for listed in as_sent for place in listed}),
        "refused under the new name": [posted.body for posted in replies if posted.status != 200],
    }


def places(answer: bytes) -> list[str]:
    """Return the places that a refusal names."""
    return ["/".join(map(str, issue["path"])) for issue in json.loads(answer)["error"]["data"]]


def load() -> tuple[Contract, bool]:
    """Return the vendored contract, and whether its overlay had to be applied for that."""
    applied: list[str] = []
    apply = Overlay.apply

    def noted(self, document):
        applied.append(self.title)
        return apply(self, document)

    Overlay.apply = noted
    try:
        return Contract.load(), bool(applied)
    finally:
        Overlay.apply = apply


if __name__ == "__main__":
    vendored, is_applied = load()
    with Harness(RecordingServer(vendored)) as harness:
        mock, client = of_mock(harness, vendored), of_client(harness, vendored)
    report = {
        "loaded from": bodydouble_spec.__file__,
        "origin": provenance(),
        "fingerprint": vendored.fingerprint,
        "unmatched": [item.pointer for item in vendored.findings if item.id == "overlay-action-unmatched"],
        "is overlay applied anew": is_applied,
        "cases": {case.id: case.valid for case in boundary_cases(vendored)},
        "mock": mock,
        "client": client,
    }
    print(json.dumps(report))
