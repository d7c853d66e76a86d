"""A verification against a file of known findings."""

from dataclasses import replace

from bodydouble_spec.report import Baseline

from bodydouble_contract_tests.model import Verification

__all__ = ["with_baseline"]

_NOT_RUN = "not run"


def with_baseline(verification: Verification, baseline: Baseline) -> Verification:
    """Move the known findings of a verification to ``muted``, and list those that were not found again in ``gone``.

    A finding is gone only when its check was run, in a verification that ran to its end.
    """
    new, muted = baseline.split(verification.findings)
    return replace(verification, findings=new, muted=muted, gone=_gone(verification, baseline))


def _gone(verification: Verification, baseline: Baseline) -> tuple[str, ...]:
    if verification.incomplete is not None:
        return ()
    return tuple(
        fingerprint
        for fingerprint in baseline.missing(verification.findings)
        # The id of a check is that of its findings, up to the first slash.
        for check in [str(baseline.known[fingerprint].get("id", "")).partition("/")[0]]
        if verification.outcomes.get(check, _NOT_RUN) != _NOT_RUN
    )
