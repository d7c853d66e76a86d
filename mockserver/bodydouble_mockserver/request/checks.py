"""Checks of every request before it is answered, in the vendor's order: size, key, content type, JSON, contract."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import (
    BEARER,
    Evidence,
    Finding,
    KeyPlace,
    Operation,
    RecordedPicture,
    Severity,
    is_array,
    is_object,
    pointer_parts,
    resolve_pointer,
)
from bodydouble_spec.defects import shorten, show
from bodydouble_spec.schema import ANY_NAME, SchemaValidator

from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.faults import ABSOLUTE_FORM
from bodydouble_mockserver.request.advice import NOT_AN_IMAGE, Inputs, input_findings, undocumented_findings
from bodydouble_mockserver.request.body import UnreadableBody
from bodydouble_mockserver.request.forms import misplaced
from bodydouble_mockserver.request.intake import Intake
from bodydouble_mockserver.request.mistakes import explain_input
from bodydouble_mockserver.request.not_stood_in import not_stood_in
from bodydouble_mockserver.request.parameters import check_parameters, parameters_schema
from bodydouble_mockserver.request.security import KeyChecks
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.zod import zod_issues

__all__ = ["CheckedRequest", "Refusal", "RequestChecks"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for an error answer: status, message (None: the default of the status) and the value of ``error.data``.

    ``detail`` replaces the message in the answer of a service other than the vendor.
    """

    status: int
    message: str | None = None
    data: Any = None
    detail: str | None = None


@dataclass(slots=True)
class CheckedRequest:
    """A request after its checks: the parsed body, its key, the findings, and the refusal where a check failed.

    ``secrets`` are the spellings of the key that must not be kept, and ``places`` those of the key, where it is no bearer key.
    """

    parsed: Any
    key: bytes
    findings: Sequence[Finding] = ()
    refusal: Refusal | None = None
    secrets: Sequence[bytes] = ()
    places: Sequence[KeyPlace] = ()


class RequestChecks:
    """The checks of the requests for one operation, in the vendor's order."""

    def __init__(self, operation: Operation, settings: Settings) -> None:
        self._operation = operation
        self._settings = settings
        self._keys = KeyChecks(operation, settings)
        self._inputs: dict[str, Inputs] = {}

    def check(self, headers: Mapping[bytes, bytes], intake: Intake, scope: Scope) -> CheckedRequest:
        """Check a request. The first check that fails decides, but validation against the contract reports all faults."""
        operation = self._operation
        keys = self._keys.check(headers, scope)
        sent, problem = keys.sent, intake.problem
        if problem is not None and problem.status in (413, 503):
            checked = CheckedRequest(None, sent.key, refusal=Refusal(problem.status, problem.message))
        elif keys.refused is not None:
            refusal = Refusal(401, keys.refused.message, detail=keys.refused.detail)
            checked = CheckedRequest(None, sent.key, [keys.refused.finding(operation.key)], refusal)
        else:
            checked = self._check_body(headers, intake, sent.key)
            if keys.doubtful is not None:
                checked.findings = [*checked.findings, keys.doubtful]
        if checked.refusal is None or checked.refusal.data is not None:
            _add_parameters(checked, operation, scope)
        if checked.refusal is None:
            _refuse_not_stood_in(checked, operation, headers, scope)
        extensions = scope.get("extensions")
        if extensions and ABSOLUTE_FORM in extensions:
            text = f"the request line has a full URL (host {extensions[ABSOLUTE_FORM][:80]}), as sent to a proxy; only its path was used. Use this server as the base URL, not as HTTP_PROXY"
            checked.findings = [*checked.findings, _finding(operation, "request-absolute-form", text, Severity.INFO)]
        if intake.notes:
            notes = [
                _finding(operation, note.rule, note.message, Severity.INFO, Evidence.ASSUMED) for note in intake.notes
            ]
            checked.findings = [*checked.findings, *notes]
        checked.secrets = sent.secrets
        if operation.security is not BEARER:
            checked.places = tuple(sent.by_place)
        return checked

    def _check_body(self, headers: Mapping[bytes, bytes], intake: Intake, key: bytes) -> CheckedRequest:
        operation = self._operation
        if not operation.request_bodies or not (intake.body or operation.request_required):
            return CheckedRequest({}, key)
        problem = intake.problem
        declared = operation.request_body(intake.media_type)
        if declared is None:
            problem = _undeclared(operation, headers.get(b"content-type", b""))
        elif problem is None and not intake.body:
            problem = UnreadableBody(400, f"The request body is empty; send {declared}")
        if problem is not None:
            issue: dict[str, Any] = {"code": "custom", "path": [], "message": problem.message}
            found = _finding(operation, problem.rule, problem.message)
            return CheckedRequest(None, key, [found], Refusal(problem.status, data=[issue]))
        name = declared or ""
        validator = operation.request_bodies[name]
        if validator is None or not intake.is_read:
            return CheckedRequest(intake.parsed if is_object(intake.parsed) else {}, key, _notes(operation, intake))
        if intake.fields is not None:
            intake.apply_types(validator.view)
        inputs = self._inputs.get(name)
        if inputs is None:
            inputs = self._inputs[name] = Inputs(validator)
        findings, judged = _with_covered(
            _faults(validator, intake, inputs),
            input_findings(
                inputs, intake.parsed, intake.pictures, lambda: _own_hosts(headers, self._settings), operation.key
            ),
        )
        notes = [*_notes(operation, intake), *undocumented_findings(validator, intake.parsed, operation.key), *judged]
        if not findings:
            return CheckedRequest(intake.parsed, key, notes)
        # A rule that is only assumed is reported, but no reason to refuse.
        broken = [finding for finding in findings if finding.evidence is not Evidence.ASSUMED]
        refusal = Refusal(400, data=zod_issues(broken, validator.schema)) if broken else None
        return CheckedRequest(intake.parsed, key, [*findings, *notes], refusal)


