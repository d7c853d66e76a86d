"""The answers of the new contract, read by the client: what it still finds there, what it no longer can, and where else it looks."""

import json
from collections.abc import Callable, Iterator

from bodydouble_client import AnswerError, EditResult, StatusError
from bodydouble_mockserver import Images
from bodydouble_spec import Finding, Severity

from bodydouble_contract_tests._claims_stage import Encounter
from bodydouble_contract_tests._impact_client import OurClient
from bodydouble_contract_tests._impact_pair import Pair
from bodydouble_contract_tests._impact_reading import INDISPENSABLE, fields_of, places_read
from bodydouble_contract_tests._impact_sentences import found, named, number_of, spoken
from bodydouble_contract_tests.claims import claim_outcome_fits_the_answer, claim_outcome_is_documented

__all__ = ["answer_findings"]

Met = list[tuple[Encounter, Encounter]]
"""The same call on the old contract and on the new one."""

_CLAIMS: tuple[Callable[[Encounter], list[Finding]], ...] = (claim_outcome_is_documented, claim_outcome_fits_the_answer)


def answer_findings(pair: Pair, ours: OurClient) -> list[Finding]:
    """What the client makes of the new answers to the calls that the old contract served.

    What the new contract refuses is not the question here: such calls are passed over, and what it newly requires is put in.
    """
    if not ours.encounters:
        return []
    met, has_base64 = _met(pair, ours)
    if not met:
        message = "no call of our client is accepted, so what it reads in the new answers could not be tried"
        return [found("impact-answers-not-read", Severity.INFO, "", message, pair.before, direction="response")]
    return [
        *_unreadable(pair, met),
        *_claims(pair, met),
        *_remarks(pair, met),
        *_reads(pair, met, has_base64=has_base64),
    ]


def _met(pair: Pair, ours: OurClient) -> tuple[Met, bool]:
    """The calls that both contracts serve, and whether the new answers carry their pictures in Base64 too.

    They do only where the client finds no picture otherwise.
    """
    met: Met = []
    images = Images.URL
    for images in (Images.URL, Images.BOTH):
        stage = ours.on_new(pair.completed, images)
        every = [(old, stage.meet(old.call)) for old in ours.encounters]
        met = [(old, new) for old, new in every if new.arrivals and not isinstance(new.outcome, StatusError)]
        if not any(isinstance(new.outcome, AnswerError) for _, new in met):
            break
    return met, images is Images.BOTH


def _unreadable(pair: Pair, met: Met) -> Iterator[Finding]:
    """Answers of which the client makes nothing."""
    failed = [(old, new) for old, new in met if not isinstance(new.outcome, EditResult)]
    if not failed:
        return
    old, new = failed[0]
    needed = [place for place, names in places_read(old.arrivals[-1].answer).items() if INDISPENSABLE in names]
    what = f"; in the old ones it reads {' and '.join(_item(place) for place in needed)}" if needed else ""
    tried = f"{len(failed)} of {number_of(len(met), 'call')}"
    kind, told = type(new.outcome).__name__, str(new.outcome.args[0]) if isinstance(new.outcome, BaseException) else ""
    yield found(
        "impact-answer-unreadable",
        Severity.ERROR,
        needed[0] if needed else "",
        f"our client cannot read the new answers ({tried}): it raises {kind}: {told}{what}",
        pair.before,
        direction="response",
        expected="a result",
        got=kind,
        request=json.loads(new.arrivals[-1].body),
    )


def _claims(pair: Pair, met: Met) -> Iterator[Finding]:
    """Claims of the client that held and no longer hold, each once."""
    seen: set[str] = set()
    for old, new in met:
        held = {finding.id for claim in _CLAIMS for finding in claim(old)}
        for finding in (finding for claim in _CLAIMS for finding in claim(new)):
            if finding.id in held or finding.id in seen:
                continue
            seen.add(finding.id)
            yield found(
                f"impact-client-claim/{finding.id}",
                Severity.ERROR,
                "",
                f"our client and the new answers disagree: {finding.message}",
                pair.before,
                direction="response",
                expected=finding.expected,
                got=finding.got,
                request=json.loads(new.arrivals[-1].body),
            )


def _remarks(pair: Pair, met: Met) -> Iterator[Finding]:
    """What the client finds odd about a new answer and did not about the old one; the plainest call that shows it."""
    odd: dict[str, Encounter] = {}
    for old, new in sorted(met, key=lambda both: len(repr(both[0].call))):
        if isinstance(old.outcome, EditResult) and isinstance(new.outcome, EditResult) and not old.outcome.warnings:
            for text in new.outcome.warnings:
                odd.setdefault(text, new)
    for text, encounter in [*odd.items()][:1]:
        yield found(
            "impact-answer-odd",
            Severity.ERROR,
            "",
            f"{spoken(encounter.call)} is served, but: {text}",
            pair.before,
            direction="response",
            request=json.loads(encounter.arrivals[-1].body),
        )


def _reads(pair: Pair, met: Met, *, has_base64: bool) -> Iterator[Finding]:
    """Each value that the client reads, in the old answer or in the new one."""
    both = next((one for one in met if isinstance(one[1].outcome, EditResult)), None)
    if both is None or not isinstance(both[0].outcome, EditResult) or not isinstance(both[1].outcome, EditResult):
        return
    before, after = (places_read(encounter.arrivals[-1].answer) for encounter in both)
    result = fields_of(both[1].outcome)
    request = json.loads(both[1].arrivals[-1].body)
    in_body = {name for names in after.values() for name in names}
    for place, names in {**before, **after}.items():
        if place in before and place in after:
            rule, severity, text = "impact-client-reads", Severity.INFO, "still there"
        elif place in after:
            rule, severity, text = "impact-client-reads-more", Severity.INFO, f"new; it gives {_fields(names)}"
        else:
            rule, severity, text = _gone(names, result, in_body, after)
            if has_base64 and INDISPENSABLE in names:
                rule, severity = "impact-client-reads-base64", Severity.ERROR
                text = "gone; there is a picture only where the answer carries it in Base64"
        yield found(
            rule,
            severity,
            place,
            f"our client reads {_item(place)}: {text}",
            pair.before,
            direction="response",
            request=request,
        )


def _gone(
    names: tuple[str, ...], result: dict[str, object], in_body: set[str], after: dict[str, tuple[str, ...]]
) -> tuple[str, Severity, str]:
    """What became of the fields that were read at a place that is gone, worst first."""
    lost = [name for name in names if name not in result and name != INDISPENSABLE]
    if lost:
        return "impact-client-reads-nothing", Severity.ERROR, f"gone; {_fields(lost)} is now None"
    elsewhere = [name for name in names if name not in in_body and name != INDISPENSABLE]
    if elsewhere:
        text = f"gone from the body; {_fields(elsewhere)} now comes from a header alone"
        return "impact-client-reads-header", Severity.WARNING, text
    places = [place for place, given in after.items() if set(given) & set(names)]
    text = f"gone; {_fields(names)} now comes from {' and '.join(map(_item, places))}"
    return "impact-client-reads-elsewhere", Severity.INFO, text


def _fields(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join("the picture" if name == INDISPENSABLE else name for name in names)


def _item(place: str) -> str:
    return named(place, any_index=True)
