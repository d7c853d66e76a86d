"""The contract: a published document, repaired, with an overlay of what else is known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble_spec import vendored
from bodydouble_spec.bundle import Bundle
from bodydouble_spec.defects import show
from bodydouble_spec.document import (
    METHODS,
    Downloaded,
    Fact,
    Overlaid,
    Repaired,
    SourceDocument,
    copy_document,
    is_url,
    parse_document,
    read_source,
    refuse_expansion,
    repair,
    unreadable,
    without_collection,
)
from bodydouble_spec.errors import ContractError, UnknownOperation
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.operation import Operation, read_operations, unusable_schemas
from bodydouble_spec.schema import SchemaView
from bodydouble_spec.values import is_object, join_pointer

if TYPE_CHECKING:
    from bodydouble_spec.document import Overlay
    from bodydouble_spec.meaning import Meaning

__all__ = ["Contract"]

_OWN_MISFITS = {"overlay-action-unmatched", "overlay-not-applicable"}
_NO_OVERLAY = "none"


def review(document: dict[str, Any]) -> list[Finding]:
    """List findings about a repaired document that is well-formed but promises too little; none of them needs a repair."""
    operations = [
        (join_pointer("/paths", path, method), item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    schemes = list(document["components"].get("securitySchemes", {}))
    applied = "security" in document or any("security" in operation for _, operation in operations)
    findings = [
        finding for pointer, operation in operations for finding in _review_operation(document, pointer, operation)
    ]
    if schemes and operations and not applied:
        message = f"the security scheme {', '.join(schemes)} is declared, but no operation applies it"
        findings.insert(0, _finding("security-not-applied", Severity.WARNING, "/components/securitySchemes", message))
    return findings


def _review_operation(document: dict[str, Any], pointer: str, operation: dict[str, Any]) -> Iterator[Finding]:
    responses: dict[str, Any] = operation["responses"]
    here = join_pointer(pointer, "responses")
    if responses and all(status.startswith("2") for status in responses):
        message = f"only {', '.join(responses)} is documented; error responses are not"
        yield _finding("errors-undocumented", Severity.INFO, here, message)
    for status, response in responses.items():
        if not status.startswith("2"):
            continue
        for name in response.get("content", {}):
            where = join_pointer(here, status, "content", name, "schema")
            if _is_vacuous(document, where):
                message = (
                    f"no property of the {status} body is required, so {{}} conforms; check answers in strict mode"
                )
                yield _finding("response-vacuous", Severity.INFO, where, message)


def _is_vacuous(document: dict[str, Any], pointer: str) -> bool:
    """Return whether an object without any property conforms to the schema at a pointer, and no array or scalar."""
    try:
        view = SchemaView.at(document, pointer)
    except LookupError:
        return False
    return view.types - {"null"} == frozenset({"object"}) and any(not way.required for way in view.ways)


def _finding(rule: str, severity: Severity, pointer: str, message: str) -> Finding:
    return Finding(rule, severity, Evidence.DOCUMENTED, pointer, message)


@dataclass(frozen=True)
class Contract:
    """The promises of a service.

    ``source`` names the origin of the document, ``published`` is the document as read, and ``document`` is that
    document repaired and with the overlay applied. ``operations`` are the calls it offers, ``findings`` the defects of
    the published document (and the overlay actions that do not fit it). ``facts`` is the evidence ledger: the places
    that the overlay wrote, each with its evidence. ``provenance`` is what the bundle says about the origin of the document.
    """

    source: str
    published: Mapping[str, Any]
    document: Mapping[str, Any]
    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...]
    provenance: Mapping[str, str] | None = None

    @classmethod
    @without_collection()
    def load(
        cls,
        source: str | Path | dict[str, Any] | None = None,
        *,
        overlay: "str | Path | Overlay | bool | None" = True,
        strict: bool = False,
        on_download: Downloaded | None = None,
    ) -> "Contract":
        """Load a contract: the vendored one (None or ``"vendored"``), a file, a folder (`Bundle`), an http(s) URL or a parsed document.

        Documents are JSON or YAML, OpenAPI 3.0 or 3.1. Defects are repaired and become findings; ``strict=True`` raises ContractError
        instead. ``overlay`` is that of the bundle, else the vendored one (True), another one (a path or an Overlay), or none (None,
        False or ``"none"``). ``on_download`` hears of the progress of a download. Raises UnreadableDocument when the source or the overlay cannot be read, ContractError for a folder that is not a
        bundle, and OverlayError when the overlay cannot be applied.
        """
        if overlay == _NO_OVERLAY:
            overlay = None
        chosen = _load_overlay(overlay) if isinstance(overlay, str | Path) else overlay
        if source is None or source == vendored.SOURCE:
            contract = cls._vendored(chosen)
        elif isinstance(source, str | Path):
            contract = cls._read(source, chosen, on_download)
        else:
            contract = cls._build("document", *copy_document(source), chosen)
        defects = (*contract.findings, *contract.unusable) if strict else ()
        if defects:
            first = defects[0]
            raise ContractError(
                f"{contract.source}: {len(defects)} defects, the first at {first.pointer or 'the top'}: {first.message}; "
                "load without strict to have them repaired",
                defects,
            )
        return contract

    @classmethod
    def _vendored(cls, overlay: "Overlay | bool | None") -> "Contract":
        published = vendored.published()
        repaired = repair(published)
        overlaid = (
            _without_misfits(vendored.overlaid(repaired.document))
            if overlay is True
            else _apply_overlay(overlay, repaired)
        )
        return cls._assemble(vendored.NAME, published, repaired, overlaid, vendored.provenance())

    @classmethod
    def _read(cls, source: str | Path, overlay: "Overlay | bool | None", on_download: Downloaded | None) -> "Contract":
        bundle = Bundle.find(source)
        data = read_source(bundle.document, on_download)
        document, problem = parse_document(data)
        read = SourceDocument.of(data, document, None if is_url(str(bundle.document)) else Path(bundle.document))
        chosen = _load_overlay(bundle.overlay) if overlay is True and bundle.overlay is not None else overlay
        contract = cls._build(str(source), read.completed, problem, chosen)
        provenance = bundle.read_provenance(lambda: contract.fingerprint) if is_object(document) else None
        findings = contract.findings if problem else read.findings(contract.findings)
        changed = replace(contract, findings=findings, provenance=provenance)
        vars(changed).update({name: value for name, value in vars(contract).items() if name not in vars(changed)})
        return changed

    @classmethod
    def _build(cls, name: str, document: Any, problem: str | None, overlay: "Overlay | bool | None") -> "Contract":
        repaired = unreadable(problem) if problem is not None else repair(document)
        if not is_object(document):
            return cls._assemble(name, {}, repaired, None)
        overlaid = _apply_overlay(vendored.overlay() if overlay is True else overlay, repaired)
        if overlaid is not None and overlay is True:
            overlaid = _without_misfits(overlaid)
        return cls._assemble(name, document, repaired, overlaid)

    @classmethod
    def _assemble(
        cls,
        name: str,
        published: dict[str, Any],
        repaired: Repaired,
        overlaid: Overlaid | None,
        provenance: Mapping[str, str] | None = None,
    ) -> "Contract":
        document = repaired.document if overlaid is None else overlaid.document
        facts = () if overlaid is None else overlaid.facts
        ledger = {fact.pointer: fact for fact in facts}
        operations = tuple(read_operations(document, lambda pointer: _evidence(ledger, pointer)))
        unfit = () if overlaid is None else overlaid.findings
        placed = repaired.as_published((*review(repaired.document), *unfit))
        contract = cls(name, published, document, operations, (*repaired.findings, *placed), facts, provenance)
        vars(contract).update(repaired=repaired, _ledger=ledger)  # saves the cached properties the work
        return contract

    @property
    def is_vendored(self) -> bool:
        """True for the contract that comes with bodydouble."""
        return self.source == vendored.NAME

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of what the published document means; equal exactly when `diff` finds no change between two documents.

        Raises ContractError when the document is too large to be distinguished from others.
        """
        return self.meaning.fingerprint

    @cached_property
    def meaning(self) -> "Meaning":
        """The published document by its meaning, without the overlay."""
        # Imported here, so that a server starts sooner.
        from bodydouble_spec.meaning import Meaning

        return Meaning(self.repaired)

    @property
    def partial_reason(self) -> str | None:
        """The reason why the document is not read as a whole: it is Swagger 2.0, or refers to what is not there; None when it is."""
        if "swagger" in self.published and "openapi" not in self.published:
            return self.findings[0].message
        outside = [finding for finding in self.findings if finding.id == "ref-external"]
        if not outside:
            return None
        first, more = outside[0], f"; {len(outside) - 1} more such references" if len(outside) > 1 else ""
        return f"{first.pointer}: {first.message}; correct it, or bundle the document into one file{more}"

    def refuse_partial(self) -> None:
        """Raise ContractError when the document is not read as a whole."""
        reason = self.partial_reason
        if reason is not None:
            raise ContractError(f"{self.source}: {reason}")

    def refuse_expansion(self) -> None:
        """Raise ContractError when the references of the document expand to too much for a reader that follows each of them."""
        refuse_expansion(dict(self.published))

    @cached_property
    def unusable(self) -> tuple[Finding, ...]:
        """An error for each schema that cannot be compiled and so accepts any value; computed on first use, not by loading."""
        return tuple(self.repaired.as_published(unusable_schemas(self.operations)))

    @cached_property
    def repaired(self) -> Repaired:
        """The published document repaired, without the overlay, and the map of its moved parts."""
        return repair(dict(self.published))

    def __repr__(self) -> str:
        return f"<Contract {self.source}: {len(self.operations)} operations, {len(self.findings)} findings>"

    def operation(self, name: str | None = None) -> Operation:
        """Return the operation named ``"POST /path"``, by a path or by an operationId; without a name, the only operation.

        Raises UnknownOperation and lists the operations.
        """
        matches = [item for item in self.operations if name is None or name in (item.key, item.path, item.operation_id)]
        if len(matches) == 1:
            return matches[0]
        known = ", ".join(item.key for item in self.operations) or "none"
        if name is not None:
            raise UnknownOperation(f"{self.source} has no operation {show(name)}; its operations: {known}")
        raise UnknownOperation(f"{self.source} has {len(self.operations)} operations; name one of: {known}")

    @cached_property
    def _ledger(self) -> dict[str, Fact]:
        return {fact.pointer: fact for fact in self.facts}

    def evidence(self, pointer: str) -> Evidence:
        """Return the evidence for the part of ``document`` at a pointer: the overlay's evidence, else documented."""
        return _evidence(self._ledger, pointer)

    def fact(self, pointer: str) -> Fact | None:
        """Return the innermost fact at or above a pointer into ``document``; None where the overlay wrote nothing."""
        return _fact(self._ledger, pointer)


