"""The checks of a verification as pytest items: ``pytest --pyargs bodydouble_contract_tests --base-url URL``, or ``--live``.

There is one item for each check. The calls for the selected checks are made once, when the first item runs. A check with errors fails, a check
that no call tested is skipped, and a check whose findings are all in the baseline is an expected failure. When the run ends early, the checks
without errors fail too. Without a server the collection fails with an error.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, Report, Severity, SpecError, flattened, render
from bodydouble_spec.report import BadBaseline, Baseline

from bodydouble_contract_tests.errors import CannotVerify, UnsupportedSchema
from bodydouble_contract_tests.model import Check, OperationProfile, Verification, catalogue
from bodydouble_contract_tests.run import VerifyOptions, verify, with_baseline
from bodydouble_contract_tests.target import ServerConfig, Target, default_recording, resolve_server

__all__ = ["test_contract"]

_FORESEEN = (CannotVerify, UnsupportedSchema, SpecError)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each check of the contract, or fail the collection with one error when they cannot run."""
    if "check" not in metafunc.fixturenames:
        return
    try:
        profile = _profile(metafunc.config)
        _server_config(metafunc.config, profile)
        _baseline(metafunc.config)
    except _FORESEEN as error:
        raise pytest.Collector.CollectError(f"{error} (pytest --pyargs bodydouble_contract_tests --help)") from None
    checks = catalogue(profile)
    metafunc.parametrize("check", checks, ids=[check.id for check in checks])


@pytest.fixture(scope="module")
def verification(request: pytest.FixtureRequest) -> Verification:
    """Make the calls for the selected checks and return the result; when they cannot be made, every item fails."""
    config = request.config
    if _option(config, "live") and hasattr(config, "workerinput"):
        pytest.fail("with --live each worker of pytest-xdist would pay for its own run; leave out -n", pytrace=False)
    baseline = _baseline(config)
    only = _selected(request)
    result = _verified_or_problem(config, only)
    if isinstance(result, str):
        pytest.fail(result, pytrace=False)
    if baseline is not None:
        result = with_baseline(result, baseline)
    config.pluginmanager.register(_Summary(result, is_whole=only is None))
    return result


def test_contract(check: Check, verification: Verification, record_property: Callable[[str, object], None]) -> None:
    """Test the claim of one check."""
    found = [finding for finding in flattened(verification.findings) if finding.id.partition("/")[0] == check.id]
    text = render(Report(check.claim, tuple(found), verdict=check.claim)) if found else ""
    if any(finding.severity is Severity.ERROR for finding in found):
        pytest.fail(text, pytrace=False)
    if verification.incomplete is not None:
        pytest.fail(f"incomplete: {verification.incomplete}", pytrace=False)
    for finding in found:
        record_property(str(finding.severity), f"{finding.id}: {finding.message}")
    print(text, end="")  # noqa: T201 - a warning is no failure; pytest -rP and the JUnit report show it
    if any(finding.id.partition("/")[0] == check.id for finding in verification.muted):
        pytest.xfail("known by the baseline")
    if verification.outcomes.get(check.id, "not run") == "not run":
        pytest.skip(verification.unbought.get(check.id, "no call tested it"))


class _Summary:
    """The cost and the findings of the run, for the end of pytest's output."""

    def __init__(self, result: Verification, *, is_whole: bool) -> None:
        self._result = result
        self._is_whole = is_whole

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the summary below the results."""
        result = self._result
        facts = [f"{result.requests} request{'' if result.requests == 1 else 's'}"]
        if self._is_whole:
            proved = sum(map(bool, result.coverage.values()))
            facts.append(f"{proved} of {len(result.coverage)} contract elements proved")
        if result.paid_images:
            usd = "" if result.usd is None else f", {result.usd:.3f} USD"
            facts.append(f"{result.paid_images} images paid{usd}")
        if result.gone:
            facts.append(f"no longer found: {', '.join(result.gone)}")
        terminalreporter.write_line(f"bodydouble: {'; '.join(facts)}")


def _profile(config: pytest.Config) -> OperationProfile:
    contract = Contract.load(_option(config, "contract"), overlay=_option(config, "overlay") or True)
    contract.refuse_partial()
    return OperationProfile.select(contract, _option(config, "operation"), _option(config, "model"))


def _selected(request: pytest.FixtureRequest) -> list[str] | None:
    """Return the ids of the checks whose items are going to run; None when all are."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    checks: list[Any] = [item.callspec.params["check"] for item in items]
    chosen: list[str] = [check.id for check in checks]
    return None if len(chosen) == len(catalogue(_profile(request.config))) else chosen


def _baseline(config: pytest.Config) -> Baseline | None:
    file = _option(config, "baseline")
    if file is None:
        return None
    try:
        return Baseline.parse(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotVerify(f"--baseline {file}: {error.strerror or error}") from None
    except (BadBaseline, UnicodeDecodeError) as error:
        raise CannotVerify(f"--baseline {file}: {error}") from None


def _option(config: pytest.Config, name: str, otherwise: Any = None) -> Any:
    return config.getoption(name, otherwise)


def _server_config(config: pytest.Config, profile: OperationProfile) -> ServerConfig:
    return resolve_server(
        profile,
        base_url=_option(config, "base_url") or None,
        api_key=_option(config, "api_key"),
        is_live=bool(_option(config, "live")),
        environ=os.environ,
    )


def _verified_or_problem(config: pytest.Config, only: list[str] | None) -> Verification | str:
    """Return the result, or the reason why nothing was sent.

    The reason is returned rather than raised, since pytest would show both errors of a failure that is raised from another.
    """
    try:
        return _verify(config, only)
    except _FORESEEN as error:
        return str(error)


def _verify(config: pytest.Config, only: list[str] | None) -> Verification:
    profile = _profile(config)
    server = _server_config(config, profile)
    files = [_option(config, name) for name in ("record", "resume")]
    record, resume = (None if file is None else Path(file) for file in files)
    if server.is_live and record is None and resume is None:
        record = default_recording(datetime.now(UTC))
    with Target(server.base_url, server.api_key, verify=_option(config, "ca") or True) as target:
        options = VerifyOptions(
            is_live=server.is_live,
            max_usd=_option(config, "max_usd"),
            price_usd=_option(config, "price_usd"),
            examples=_option(config, "examples", 25),
            seed=_option(config, "seed", 0),
            only=only,
            image_url=_option(config, "image_url"),
            recording=record,
            resume=resume,
        )
        return verify(profile, target, options)
