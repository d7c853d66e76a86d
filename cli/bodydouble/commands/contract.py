"""``bodydouble contract``: show a contract, check documents, print fingerprints, adopt a revision."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import bodydouble_spec
import typer
from bodydouble_spec import Contract, Finding, Report, ReportFormat, SpecError, is_object
from bodydouble_spec.adoption import Adoption, adopt
from bodydouble_spec.description import describe, summarize
from bodydouble_spec.oracle import document_errors

from bodydouble.console import (
    COULD_NOT_RUN,
    exit_on_error,
    exit_with_error,
    new_app,
    print_error,
    print_text,
)
from bodydouble.help_texts import Command, Group
from bodydouble.options import (
    CONTRACT_METAVAR,
    Config,
    FailOn,
    OverlayOption,
    load_contract,
    load_severities,
    resolve_source,
    severities_fact,
    unreadable_reason,
)
from bodydouble.progress import ProgressLine, progress
from bodydouble.reports import Format, Reports, ReportTargets

__all__ = ["app", "is_checkout", "merge", "write_together"]

_VALIDATOR = "openapi-spec-validator"
_INSTALLED = {"site-packages", "dist-packages"}

app = new_app(cls=Group, no_args_is_help=True, help="Show the contract, check documents, adopt a revision.")


@app.command(cls=Command, epilog="bodydouble contract show upstream")
def show(
    document: Annotated[
        str | None, typer.Argument(metavar=CONTRACT_METAVAR, help="Contract to show. Default: the vendored one.")
    ] = None,
    overlay: OverlayOption = None,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    report: Reports = None,
) -> None:
    """Show a contract: operations, fields, limits, prices, the evidence for each, and the defects of the published document."""
    with exit_on_error():
        targets = ReportTargets.parse(format, report)
        contract = _load(document, overlay)
        problem = _problem(contract)
        if problem is not None:
            exit_with_error(problem)
        facts = describe(contract)
        shown = facts if format is ReportFormat.JSON else summarize(facts)
        count = len(contract.findings)
        verdict = f"{count or 'No'} defect{'s' * (count != 1)} in the published document"
        found = Report(contract.source, contract.findings, shown, "defects", verdict=verdict)
        raise typer.Exit(targets.finish(found, "never"))


@app.command(cls=Command, epilog="bodydouble contract check openapi.json --fail-on warning")
def check(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar=CONTRACT_METAVAR, help="Contracts to check. Default: the vendored one."),
    ] = None,
    overlay: OverlayOption = None,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    report: Reports = None,
) -> None:
    """Check documents for defects, and with openapi-core's validator.

    Exit code 2 when a document cannot be read as a whole: it is Swagger 2.0, or refers to what is not in its folder.
    """
    with exit_on_error():
        targets, code = ReportTargets.parse(format, report), COULD_NOT_RUN
        contracts, is_complete = _load_all(documents, overlay)
        found: list[tuple[Contract, tuple[Finding, ...]]] = []
        with progress("checking the documents") as shown:
            for contract in contracts:
                shown.counted(len(found), len(contracts))
                found.append((contract, _findings(contract)))
        several = len(documents or ()) > 1
        findings = tuple(
            replace(finding, source=" ".join(filter(None, (contract.source, finding.source)))) if several else finding
            for contract, examined in found
            for finding in examined
        )
        title = f"{len(found)} documents" if several else next((contract.source for contract, _ in found), "")
        if found:
            facts = {"documents": [_summary(contract, len(examined)) for contract, examined in found]}
            checked = Report(f"Check of {title}", findings, facts, breaks="the rules of OpenAPI", examined=title)
            code = targets.finish(checked, fail_on)
        partial = [f"{contract.source}: {contract.partial_reason}" for contract in contracts if contract.partial_reason]
        for problem in partial:
            print_error(problem)
        raise typer.Exit(code if is_complete and not partial else COULD_NOT_RUN)


@app.command(cls=Command, epilog="bodydouble contract fingerprint vendored upstream")
def fingerprint(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar=CONTRACT_METAVAR, help="Contracts to read. Default: the vendored one."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["text", "json"], typer.Option("--format", help="One line for each document, or a JSON array.")
    ] = "text",
) -> None:
    """Print the fingerprint of each document's structure. Descriptions, examples and order make no difference."""
    with exit_on_error():
        contracts, is_complete = _load_all(documents)
        rows: list[dict[str, str]] = []
        for contract in contracts:
            problem = _problem(contract)
            if problem is None:
                rows.append({"fingerprint": contract.fingerprint, "source": contract.source})
            else:
                print_error(problem)
                is_complete = False
        lines = json.dumps(rows, indent=2) if format == "json" else "\n".join("  ".join(row.values()) for row in rows)
        if rows:
            print_text(f"{lines}\n")
        raise typer.Exit(0 if is_complete else COULD_NOT_RUN)