def _refuse_not_stood_in(
    checked: CheckedRequest, operation: Operation, headers: Mapping[bytes, bytes], scope: Scope
) -> None:
    """Refuse a request that asks for a part of the contract that is not stood in for."""
    asked = not_stood_in(operation, headers, scope, checked.parsed)
    if asked is not None:
        issue: dict[str, Any] = {"code": "custom", "path": pointer_parts(asked.pointer), "message": asked.message}
        # The address of a callback is told once, also where the schema does not have its property.
        others = [found for found in checked.findings if not asked.pointer.startswith(f"{found.pointer}/")]
        checked.findings = [*others, asked]
        checked.refusal = Refusal(400, data=[issue], detail=asked.message)


def _add_parameters(checked: CheckedRequest, operation: Operation, scope: Scope) -> None:
    """Add the findings about parameters to a request whose body was read, and refuse it for their faults."""
    if not operation.inputs and not scope["query_string"]:
        return
    faults, notes = check_parameters(operation, scope)
    if faults or notes:
        checked.findings = [*faults, *checked.findings, *notes]
    if any(fault.evidence is not Evidence.ASSUMED for fault in faults):
        known: list[Any] = checked.refusal.data if checked.refusal is not None else []
        checked.refusal = Refusal(400, data=[*zod_issues(faults, parameters_schema(operation)), *known])


def _with_covered(faults: Sequence[Finding], judged: Sequence[Finding]) -> tuple[Sequence[Finding], Sequence[Finding]]:
    """Put what is assumed about the form of an input under the finding about its bytes, which are the same in every form."""
    if not (faults and judged):
        return faults, judged
    places = {finding.pointer for finding in judged if finding.id == NOT_AN_IMAGE}
    covered = [fault for fault in faults if fault.evidence is Evidence.ASSUMED and fault.pointer in places]
    if not covered:
        return faults, judged
    kept = [fault for fault in faults if fault not in covered]
    return kept, [
        replace(
            one, covers=tuple(fault for fault in covered if one.id == NOT_AN_IMAGE and fault.pointer == one.pointer)
        )
        for one in judged
    ]


def _own_hosts(headers: Mapping[bytes, bytes], settings: Settings) -> tuple[str, ...]:
    """Return the hosts of the mock's own pictures, in lower case with their ports."""
    own = [
        headers.get(b"host", b"").decode("latin-1"),
        (settings.public_url or "").partition("://")[2].partition("/")[0],
    ]
    return tuple(name.lower() for name in own if name)


