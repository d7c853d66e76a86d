"""The options that several commands share, and the contracts and severities that they name."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from bodydouble_spec import Contract, is_object, provenance
from bodydouble_spec.bundle import Bundle
from bodydouble_spec.exchange import Redactor

from bodydouble.progress import ProgressLine, progress

if TYPE_CHECKING:
    from bodydouble_spec.diff import Severities

__all__ = [
    "CONTRACT_METAVAR",
    "MAX_AGE_DAYS",
    "SOURCE_HELP",
    "UPSTREAM",
    "VENDORED",
    "BaselineOption",
    "Config",
    "ContractOption",
    "ContractsOption",
    "FailOn",
    "FailOnName",
    "InterceptOption",
    "MaxAgeOption",
    "ModelOption",
    "OperationOption",
    "OverlayOption",
    "ReplayIgnoreOption",
    "ReplayOption",
    "ScenarioModelOption",
    "ScenarioOperationOption",
    "WriteBaselineOption",
    "for_operation",
    "load_contract",
    "load_contracts",
    "load_published",
    "load_severities",
    "resolve_source",
    "severities_fact",
    "unreadable_reason",
]

FailOnName = Literal["error", "warning", "info", "never"]

FailOn = Annotated[
    FailOnName,
    typer.Option(
        "--fail-on", help="Exit with 1 when there are findings of this severity or worse.", rich_help_panel="Report"
    ),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="File of known findings, which are not reported again.",
        rich_help_panel="Report",
    ),
]
WriteBaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--write-baseline",
        metavar="FILE",
        help="Write the findings as a baseline, and exit with 0.",
        rich_help_panel="Report",
    ),
]


SOURCE_HELP = "a document, a folder with document, overlay and provenance, a URL, `vendored` or `upstream`"
CONTRACT_METAVAR = "FILE|FOLDER|URL|vendored"
VENDORED = "vendored"
UPSTREAM = "upstream"
_UNREADABLE = "document-unreadable"

_CONTRACT_HELP = (
    "a document, a folder with document, overlay and provenance, or a URL. Default: vendored, the one of bodydouble."
)

ContractOption = Annotated[
    str | None,
    typer.Option(
        "--contract", metavar=CONTRACT_METAVAR, help=f"The contract: {_CONTRACT_HELP}", rich_help_panel="Contract"
    ),
]
ContractsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--contract",
        metavar=CONTRACT_METAVAR,
        help=f"A contract to serve, repeatable: {_CONTRACT_HELP}",
        rich_help_panel="Contract",
    ),
]
OverlayOption = Annotated[
    str | None,
    typer.Option(
        "--overlay",
        metavar="FILE|none",
        help="Overlay to apply. Default: that of the folder, or overlay.yaml next to the document, else the one of bodydouble.",
        rich_help_panel="Contract",
    ),
]

InterceptOption = Annotated[
    bool,
    typer.Option(
        "--intercept",
        help="Answer for the real host itself too, for programs with its address in the code.",
        rich_help_panel="Server",
    ),
]
ReplayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--replay", metavar="DIR", help="Answer from this recording; repeatable.", rich_help_panel="Recordings"
    ),
]
ReplayIgnoreOption = Annotated[
    list[str] | None,
    typer.Option(
        "--replay-ignore",
        metavar="POINTER",
        help="JSON pointer of a value in requests to ignore when matching; repeatable.",
        rich_help_panel="Recordings",
    ),
]
MAX_AGE_DAYS = 90
MaxAgeOption = Annotated[
    float,
    typer.Option(
        "--max-age-days",
        min=0,
        metavar="DAYS",
        help="Age in days from which a recorded call is reported as old.",
        rich_help_panel="Recordings",
    ),
]
OperationOption = Annotated[
    str | None,
    typer.Option(
        "--operation",
        metavar='"POST /path"',
        help="The operation, by method and path, path or operationId.",
        rich_help_panel="Contract",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="The model, where the operation is for several, or several contracts have it.",
        rich_help_panel="Contract",
    ),
]
ScenarioOperationOption = Annotated[
    str | None,
    typer.Option(
        "--operation",
        metavar='"POST /path"',
        help="With --scenario: the operation that it is for, by method and path, path or operationId.",
        rich_help_panel="Answers",
    ),
]
ScenarioModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="With --scenario: the model that it is for, where several have the operation.",
        rich_help_panel="Answers",
    ),
]

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML file with severities. Default: the nearest pyproject.toml in this folder or above it.",
        rich_help_panel="Report",
    ),
]


def resolve_source(source: str) -> str:
    """Return the file or URL of a source; ``upstream`` is the address of the vendored document, ``vendored`` is returned as it is."""
    return provenance()["document"] if source == UPSTREAM else source


def load_contract(
    source: str | None,
    overlay: str | None = None,
    *,
    is_partial_allowed: bool = False,
    shown: ProgressLine | None = None,
) -> Contract:
    """Load the contract of ``--contract`` and ``--overlay``. Raises SpecError when it cannot be used, or only a part of it is read.

    ``shown`` is the progress of a larger task that it belongs to.
    """
    found = None if source is None else resolve_source(source)
    with _reading(found, shown) as progress_of_it:
        chosen = True if overlay is None else overlay
        contract = Contract.load(found, overlay=chosen, on_download=progress_of_it.downloaded)
    if not is_partial_allowed:
        contract.refuse_partial()
    return contract


def load_contracts(sources: Sequence[str] | None, overlay: str | None = None) -> list[Contract]:
    """Load the contracts of a repeatable ``--contract``; without one, the vendored contract. Raises SpecError."""
    return [load_contract(source, overlay) for source in sources or (None,)]


def for_operation(scenario: Any, operation: str | None, model: str | None) -> Any:
    """Return a scenario for the operation and the model of the options, unless it names its own."""
    chosen = {name: value for name, value in (("operation", operation), ("model", model)) if value is not None}
    return {**chosen, **scenario} if is_object(scenario) else scenario


def load_published(source: str, shown: ProgressLine | None = None) -> Contract:
    """Load the contract as published, without its overlay. Raises SpecError when it cannot be read, or its overlay is malformed."""
    overlay = None if source == VENDORED else Bundle.find(resolve_source(source)).overlay
    if overlay is not None:
        from bodydouble_spec import Overlay

        Overlay.load(overlay)  # not needed here, but a bad folder is one for every command
    found = resolve_source(source)
    with _reading(found, shown) as progress_of_it:
        return Contract.load(found, overlay=None, on_download=progress_of_it.downloaded)


def _reading(source: str | None, shown: ProgressLine | None) -> AbstractContextManager[ProgressLine]:
    return progress(f"reading {Redactor().text(source or VENDORED)}") if shown is None else nullcontext(shown)


def unreadable_reason(contract: Contract) -> str | None:
    """Return why a document is not an OpenAPI document, or None when it is one."""
    return next((finding.message for finding in contract.findings if finding.id == _UNREADABLE), None)


def load_severities(config: Path | None) -> "Severities":
    """Load the severities of that file, or of the nearest ``pyproject.toml``. Raises SpecError when they cannot be used."""
    # Imported here: `serve` needs other options of this module, and starts sooner.
    from bodydouble_spec.diff import Severities

    return Severities.find(Path.cwd()) if config is None else Severities.load(config)


def severities_fact(severities: "Severities") -> dict[str, Any]:
    """Return the fact that names the file of the severities, or nothing when none were configured."""
    return {"severities from": str(severities.source)} if severities.chosen else {}