@app.command(cls=Command, epilog="bodydouble contract update upstream --dry-run")
def update(
    document: Annotated[
        str, typer.Argument(metavar=f"{CONTRACT_METAVAR}|upstream", help="Revision to adopt.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the changes, and write nothing.")] = False,
    spec_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with openapi.json, overlay.yaml and provenance.json. Default: that of bodydouble.",
        ),
    ] = None,
    format: Format = ReportFormat.TEXT,  # noqa: A002 - the option's name
    report: Reports = None,
    config: Config = None,
) -> None:
    """Make a revision of the published document the vendored contract, and show the changes.

    The structure is adopted; its descriptions are not, and bodydouble's own are kept where the place still exists. Overlay actions that no
    longer match anything are reported.
    """
    with exit_on_error():
        # Checked first, because the changes could not be reported after the contract was replaced.
        targets = ReportTargets.parse(format, report)
        severities = load_severities(config)
        folder = _folder(spec_dir, will_write=not dry_run)
        with progress("reading and comparing the revision") as shown:
            adoption = adopt(resolve_source(document), folder, datetime.now(UTC).date(), shown.downloaded)
        if not dry_run:
            try:
                write_together(folder, adoption.files)
            except OSError as error:
                exit_with_error(
                    f"{folder}: {error.strerror or error}; nothing was changed: make the folder's files writable, or name another with --spec-dir"
                )
        facts = {**_adoption_facts(adoption, folder, dry_run=dry_run), **severities_fact(severities)}
        findings = (*severities.apply(adoption.changes), *adoption.findings)
        verb = "would adopt" if dry_run else "adopted"
        title = f"Contract update: {verb} {adoption.new.source}"
        found = Report(title, findings, facts, "changes", breaks="clients")
        raise typer.Exit(targets.finish(found, "never"))


def _load(document: str | None, overlay: str | None, shown: ProgressLine | None = None) -> Contract:
    contract = load_contract(document, overlay, is_partial_allowed=True, shown=shown)
    _ = contract.fingerprint  # fails for a document that is nested too deep
    return contract


def _load_all(documents: list[str] | None, overlay: str | None = None) -> tuple[list[Contract], bool]:
    """Return the contracts that can be loaded, and whether these are all; an error is printed for each other one."""
    contracts: list[Contract] = []
    wanted: list[str | None] = [*documents] if documents else [None]
    problems: list[str] = []
    with progress("reading the documents") as shown:
        for number, document in enumerate(wanted):
            shown.counted(number, len(wanted))
            try:
                contracts.append(_load(document, overlay, shown))
            except SpecError as error:
                problems.append(str(error))
    for problem in problems:
        print_error(problem)
    return contracts, len(contracts) == len(wanted)


def _problem(contract: Contract) -> str | None:
    """Return why a document is not an OpenAPI document or not read as a whole, or None."""
    problem = unreadable_reason(contract) or contract.partial_reason
    return None if problem is None else f"{contract.source}: {problem}"


