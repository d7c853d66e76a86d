"""``bodydouble contract update``: adopt a revision of the published document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble._diff import severities_fact
from bodydouble._options import Format, Output
from bodydouble._output import print_report, stop, stopping
from bodydouble._sources import Config, address_of, load_severities
from bodydouble._update_files import is_checkout, write_together

if TYPE_CHECKING:
    from bodydouble_spec.changes import Adoption

__all__ = ["update"]


def update(
    document: Annotated[
        str, typer.Argument(metavar="FILE|URL|upstream", help="The revision to adopt.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    spec_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder with openapi.json, overlay.yaml and provenance.json. Default: bodydouble's own.",
        ),
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    output: Output = None,
    config: Config = None,
) -> None:
    """Make a revision of the published document the vendored contract, and show what that changes.

    Its structure is taken over, its prose is not: our own descriptions stay where the place is still there. Overlay actions that no longer
    match anything are named.
    """
    with stopping():
        from bodydouble_spec import Report
        from bodydouble_spec.changes import adopt

        severities = load_severities(config)
        if output is not None and not (output.parent.is_dir() and not output.is_dir()):
            # Found out now: afterwards the contract would be another one, and what changed could not be told any more.
            stop(f"{output}: --output needs a file in a folder that exists; nothing was changed")
        folder = _folder(spec_dir, will_write=not dry_run)
        adoption = adopt(address_of(document), folder, datetime.now(UTC).date())
        if not dry_run:
            try:
                write_together(folder, adoption.files)
            except OSError as error:
                stop(
                    f"{folder}: {error.strerror or error}; nothing was changed: make the folder's files writable, or name another with --spec-dir"
                )
        facts = {**_facts(adoption, folder, dry_run=dry_run), **severities_fact(severities)}
        findings = (*severities.apply(adoption.changes), *adoption.findings)
        verb = "would adopt" if dry_run else "adopted"
        print_report(
            Report(f"contract update: {verb} {adoption.new.source}", findings, facts, "changes"), format, output
        )


def _folder(spec_dir: Path | None, *, will_write: bool) -> Path:
    if spec_dir is not None:
        return spec_dir
    import bodydouble_spec

    folder = Path(bodydouble_spec.__file__).parent
    if will_write and not is_checkout(folder):
        stop(
            f"{folder} belongs to an installed bodydouble, which the next installation overwrites; run this in a checkout "
            "(pip install -e .), or name a copy of that folder's files with --spec-dir, or look first with --dry-run"
        )
    return folder


def _facts(adoption: "Adoption", folder: Path, *, dry_run: bool) -> dict[str, Any]:
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
