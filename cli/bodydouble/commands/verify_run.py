"""One verification: planned, run against a server or read from a recording, and reported.

It needs the extra, which the help of ``bodydouble verify`` does not.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.verification import (
    CannotVerify,
    Observation,
    OperationProfile,
    ServerConfig,
    Target,
    Verification,
    VerifyOptions,
    catalogue,
    default_recording,
    plan_verification,
    resolve_server,
    verify,
    verify_recording,
    with_baseline,
)
from bodydouble_spec import Report, ReportFormat, flattened
from bodydouble_spec.recording import read_stored_recording
from bodydouble_spec.report import Baseline
from bodydouble_spec.snippets import curl_command, with_picture_file

from bodydouble.commands.verify_report import (
    build_report,
    checks_json,
    checks_text,
    plan_json,
    plan_text,
    progress_listener,
    report_pictures,
)
from bodydouble.console import (
    COULD_NOT_RUN,
    exit_with_error,
    for_terminal,
    print_error,
    print_text,
)
from bodydouble.defects import reading_notes
from bodydouble.options import FailOnName
from bodydouble.progress import progress
from bodydouble.reports import KnownFindings, ReportTargets

__all__ = [
    "CompletedRun",
    "finish",
    "print_checks",
    "print_plan",
    "run_on_recording",
    "run_on_server",
]


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A verification, the facts known before it, and the origin of its server, None for a recording."""

    profile: OperationProfile
    verification: Verification
    run_facts: Mapping[str, Any]
    origin: str | None = None

    def report(self, baseline: Baseline | None, *, with_pictures: bool) -> Report:
        """Build the report; a finding of the baseline is muted."""
        found = self.verification
        verification = found if baseline is None else with_baseline(found, baseline)
        pictures = report_pictures(found.observations, self._curl) if with_pictures else ()
        return build_report(self.profile, verification, self.run_facts, baseline, pictures)

    def _curl(self, observation: Observation) -> str:
        """Return a call as a curl command; its key was removed before."""
        path, headers = self.profile.target
        command = curl_command(
            self.profile.operation.method,
            path,
            origin=self.origin,
            headers={**headers, "content-type": self.profile.operation.json_media_type},
            body=observation.sent.decode("utf-8", "replace"),
            security=self.profile.operation.security,
        )
        return with_picture_file(command)


def run_on_server(
    profile: OperationProfile,
    options: VerifyOptions,
    server: ServerConfig,
    *,
    timeout_s: float,
    authorities: Path | None,
    quiet: bool,
) -> CompletedRun:
    """Verify a server. Raises CannotVerify before anything is sent."""
    if options.recording is None and server.is_live:
        options = replace(options, recording=default_recording(datetime.now(UTC)))
    run_facts = {
        "server": f"{server.base_url} (live)" if server.is_live else server.base_url,
        **_contract_facts(profile),
    }
    if options.recording is not None:
        run_facts["recording"] = str(options.recording)
        if server.is_live:
            print_error(
                f"results are kept in {options.recording}; continue after an interruption with --resume {options.recording}"
            )
    certificates = True if authorities is None else authorities
    with (
        Target(server.base_url, server.api_key, timeout_s=timeout_s, verify=certificates) as target,
        progress_listener(quiet=quiet) as listener,
    ):
        verification = verify(profile, target, options, on_event=listener)
    return CompletedRun(profile, verification, run_facts, target.base)


def run_on_recording(
    profile: OperationProfile, file: Path, only: Collection[str] | None, max_age_days: float
) -> CompletedRun:
    """Verify the answers in a recording. Raises CannotVerify when it cannot be read."""
    try:
        with progress(f"reading {file}") as shown:
            recording = read_stored_recording(file)
            shown.update("checking the recorded answers")
            verification = verify_recording(profile, recording, datetime.now(UTC), max_age_days)
    except OSError as error:
        raise CannotVerify(f"--exchanges {file}: {error.strerror or error}; name a recording or a journal") from None
    run_facts = {"recording": str(file), **_contract_facts(profile), "exchanges": len(recording.exchanges)}
    if not verification.observations:
        # No findings because nothing was examined: that must not pass.
        problem = f"{file} has no exchange of {profile.operation.key} that can be checked"
        verification = replace(verification, incomplete=problem)
    return CompletedRun(profile, _filter_checks(verification, only), run_facts)


def _filter_checks(verification: Verification, only: Collection[str] | None) -> Verification:
    """Keep the results of the selected checks, and findings about the recording itself."""
    if only is None:
        return verification
    known = {check.id for check in verification.checks}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise CannotVerify(f"there is no check {unknown[0]!r}; bodydouble verify --list lists the checks")
    others = known - {*only}
    return replace(
        verification,
        checks=tuple(check for check in verification.checks if check.id not in others),
        findings=tuple(item for item in flattened(verification.findings) if item.id.partition("/")[0] not in others),
    )


def _contract_facts(profile: OperationProfile) -> dict[str, Any]:
    notes = reading_notes(profile.contract)
    return {
        "contract": profile.contract.source,
        "operation": profile.operation.key,
        **({"parts of the contract read differently than written": notes} if notes else {}),
    }


def print_checks(profile: OperationProfile, format: ReportFormat) -> None:  # noqa: A002 - the option's name
    """Print the catalogue of checks (``--list``)."""
    _check_format("--list", format)
    written = checks_json if format is ReportFormat.JSON else checks_text
    _print_written(written(profile, catalogue(profile)), format)


def print_plan(
    profile: OperationProfile,
    options: VerifyOptions,
    base_url: str | None,
    format: ReportFormat,  # noqa: A002 - the option's name
) -> None:
    """Print the plan (``--dry-run``) for a server, the real API when none is named; nothing is sent and no key is needed."""
    _check_format("--dry-run", format)
    is_live = options.is_live or base_url is None
    server = resolve_server(profile, base_url=base_url, api_key="not needed", is_live=is_live, environ={})
    plan = plan_verification(
        profile,
        billed=server.is_live,
        max_usd=options.max_usd,
        price_usd=options.price_usd,
        only=options.only,
        image_url=options.image_url,
    )
    for note in reading_notes(profile.contract):
        print_error(f"{profile.contract.source}: {note}")
    written = plan_json if format is ReportFormat.JSON else plan_text
    _print_written(written(plan, profile, server.base_url, is_billed=server.is_live), format)


def _print_written(text: str, format: ReportFormat) -> None:  # noqa: A002 - the option's name
    """Print what `_check_format` allows; in a terminal, lines of text are broken between words."""
    print_text(for_terminal(text) if format is ReportFormat.TEXT else text)


def _check_format(option: str, format: ReportFormat) -> None:  # noqa: A002 - the option's name
    if format not in {ReportFormat.TEXT, ReportFormat.JSON}:
        exit_with_error(f"{option} is printed as text or json, not as {format}")


def finish(completed: CompletedRun, known: KnownFindings, targets: ReportTargets, fail_on: FailOnName) -> int:
    """Report the findings and return the exit code."""
    report = completed.report(known.baseline, with_pictures=targets.has_html)
    code = targets.finish(report, fail_on)
    found = completed.verification
    if found.incomplete is not None:
        print_error(found.incomplete if report.is_empty else f"incomplete: {found.incomplete}")
        return COULD_NOT_RUN
    return known.finish(found.findings, code)
