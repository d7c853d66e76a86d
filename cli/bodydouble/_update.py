"""``bodydouble contract update``: adopt a revision of the published document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble._diff import severities_fact
from bodydouble._options import Format, Output
from bodydouble._output import exit_on_error, exit_with_error, print_report
from bodydouble._sources import Config, load_severities, resolve_source
from bodydouble._update_files import is_checkout, write_together

if TYPE_CHECKING:
    from bodydouble_spec.adoption import Adoption

__all__ = ["update"]


def update(
    document: Annotated[
        str, typer.Argument(metavar="FILE|URL|upstream", help="Revision to adopt.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the changes, and write nothing.")] = False,
    spec_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with openapi.json, overlay.yaml and provenance.json. Default: that of bodydouble.",
        ),
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    output: Output = None,
    config: Config = None,
) -> None:
    """Make a revision of the published document the vendored contract, and show the changes.

    The structure is adopted; its descriptions are not, and bodydouble's own are kept where the place still exists. Overlay actions that no
    longer match anything are reported.
    """
    with exit_on_error():
        from bodydouble_spec import Report
        from bodydouble_spec.adoption import adopt

        severities = load_severities(config)
        if output is not None and not (output.parent.is_dir() and not output.is_dir()):
            # Checked first, because the changes could not be reported after the contract was replaced.
            exit_with_error(f"{output}: --output needs a file in a folder that exists; nothing was changed")
        folder = _folder(spec_dir, will_write=not dry_run)
        adoption = adopt(resolve_source(document), folder, datetime.now(UTC).date())
        if not dry_run:
            try:
                write_together(folder, adoption.files)
            except OSError as error:
                exit_with_error(
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
        exit_with_error(
            f"{folder} belongs to an installed bodydouble, which the next installation overwrites; run this in a checkout "
            "(pip install -e .), name a copy of the folder with --spec-dir, or only look with --dry-run"
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
