"""A verification from its plan to its outcome."""

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path

from bodydouble_contract_tests._budget import Budget
from bodydouble_contract_tests._caller import Caller, Stopped, Watch
from bodydouble_contract_tests._downloads import Downloads
from bodydouble_contract_tests._errors import CannotVerify
from bodydouble_contract_tests._identity import identity_of
from bodydouble_contract_tests._keeping import Keeper
from bodydouble_contract_tests._money import is_billed, plan_verification, terms_of
from bodydouble_contract_tests._planner import coverage
from bodydouble_contract_tests._progress import Progress
from bodydouble_contract_tests._recording import Past, Recorder, read_past
from bodydouble_contract_tests._round import Round
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._tally import Tally
from bodydouble_contract_tests._target import Target
from bodydouble_contract_tests._verification import Verification
from bodydouble_contract_tests._waiting import Patience

__all__ = ["verify"]


def verify(
    subject: Subject,
    target: Target,
    *,
    is_live: bool = False,
    max_usd: float | None = None,
    price_usd: float | None = None,
    examples: int = 25,
    seed: int = 0,
    only: Collection[str] | None = None,
    max_wait_s: float = 120.0,
    recording: Path | None = None,
    resume: Path | None = None,
    image_url: str | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    on_event: Callable[[Progress], None] | None = None,
) -> Verification:
    """Find out whether a server keeps the contract of one operation.

    Calls are taken to cost money when ``is_live`` says so or the target is a server that the contract names. Then at most ``max_usd``
    (default 0.75) is spent, at ``price_usd`` for a picture (default: the contract's price), one call at a time, and only if the free
    probes went well. Elsewhere nothing costs, and ``examples`` generated requests (0 for none), the same ones for the same ``seed``, follow the
    plan, unless ``only`` (ids of checks) narrows it. ``max_wait_s`` is how long the run may wait in all when the server limits the rate of calls.

    ``recording`` is a new file to which every call is written as it comes; ``resume`` one that an earlier run left, which is gone on with: what is in it
    is not called, and not paid, again. ``image_url`` is the input picture that is sent. ``clock`` gives seconds since the epoch, ``sleep`` waits, and
    ``on_event`` is told before each call and each wait.

    What ends a run early, Ctrl-C included, is said in `Verification.incomplete`; what was found until then is kept. Neither the API key nor anything
    else that is secret is in the result, in the recording or in an event. Raises CannotVerify when the run cannot begin as asked for.
    """
    billed = is_live or is_billed(subject, target.base)
    if examples < 0:
        raise CannotVerify(f"examples is {examples}; it takes a number of generated requests, 0 or more")
    terms = terms_of(subject, billed=billed, max_usd=max_usd, price_usd=price_usd)
    plan = plan_verification(
        subject, billed=billed, max_usd=max_usd, price_usd=price_usd, only=only, image_url=image_url
    )
    if recording is not None and resume is not None and recording.absolute() != resume.absolute():
        raise CannotVerify(f"a run that goes on with {resume} is recorded there, not in {recording}; name one of them")
    keeper = Keeper(target.api_key)
    identity = identity_of(subject, plan, target.base, keeper)
    past = Past({}) if resume is None else read_past(resume, identity)
    generated = 0 if billed or only is not None else examples
    total = sum(case.repeats for case in plan.calls) + generated
    watch = Watch(clock, sleep, on_event, total)
    tally = Tally(subject, plan.checks)
    with ExitStack() as stack:
        file = resume or recording
        recorder = None if file is None else stack.enter_context(Recorder(file, is_new=resume is None))
        downloads = Downloads(target, keeper.text)
        stack.callback(downloads.close)
        spent = past.charge.usd
        caller = Caller(
            subject,
            target,
            keeper,
            watch,
            budget=None if terms is None else Budget(terms.max_usd, terms.usd_per_image, spent),
            patience=Patience(max_wait_s),
            recorder=recorder,
            past=past,
            identity=identity,
        )
        this = Round(subject, target, plan, caller, downloads, tally, past, keeper, watch, is_billed=billed)
        incomplete = None
        try:
            this.make_all()
            if generated:
                this.make_generated(generated, seed)
        except Stopped as stop:
            incomplete = str(stop)
        except KeyboardInterrupt:
            incomplete = "interrupted"
        finally:
            this.close()
        this.compare()
    known_price = terms is not None or subject.usd_per_image is not None
    return Verification(
        checks=plan.checks,
        findings=tally.findings(),
        outcomes=tally.outcomes(),
        observations=tuple(tally.observations),
        requests=caller.requests,
        paid_images=caller.charge.images,
        credits=caller.charge.credits,
        usd=caller.charge.usd if known_price else None,
        coverage=coverage(plan, tally.succeeded()),
        unbought={**plan.unbought, **this.left_out},
        incomplete=incomplete,
    )
