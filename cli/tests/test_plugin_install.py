"""The plugin in various projects: no imports where it is not used, and no conflicts where it is."""

import shutil
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SAMPLE_APP = Path(__file__).parent / "data" / "sample_app"


def run_alone(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Run pytest in its own process, from the project's folder."""
    # Hypothesis' plugin would import Hypothesis for its summary.
    plain = ("-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    return pytester.run(sys.executable, "-m", "pytest", *plain, *options, timeout=60)


def test_a_project_that_does_not_use_the_fixture_imports_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import sys

def test_nothing_is_imported():
    names = {name.partition(".")[0] for name in sys.modules}
    assert {name for name in names if name.startswith("bodydouble_")} == set()
    assert names & {"httpx", "starlette", "uvicorn", "uvloop", "orjson", "typer", "jsonschema_rs"} == set()
    assert [name for name in sys.modules if name.startswith("bodydouble.")] == ["bodydouble.pytest_plugin"]
"""
    )
    run_alone(pytester).assert_outcomes(passed=1)


def test_an_app_may_have_packages_called_client_and_spec(pytester: pytest.Pytester) -> None:
    shutil.copytree(SAMPLE_APP, pytester.path, dirs_exist_ok=True)
    for name in ("client", "spec", "mockserver", "contract_tests", "cli"):
        folder = pytester.path / name
        folder.mkdir()
        (folder / "__init__.py").write_text(f"OF_THE_APP = {name!r}\n", encoding="utf-8")
    pytester.makepyfile(
        test_packages="""
import cli, client, contract_tests, mockserver, spec

def test_the_packages_are_those_of_the_app(bodydouble):
    packages = (cli, client, contract_tests, mockserver, spec)
    assert [package.OF_THE_APP for package in packages] == [package.__name__ for package in packages]
"""
    )
    run_alone(pytester).assert_outcomes(passed=3)


def test_the_base_install_is_enough(pytester: pytest.Pytester) -> None:
    shutil.copytree(SAMPLE_APP, pytester.path, dirs_exist_ok=True)
    pytester.makeconftest(
        """
import sys

for name in ("hypothesis", "openapi_core", "openapi_spec_validator", "openapi_schema_validator", "openai", "requests"):
    sys.modules[name] = None
"""
    )
    run_alone(pytester).assert_outcomes(passed=2)


def test_the_fixture_works_in_async_tests_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import pytest
from bodydouble_client import AsyncClient

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_app(bodydouble, anyio_backend):
    bodydouble.answer(fault="reset-mid-body", match={"call": 2})
    async with AsyncClient() as client:
        assert (await client.edit("hello", ["https://example.org/a.png"])).images
    assert len(bodydouble.requests) == 1
    with pytest.raises(Exception, match="."):
        async with AsyncClient() as client:
            await client.edit("hello", ["https://example.org/a.png"])
"""
    )
    run_alone(pytester).assert_outcomes(passed=1)


def test_the_type_of_the_fixture_can_be_imported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
from bodydouble.pytest_plugin import Bodydouble

def test_app(bodydouble: Bodydouble) -> None:
    assert isinstance(bodydouble, Bodydouble)
"""
    )
    run_alone(pytester).assert_outcomes(passed=1)


def test_the_marker_and_the_option_are_described(pytester: pytest.Pytester) -> None:
    result = run_alone(pytester, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.bodydouble(allow_invalid=False, allow_unused=False, *"])
    result = run_alone(pytester, "--help")
    result.stdout.fnmatch_lines(["*--bodydouble-journal=FILE", "*bodydouble_openai (bool):*"])
