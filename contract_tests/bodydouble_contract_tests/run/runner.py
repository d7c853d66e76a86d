"""Run a verification from its plan to its result."""

import hashlib
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import OperationProfile, Plan, Progress, Verification
from bodydouble_contract_tests.plan import coverage
from bodydouble_contract_tests.run.budget import plan_verification, spending_limit_of
from bodydouble_contract_tests.run.caller import Caller, RunContext, RunStopped, WaitBudget
from bodydouble_contract_tests.run.recording import RecordedRun, Recorder, json_bytes, read_recorded_run
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.run.session import Session
from bodydouble_contract_tests.spending import Budget
from bodydouble_contract_tests.target import RunLimits, Target, is_billed

__all__ = ["VerifyOptions", "verify"]


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


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The options of one run of `verify`.

    Calls cost money when ``is_live`` is True, or when the target is a server that the contract names. Then the run spends ``max_usd`` at
    most (default 0.75), at ``price_usd`` a picture (default: the price in the contract). Anywhere else nothing costs money, and ``examples``
    generated requests follow the plan (0 for none). The same ``seed`` gives the same requests. ``only`` limits the run to the checks with these
    ids, without generated requests. ``image_url`` is the input picture to send. ``max_wait_s`` is the longest time that the run waits in total when
    the server limits the rate of calls. The whole run takes ``max_run_s`` seconds and one call at most, and receives ``max_received_mb`` megabytes; then it
    ends as incomplete.

    ``recording`` is a new file, to which every call is written as it is made. ``resume`` is the recording of an earlier run to continue; the
    calls in it are neither made nor paid for again.
    """

    is_live: bool = False
    max_usd: float | None = None
    price_usd: float | None = None
    examples: int = 25
    seed: int = 0
    only: Collection[str] | None = None
    image_url: str | None = None
    max_wait_s: float = 120.0
    max_run_s: float = 1800.0
    max_received_mb: float = 4096.0
    recording: Path | None = None
    resume: Path | None = None


_DEFAULTS = VerifyOptions()


def verify(
    profile: OperationProfile,
    target: Target,
    options: VerifyOptions = _DEFAULTS,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    on_event: Callable[[Progress], None] | None = None,
) -> Verification:
    """Verify that a server keeps the contract of one operation.

    Calls that cost money are made one at a time, and only if the server passed the free probes. ``clock`` gives seconds since the epoch,
    ``sleep`` waits, and ``on_event`` is called before each call and each wait.

    `Verification.incomplete` gives the reason when the run ends early, Ctrl-C included; the findings up to that point are kept. Neither the API key nor
    any other secret is in the result, in the recording or in an event. Raises CannotVerify when the run cannot begin with these options.
    """
    is_live = options.is_live or is_billed(profile, target.base)
    if options.examples < 0:
        raise CannotVerify(f"examples is {options.examples}; it takes a number of generated requests, 0 or more")
    max_usd, price_usd, only = options.max_usd, options.price_usd, options.only
    limit = spending_limit_of(profile, billed=is_live, max_usd=max_usd, price_usd=price_usd)
    plan = plan_verification(
        profile, billed=is_live, max_usd=max_usd, price_usd=price_usd, only=only, image_url=options.image_url
    )
    recording, resume = options.recording, options.resume
    if recording is not None and resume is not None and recording.absolute() != resume.absolute():
        raise CannotVerify(f"a resumed run is recorded in {resume}, not in {recording}; give only one of them")
    redaction = Redaction(*target.spellings())
    run_identity = run_identity_of(profile, plan, target.base, redaction)
    recorded_run = RecordedRun({}) if resume is None else read_recorded_run(resume, run_identity)
    # Without a body, one generated call is like another.
    examples = 0 if is_live or only is not None or not profile.operation.request_bodies else options.examples
    total = sum(case.repeats for case in plan.calls) + examples
    limits = RunLimits(options.max_run_s, options.max_received_mb)
    context = RunContext(profile, target, redaction, clock, sleep, on_event, total, limits=limits)
    with ExitStack() as stack:
        file = resume or recording
        recorder = None if file is None else stack.enter_context(Recorder(file, is_new=resume is None))
        if resume is not None:
            # Once more, now that no other process writes: one that has ended meanwhile may have paid for calls.
            recorded_run = read_recorded_run(resume, run_identity)
        spent_usd = recorded_run.charge.usd
        caller = Caller(
            context,
            recorded_run,
            budget=None if limit is None else Budget(limit.max_usd, limit.usd_per_image, spent_usd),
            wait_budget=WaitBudget(options.max_wait_s),
            recorder=recorder,
            run_identity=run_identity,
        )
        session = Session(context, plan, caller, recorded_run, is_billed=is_live)
        incomplete = None
        try:
            session.make_all()
            if examples:
                session.make_generated(examples, options.seed)
        except RunStopped as stop:
            incomplete = str(stop)
        except KeyboardInterrupt:
            incomplete = "interrupted"
        finally:
            session.close()
        session.compare()
    results = session.results
    succeeded = results.succeeded()
    has_price = limit is not None or profile.usd_per_image is not None
    return Verification(
        checks=plan.checks,
        findings=results.findings(),
        outcomes=results.outcomes(),
        observations=tuple(results.observations),
        requests=caller.requests,
        paid_images=caller.charge.images,
        credits=caller.charge.credits,
        usd=caller.charge.usd if has_price else None,
        coverage=coverage(plan, succeeded),
        pairs=len(plan.pairs),
        pairs_covered=len(plan.pairs_in(succeeded)),
        unbought={**plan.unbought, **session.left_out},
        incomplete=incomplete,
    )
