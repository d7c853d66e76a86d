"""Agreement of the page on changes with the code."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from bodydouble_spec.diff import RULES, Severities

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "changes.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("make_changes_table", HERE / "make_changes_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rule_table_of_the_page_is_that_of_the_code(script: ModuleType) -> None:
    assert script.with_table(PAGE) == PAGE, "the rules have changed; run: python spec/tests/make_changes_table.py"


def test_every_rule_has_one_row() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE, re.MULTILINE)
    assert rows == list(RULES)


def test_the_example_of_settings_can_be_loaded(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "pyproject.toml"
    path.write_text(block, encoding="utf-8")
    assert Severities.load(path).chosen == {
        "response-property-enum-value-added": "error",
        "request-property-default-value-changed": "warning",
        "response-optional-property-added": None,
    }
