"""``bodydouble contract update``: adopt a revision of the published document."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bodydouble.commands.diff import severities_fact
from bodydouble.console import exit_on_error, exit_with_error, print_report
from bodydouble.options import Config, Format, Output, load_severities, resolve_source

if TYPE_CHECKING:
    from bodydouble_spec.adoption import Adoption

__all__ = ["is_checkout", "update", "write_together"]

_INSTALLED = {"site-packages", "dist-packages"}


def is_checkout(folder: Path) -> bool:
    """Tell whether a package folder belongs to a checkout of bodydouble, rather than to an installed copy."""
    import tomllib

    from bodydouble_spec import is_object

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