def _undeclared(operation: Operation, content_type: bytes) -> UnreadableBody:
    shown = content_type.decode("latin-1").partition(";")[0].strip()[:80] or "missing"
    wanted = operation.request_media_types
    is_form = shown.lower() in _FORMS and "application/json" in wanted
    advice = (
        ", with pictures as URLs or Base64 (json=… in requests and httpx, JSON.stringify(…) in fetch)"
        if is_form
        else ""
    )
    return UnreadableBody(400, f"The Content-Type is {shown}; send {' or '.join(wanted)}{advice}")


_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def _faults(validator: SchemaValidator, intake: Intake, inputs: Inputs) -> Sequence[Finding]:
    """Return every fault of a body, the same as if it had its pictures in it."""
    value, pictures = intake.parsed, intake.pictures
    if pictures:
        names = validator.whole_text_names
        if ANY_NAME in names or not names.isdisjoint(_names_with(pictures, value)):
            value = intake.whole()
    if validator.is_valid(value):
        return ()
    return [_explained(finding, value, pictures, inputs) for finding in validator.findings(value)]


# Rules about the form of an input picture, and not about their number.
_FORM_RULES = {"any-of", "false-schema", "format", "min-length", "one-of", "pattern", "type"}


def _explained(finding: Finding, value: Any, pictures: Mapping[str, RecordedPicture], inputs: Inputs) -> Finding:
    """Return a finding with the mistake in words where it is about an input, and with a description of its picture, not the reference."""
    try:
        place = resolve_pointer(value, pointer_parts(finding.pointer))
    except LookupError:
        return finding
    covers = tuple(_explained(covered, value, pictures, inputs) for covered in finding.covers)
    picture = pictures.get(place) if isinstance(place, str) else None
    got = picture.to_dict() if picture is not None and finding.got == shorten(place) else finding.got
    words = None
    if inputs.holds(finding.pointer) and finding.id.removeprefix("request-") in _FORM_RULES:
        words = _words(finding.pointer, place, pictures, inputs)
    if words is None and picture is not None:
        words = f"{picture.words}{finding.message.removeprefix(show(place))}"
    return replace(finding, message=words or finding.message, got=got, covers=covers)


def _words(pointer: str, place: Any, pictures: Mapping[str, RecordedPicture], inputs: Inputs) -> str | None:
    if pointer != inputs.pointer:
        return explain_input(place, pictures)
    # A contract may have one text in the place of a list, too: only a text where a list must be is explained here.
    return (
        f"{show(place)} is a string, not a list of pictures; send [{show(place)}]"
        if isinstance(place, str) and place not in pictures and inputs.is_list
        else None
    )


def _names_with(pictures: Container[str], value: Any, name: str = "") -> Iterator[str]:
    """Yield the innermost property name around each picture."""
    if is_object(value):
        for inner, item in value.items():
            yield from _names_with(pictures, item, inner)
    elif is_array(value):
        for item in value:
            yield from _names_with(pictures, item, name)
    elif isinstance(value, str) and value in pictures:
        yield name


def _notes(operation: Operation, intake: Intake) -> Sequence[Finding]:
    """Return findings about a request that do not refuse it."""
    found = [
        _finding(
            operation,
            "request-duplicate-key",
            f"the key {key[:60]!r} appears twice; the last value was used",
            Severity.WARNING,
        )
        for key in intake.duplicate_keys()
    ]
    if intake.fields is not None and intake.view is not None:
        for field in misplaced(intake.fields, intake.view):
            sent, expected = ("file", "text") if field.is_file else ("text", "file")
            message = f"the field {field.name[:60]!r} was sent as a {sent}; the contract has a {expected} there"
            found.append(_finding(operation, "request-form-field", message, Severity.WARNING))
    return found


def _finding(
    operation: Operation,
    rule: str,
    message: str,
    severity: Severity = Severity.ERROR,
    evidence: Evidence = Evidence.DOCUMENTED,
) -> Finding:
    return Finding(rule, severity, evidence, "", message, direction="request", operation=operation.key)
