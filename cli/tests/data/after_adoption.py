"""What the vendored contract of this import path makes of mock, cases and client, as JSON."""

import json

import bodydouble_spec
from bodydouble_contract_tests import boundary_cases
from bodydouble_contract_tests.claims import Arrival, Stage, Witness, boundary_calls, claim_valid_call_is_served
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


def of_mock(stage: Stage, contract: Contract) -> dict[str, object]:
    """The status of a usual request with each change, the pictures of the usual one, and the properties of its cost."""
    bodies = {name: USUAL | change for name, change in CHANGES.items()}
    replies = {name: stage.post(contract.operation(), body, json.dumps(body).encode()) for name, body in bodies.items()}
    usual = json.loads(replies["usual"].answer)
    return {
        "statuses": {name: reply.status for name, reply in replies.items()},
        "pictures": len(usual["data"]),
        "usage": sorted(usual["meta"]["usage"]),
    }


def of_client(stage: Stage, contract: Contract) -> dict[str, object]:
    """How many of the calls that the contract allows the client cannot make, and why: as sent, and with the model's new name."""
    calls = boundary_calls(contract)
    arrivals: list[Arrival] = []
    refused = 0
    for call in calls:
        encounter = stage.meet(call)
        refused += bool(claim_valid_call_is_served(encounter))
        arrivals += encounter.arrivals
    as_sent = [places(arrival.answer) for arrival in arrivals]
    renamed = [json.loads(arrival.body) | {"model": USUAL["model"]} for arrival in arrivals]
    replies = [stage.post(contract.operation(), body, json.dumps(body).encode()) for body in renamed]
    return {
        "every call is refused": refused == len(calls) > 0,
        "because of": sorted({place for listed in as_sent for place in listed}),
        "refused under the new name": [reply.body for reply in replies if reply.status != 200],
    }


def places(answer: bytes) -> list[str]:
    """The places that a refusal names."""
    return ["/".join(map(str, issue["path"])) for issue in json.loads(answer)["error"]["data"]]


def load() -> tuple[Contract, bool]:
    """The vendored contract, and whether its overlay had to be applied for that."""
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
    with Stage(Witness(vendored)) as stage:
        mock, client = of_mock(stage, vendored), of_client(stage, vendored)
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