def _evidence(ledger: Mapping[str, Fact], pointer: str) -> Evidence:
    fact = _fact(ledger, pointer)
    return Evidence.DOCUMENTED if fact is None else fact.evidence


def _fact(ledger: Mapping[str, Fact], pointer: str) -> Fact | None:
    """Return the innermost fact at or above a pointer; of two actions that wrote to one place, the later one counts."""
    while pointer not in ledger:
        if not pointer:
            return None
        pointer = pointer.rpartition("/")[0]
    return ledger[pointer]


def _load_overlay(path: str | Path) -> "Overlay":
    # Imported here: the vendored contract is stored with its overlay applied, and a server starts sooner.
    from bodydouble_spec.document import Overlay

    return Overlay.load(path)


def _without_misfits(overlaid: Overlaid) -> Overlaid:
    """Leave out the findings on actions that do not apply: facts about another service or model are no defects of this document."""
    kept = tuple(finding for finding in overlaid.findings if finding.id not in _OWN_MISFITS)
    return replace(overlaid, findings=kept)


def _apply_overlay(overlay: "Overlay | bool | None", repaired: Repaired) -> Overlaid | None:
    if overlay is None or isinstance(overlay, bool):
        return None
    overlaid = overlay.apply(repaired.document)
    if not overlaid.facts:
        return overlaid
    # An overlay can break the document too.
    repaired_again = repair(overlaid.document)
    broken = (replace(item, source="overlay") for item in repaired_again.findings if item.severity is Severity.ERROR)
    return Overlaid(repaired_again.document, overlaid.facts, (*overlaid.findings, *broken))
