"""One verification as the options of the command have it: planned, run against a server, or read from a recording."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.faces import ServerConfig, default_recording, resolve_server
from bodydouble_contract_tests.verification import (
    CannotVerify,
    Observation,
    OperationProfile,
    Plan,
    Target,
    Verification,
    VerifyOptions,
    plan_verification,
    verify,
    verify_recording,
)
from bodydouble_spec import read_exchanges
from bodydouble_spec.curl import curl_command

from bodydouble._output import complain
from bodydouble._verify_progress import watching

__all__ = ["Choices", "Outcome", "plan_of", "run"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options say; see the command's help for each."""

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
class Outcome:
    """A verification, the facts that were known before it, and how a call of it is written as a command."""

    verification: Verification
    where: dict[str, Any]
    request_of: Callable[[Observation], str]


def plan_of(subject: OperationProfile, choices: Choices) -> tuple[Plan, ServerConfig]:
    """The plan and the server that it is for, the real one when none is named; nothing is sent and no key is needed."""
    is_live = choices.is_live or choices.base_url is None
    server = resolve_server(subject, base_url=choices.base_url, api_key="not needed", is_live=is_live, environ={})
    return _plan(subject, choices, server), server


def run(subject: OperationProfile, choices: Choices) -> Outcome:
    """Verify a recording if one is named, else a server. Raises CannotVerify, before anything is sent."""
    if choices.exchanges is not None:
        return _offline(subject, choices, choices.exchanges)
    server = resolve_server(
        subject,
        base_url=choices.base_url,
        api_key=choices.api_key,
        is_live=choices.is_live,
        environ=os.environ,
    )
    where = {"server": f"{server.base_url} (live)" if server.is_live else server.base_url, **_contract(subject)}
    recording = choices.record or choices.resume
    if recording is None and server.is_live:
        recording = default_recording(datetime.now(UTC))
    if recording is not None:
        where["recording"] = str(recording)
        if server.is_live:
            complain(f"results are kept in {recording}; after an interruption go on with --resume {recording}")
    with (
        Target(
            server.base_url,
            server.api_key,
            timeout_s=choices.timeout_s,
            verify=True if choices.authorities is None else choices.authorities,
        ) as target,
        watching(quiet=choices.is_quiet) as listener,
    ):
        options = VerifyOptions(
            is_live=server.is_live,
            max_usd=choices.max_usd,
            price_usd=choices.price_usd,
            examples=choices.examples,
            seed=choices.seed,
            only=choices.only,
            image_url=choices.image_url,
            max_wait_s=choices.max_wait_s,
            recording=recording,
            resume=choices.resume,
        )
        verification = verify(subject, target, options, on_event=listener)
    return Outcome(verification, where, _writer(subject, target.base))


def _offline(subject: OperationProfile, choices: Choices, file: Path) -> Outcome:
    try:
        log = read_exchanges(file)
    except OSError as error:
        raise CannotVerify(f"--exchanges {file}: {error.strerror or error}; name a recording or a journal") from None
    verification = verify_recording(subject, log, datetime.now(UTC))
    where = {"recording": str(file), **_contract(subject), "exchanges": len(log.exchanges)}
    if not verification.observations:
        # Nothing was found because nothing was looked at: that must not pass.
        problem = f"{file} has no exchange of {subject.operation.key} that can be judged"
        verification = replace(verification, incomplete=problem)
    return Outcome(_only(verification, choices.only), where, _writer(subject, None))


def _only(verification: Verification, only: tuple[str, ...] | None) -> Verification:
    """What a recording shows of the chosen checks; findings of no check are about the recording, and stay."""
    if only is None:
        return verification
    known = {check.id for check in verification.checks}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise CannotVerify(f"there is no check {unknown[0]!r}; bodydouble verify --list has those that there are")
    others = known - {*only}
    return replace(
        verification,
        checks=tuple(check for check in verification.checks if check.id not in others),
        findings=tuple(item for item in verification.findings if item.id.partition("/")[0] not in others),
    )


def _plan(subject: OperationProfile, choices: Choices, server: ServerConfig) -> Plan:
    return plan_verification(
        subject,
        billed=server.is_live,
        max_usd=choices.max_usd,
        price_usd=choices.price_usd,
        only=choices.only,
        image_url=choices.image_url,
    )


def _contract(subject: OperationProfile) -> dict[str, Any]:
    return {"contract": subject.contract.source, "operation": subject.operation.key}


def _writer(subject: OperationProfile, origin: str | None) -> Callable[[Observation], str]:
    """Writes a call as a curl command; what was sent holds no key by now."""

    def write(observation: Observation) -> str:
        return curl_command(
            subject.operation.method,
            subject.operation.path,
            origin=origin,
            headers={"content-type": "application/json"},
            body=observation.sent.decode("utf-8", "replace"),
            with_key=True,
        )

    return write