def _summary(contract: Contract, findings: int) -> dict[str, Any]:
    return {
        "document": contract.source,
        "OpenAPI": contract.document.get("openapi"),
        "operations": len(contract.operations),
        "findings": findings,
        "fingerprint": contract.fingerprint if contract.published else None,
    }


def _findings(contract: Contract) -> tuple[Finding, ...]:
    """Return the defects of a document, and the validator's errors in it as published and as repaired.

    Raises SpecError when openapi-spec-validator is not installed, or the references expand to too much for it.
    """
    if not contract.published:
        return contract.findings
    contract.refuse_expansion()
    defects = (*contract.findings, *contract.unusable)
    errors = document_errors(contract.published)
    # The validator takes seconds for a large document: one that was not changed is validated once.
    is_changed = contract.document != contract.published
    return merge(defects, errors, document_errors(contract.document) if is_changed else errors)


def merge(defects: Iterable[Finding], published: Iterable[Finding], repaired: Iterable[Finding]) -> tuple[Finding, ...]:
    """Merge defects with the validator's errors in the published and in the repaired document.

    A defect that the validator found too names it as its source. An error in both documents is reported once.
    """
    errors = list(dict.fromkeys(published))
    merged = [
        replace(defect, source=_VALIDATOR)
        if defect.repaired is not None and any(_is_same_place(error, defect) for error in errors)
        else defect
        for defect in defects
    ]
    places = [defect for defect in merged if defect.source == _VALIDATOR]
    others = [error for error in errors if not any(_is_same_place(error, defect) for defect in places)]
    remaining = [
        replace(error, id=f"repaired-{error.id}", message=f"in the document as repaired: {error.message}")
        for error in dict.fromkeys(repaired)
        if error not in errors
    ]
    return (*merged, *others, *remaining)


def _is_same_place(error: Finding, defect: Finding) -> bool:
    """Tell whether both are about one place; a missing member is reported at its own place, or at its parent's."""
    holder = error.pointer.rpartition("/")[0]
    return defect.pointer in {error.pointer, holder if error.id == "openapi-required" else error.pointer}


def _folder(spec_dir: Path | None, *, will_write: bool) -> Path:
    if spec_dir is not None:
        return spec_dir
    folder = Path(bodydouble_spec.__file__).parent
    if will_write and not is_checkout(folder):
        exit_with_error(
            f"{folder} belongs to an installed bodydouble, which the next installation overwrites; run this in a checkout "
            "(pip install -e .), name a copy of the folder with --spec-dir, or only look with --dry-run"
        )
    return folder


def _adoption_facts(adoption: Adoption, folder: Path, *, dry_run: bool) -> dict[str, Any]:
    names = list(adoption.files)
    provenance = adoption.provenance
    return {
        "folder": str(folder),
        "written": "nothing" if dry_run else names,
        "published at": provenance["document"],
        "revision": f"{provenance['revision']} of {provenance['date']}",
        "model": provenance["model"] or None,
        "fingerprint before": adoption.old.fingerprint,
        "fingerprint now": adoption.new.fingerprint,
    }


def is_checkout(folder: Path) -> bool:
    """Tell whether a package folder belongs to a checkout of bodydouble, rather than to an installed copy."""
    if _INSTALLED & {*folder.parts}:
        return False
    try:
        settings: dict[str, Any] = tomllib.loads((folder.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, IndexError):
        return False
    project = settings.get("project")
    return is_object(project) and project.get("name") == "bodydouble"


def write_together(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the named files into a folder. When one cannot be written, all are restored and OSError is raised."""
    before = {name: _content(folder / name) for name in files}
    waiting = {name: folder / f".{name}.new" for name in files}
    replaced: list[str] = []
    try:
        for name, place in waiting.items():
            place.write_bytes(files[name])
        for name, place in waiting.items():
            place.replace(folder / name)
            replaced.append(name)
    except BaseException:
        for name in replaced:
            _restore(folder / name, before[name])
        raise
    finally:
        for place in waiting.values():
            place.unlink(missing_ok=True)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
