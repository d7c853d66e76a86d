"""What a recording was made of, so that no run goes on with another one's."""

import hashlib

import orjson

from bodydouble_contract_tests._caller import json_bytes
from bodydouble_contract_tests._keeping import Keeper
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._subject import Subject

__all__ = ["identity_of"]


def identity_of(subject: Subject, plan: Plan, base: str, keeper: Keeper) -> dict[str, str]:
    """Contract and plan by fingerprint, and the target by its base URL; a resumed run must agree in all three."""
    digest = hashlib.sha256(subject.operation.key.encode())
    for case in plan.calls:
        digest.update(orjson.dumps([case.id, case.credential, case.repeats, case.images]))
        digest.update(json_bytes(case.body))
    return {
        "contract": subject.contract.fingerprint,
        "plan": digest.hexdigest()[:16],
        "target": keeper.own(base),
    }
