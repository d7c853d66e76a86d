"""The identity of a run, so that no run continues the recording of another."""

import hashlib

import orjson

from bodydouble_contract_tests._caller import json_bytes
from bodydouble_contract_tests._keeping import Redaction
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["run_identity_of"]


def run_identity_of(profile: OperationProfile, plan: Plan, base: str, redaction: Redaction) -> dict[str, str]:
    """Return the fingerprints of contract and plan, and the base URL of the target; a resumed run must agree in all three."""
    digest = hashlib.sha256(profile.operation.key.encode())
    for case in plan.calls:
        digest.update(orjson.dumps([case.id, case.credential, case.repeats, case.images]))
        digest.update(json_bytes(case.body))
    return {
        "contract": profile.contract.fingerprint,
        "plan": digest.hexdigest()[:16],
        "target": redaction.own(base),
    }
