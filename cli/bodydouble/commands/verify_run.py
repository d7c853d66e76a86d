"""One verification with the options of the command: planned, run against a server, or read from a recording."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.verification import (
    CannotVerify,
    Observation,
    OperationProfile,
    Plan,
    ServerConfig,
    Target,
    Verification,
    VerifyOptions,
    default_recording,
    plan_verification,
    resolve_server,
    verify,
    verify_recording,
)
from bodydouble_spec import read_exchanges
from bodydouble_spec.curl import curl_command

from bodydouble.commands.verify_plan import progress_listener
from bodydouble.console import print_error

__all__ = ["CompletedRun", "VerifyCommand", "plan_of", "run"]


@dataclass(frozen=True, slots=True)
class VerifyCommand:
    """The options of the command; its help describes each."""

    base_url: str | None
    api_key: str | None = field(repr=False)
    is_live: bool
    exchanges: Path | None
    only: tuple[str, ...] | None
    examples: int
    seed: int
    max_usd: float | None
    price_usd: float | None
    timeout_s: float
    max_wait_s: float
    image_url: str | None
    record: Path | None
    resume: Path | None
    authorities: Path | None
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A verification, the facts known before it, and a function that returns a call as a command."""

    verification: Verification
    run_facts: dict[str, Any]
    format_request: Callable[[Observation], str]


def plan_of(profile: OperationProfile, options: VerifyCommand) -> tuple[Plan, ServerConfig]:
    """Return the plan and its server, the real API when none is named; nothing is sent and no key is needed."""
    is_live = options.is_live or options.base_url is None
    server = resolve_server(profile, base_url=options.base_url, api_key="not needed", is_live=is_live, environ={})
    return _plan(profile, options, server), server


def run(profile: OperationProfile, options: VerifyCommand) -> CompletedRun:
    """Verify a recording if one is given, else a server. Raises CannotVerify before anything is sent."""
    if options.exchanges is not None:
        return _verify_recording(profile, options, options.exchanges)
    server = resolve_server(
        profile,
        base_url=options.base_url,
        api_key=options.api_key,
        is_live=options.is_live,
        environ=os.environ,
    )
    run_facts = {
        "server": f"{server.base_url} (live)" if server.is_live else server.base_url,
        **_contract_facts(profile),
    }
    recording = options.record or options.resume
    if recording is None and server.is_live:
        recording = default_recording(datetime.now(UTC))
    if recording is not None:
        run_facts["recording"] = str(recording)
        if server.is_live:
            print_error(f"results are kept in {recording}; continue after an interruption with --resume {recording}")
    with (
        Target(
            server.base_url,
            server.api_key,
            timeout_s=options.timeout_s,
            verify=True if options.authorities is None else options.authorities,
        ) as target,
        progress_listener(quiet=options.is_quiet) as listener,
    ):
        settings = VerifyOptions(
            is_live=server.is_live,
            max_usd=options.max_usd,
            price_usd=options.price_usd,
            examples=options.examples,
            seed=options.seed,
            only=options.only,
            max_wait_s=options.max_wait_s,
            recording=recording,
            resume=options.resume,
            image_url=options.image_url,
        )
        verification = verify(profile, target, settings, on_event=listener)
    return CompletedRun(verification, run_facts, _curl_writer(profile, target.base))


def _verify_recording(profile: OperationProfile, options: VerifyCommand, file: Path) -> CompletedRun:
    try:
        log = read_exchanges(file)
    except OSError as error:
        raise CannotVerify(f"--exchanges {file}: {error.strerror or error}; name a recording or a journal") from None
    verification = verify_recording(profile, log, datetime.now(UTC))
    run_facts = {"recording": str(file), **_contract_facts(profile), "exchanges": len(log.exchanges)}
    if not verification.observations:
        # No findings because nothing was examined: that must not pass.
        problem = f"{file} has no exchange of {profile.operation.key} that can be checked"
        verification = replace(verification, incomplete=problem)
    return CompletedRun(_filter_checks(verification, options.only), run_facts, _curl_writer(profile, None))


def _filter_checks(verification: Verification, only: tuple[str, ...] | None) -> Verification:
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
        findings=tuple(item for item in verification.findings if item.id.partition("/")[0] not in others),
    )


def _plan(profile: OperationProfile, options: VerifyCommand, server: ServerConfig) -> Plan:
    return plan_verification(
        profile,
        billed=server.is_live,
        max_usd=options.max_usd,
        price_usd=options.price_usd,
        only=options.only,
        image_url=options.image_url,
    )


def _contract_facts(profile: OperationProfile) -> dict[str, Any]:
    return {"contract": profile.contract.source, "operation": profile.operation.key}


def _curl_writer(profile: OperationProfile, origin: str | None) -> Callable[[Observation], str]:
    """Return a function that formats a call as a curl command; its key was removed before."""

    def write(observation: Observation) -> str:
        return curl_command(
            profile.operation.method,
            profile.operation.path,
            origin=origin,
            headers={"content-type": "application/json"},
            body=observation.sent.decode("utf-8", "replace"),
            with_key=True,
        )

    return write
