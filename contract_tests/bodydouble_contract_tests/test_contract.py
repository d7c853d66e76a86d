"""The checks of a verification as pytest items: ``pytest --pyargs bodydouble_contract_tests --base-url URL``, or ``--live``.

One item a check. The calls are made once, for the checks that are selected, when the first of them runs. A check that found errors fails, one
that was not put to the test is skipped, one whose findings a baseline knows is an expected failure, and what a run that did not come to
its end has not disproved fails too. Nothing runs, and nothing is skipped in silence, without a server.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, Report, Severity, SpecError, render

from bodydouble_contract_tests._aim import Aim, default_recording, take_aim
from bodydouble_contract_tests._baseline import BadBaseline, Baseline
from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._errors import CannotVerify, UnsupportedSchema
from bodydouble_contract_tests._runner import verify
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._target import Target
from bodydouble_contract_tests._verification import Verification

__all__ = ["test_contract"]

_FORESEEN = (CannotVerify, UnsupportedSchema, SpecError)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check of the contract; one clear error where they cannot be run as asked for."""
    if "check" not in metafunc.fixturenames:
        return
    try:
        subject = _subject(metafunc.config)
        _aim(metafunc.config, subject)
        _baseline(metafunc.config)
    except _FORESEEN as error:
        raise pytest.Collector.CollectError(f"{error} (pytest --pyargs bodydouble_contract_tests --help)") from None
    checks = catalogue(subject)
    metafunc.parametrize("check", checks, ids=[check.id for check in checks])


@pytest.fixture(scope="module")
def verification(request: pytest.FixtureRequest) -> Verification:
    """What came of the calls for the selected checks; whatever keeps them from being made fails every item."""
    config = request.config
    if _option(config, "live") and hasattr(config, "workerinput"):
        pytest.fail("each worker of pytest-xdist would pay for itself: leave out -n with --live", pytrace=False)
    baseline = _baseline(config)
    only = _selected(request)
    result = _verified_or_problem(config, only)
    if isinstance(result, str):
        pytest.fail(result, pytrace=False)
    if baseline is not None:
        result = baseline.apply(result)
    config.pluginmanager.register(_Summary(result, is_whole=only is None))
    return result


def test_contract(check: Check, verification: Verification, record_property: Callable[[str, object], None]) -> None:
    """The server does what the check claims."""
    found = [finding for finding in verification.findings if finding.id.partition("/")[0] == check.id]
    text = render(Report(check.claim, tuple(found))) if found else ""
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
        pytest.skip(verification.unbought.get(check.id, "no call put it to the test"))


class _Summary:
    """What the run cost and found, said at its end."""

    def __init__(self, result: Verification, *, is_whole: bool) -> None:
        self._result = result
        self._is_whole = is_whole

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write it below the results."""
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


def _subject(config: pytest.Config) -> Subject:
    return Subject(Contract.load(_option(config, "contract")))


def _selected(request: pytest.FixtureRequest) -> list[str] | None:
    """The ids of the checks whose items are going to run; None when none is left out."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    checks: list[Any] = [item.callspec.params["check"] for item in items]
    chosen: list[str] = [check.id for check in checks]
    return None if len(chosen) == len(catalogue(_subject(request.config))) else chosen


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


def _aim(config: pytest.Config, subject: Subject) -> Aim:
    return take_aim(
        subject,
        base_url=_option(config, "base_url") or None,
        api_key=_option(config, "api_key"),
        is_live=bool(_option(config, "live")),
        environ=os.environ,
    )


def _verified_or_problem(config: pytest.Config, only: list[str] | None) -> Verification | str:
    """Why nothing was sent is returned, since pytest would show both errors of a failure that is raised from another."""
    try:
        return _verify(config, only)
    except _FORESEEN as error:
        return str(error)


def _verify(config: pytest.Config, only: list[str] | None) -> Verification:
    subject = _subject(config)
    aim = _aim(config, subject)
    files = [_option(config, name) for name in ("record", "resume")]
    record, resume = (None if file is None else Path(file) for file in files)
    if aim.is_live and record is None and resume is None:
        record = default_recording(datetime.now(UTC))
    with Target(aim.base_url, aim.api_key, verify=_option(config, "ca") or True) as target:
        return verify(
            subject,
            target,
            is_live=aim.is_live,
            max_usd=_option(config, "max_usd"),
            price_usd=_option(config, "price_usd"),
            examples=_option(config, "examples", 25),
            seed=_option(config, "seed", 0),
            only=only,
            recording=record,
            resume=resume,
            image_url=_option(config, "image_url"),
        )
