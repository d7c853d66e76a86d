"""The site of the documentation: its navigation, links, options and tables are those of the program."""

import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.directives import DIRECTIVE_NAMES
from bodydouble_mockserver.transport import MockTransport

from cli.tests.make_reference import all_commands

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *DOCS.rglob("*.md")]
LINK = re.compile(r"(?<!`)\[[^]\n]*\]\(([^)\s]+)\)")
SHELL = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The ids of findings that an app's developer meets, by their first words.
ID = re.compile(
    r'"((?:request|prefer|picture|route|interception|other-host|answer|real-host|no-request|not|recording|findings)-[a-z0-9-]+)"'
)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub and the site write them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def test_the_navigation_has_every_page_once() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r": ([\w/.-]+\.md)$", text, re.MULTILINE)
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_nothing_of_the_site_is_loaded_from_another_host() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert settings["theme"]["font"] is False
    assert "extra_javascript" not in settings
    assert [name for name in settings["extra_css"] if not (DOCS / name).is_file()] == []
    assert [page.name for page in PAGES if re.search(r"<script|!\[[^]]*\]\(https?:", page.read_text("utf-8"))] == []
    assert "http" not in (DOCS / "site.css").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken: list[str] = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page if not name else page.parent / name
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_no_page_names_a_folder_of_a_developer() -> None:
    assert [page.name for page in PAGES if re.search(r"/(?:work|root|home)/", page.read_text(encoding="utf-8"))] == []


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    return {
        path: {
            "--help",
            *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)),
        }
        for path, command in all_commands()
    }


def test_the_commands_on_the_pages_have_the_options_that_they_are_given(options: dict[str, set[str]]) -> None:
    unknown: list[str] = []
    shell = "\n".join(text for page in PAGES for text in SHELL.findall(page.read_text("utf-8")))
    for line in re.findall(r"^(?:\S+=\S+ |pip .* && )*bodydouble .*$", shell, re.MULTILINE):
        words = shlex.split(line, comments=True)
        words = words[words.index("bodydouble") :]
        words = words[: words.index("--")] if "--" in words else words
        known = options.get(" ".join(words[:2])) or options[" ".join(words[:3])]
        unknown += [f"{line}: {word}" for word in words if word.startswith("-") and len(word) > 1 and word not in known]
    assert unknown == []


def test_a_command_is_copied_without_a_prompt() -> None:
    assert [page.name for page in PAGES for text in SHELL.findall(page.read_text("utf-8")) if "$ " in text] == []


def said(package: str) -> set[str]:
    """Return the ids of findings that the modules of a package name."""
    return {rule for module in (ROOT / package).rglob("*.py") for rule in ID.findall(module.read_text("utf-8"))}


@pytest.mark.parametrize("package", ["mockserver/bodydouble_mockserver", "cli/bodydouble"])
def test_the_page_of_findings_says_what_to_do_about_each(package: str) -> None:
    groups = yaml.safe_load((DOCS / "reference" / "findings.yaml").read_text(encoding="utf-8"))
    explained = {rule for advice in groups.values() for rule in advice}
    assert said(package)
    assert said(package) - explained == set()


def test_the_reference_has_every_control_route_fault_and_preference() -> None:
    pages = {
        name: (DOCS / "reference" / f"{name}.md").read_text("utf-8") for name in ("control", "prefer", "scenarios")
    }
    with httpx.Client(transport=MockTransport(create_app()), base_url="http://localhost/_bodydouble") as client:
        paths = client.get("/openapi.json").raise_for_status().json()["paths"]
        faults = client.get("/faults").raise_for_status().json()
    assert [path for path in paths if path not in pages["control"]] == []
    assert [name for name in (*faults, *DIRECTIVE_NAMES) if name not in pages["prefer"]] == []
    assert [name for name in DIRECTIVE_NAMES if name not in pages["scenarios"]] == ["code"]  # called status there


def test_each_of_the_ten_mistakes_is_answered_and_explained_as_the_page_has_it() -> None:
    path, right = "/v1/images/generations", {"prompt": "hello", "image_urls": ["https://example.org/cat.png"]}
    body: dict[str, Any] = {"model": "google/gemini-2.5-flash-image-edit", **right}
    sent: list[tuple[str, dict[str, Any], str | None]] = [
        (path, {"json": body | {"image_urls": ["./cat.png"]}}, "good"),
        (path, {"json": body | {"n": 2}}, "good"),
        (path, {"json": body}, None),
        (path, {"json": body}, "bad"),
        (path, {"json": body | {"model": "gemini"}}, "good"),
        (path, {"json": body | {"aspect_ratio": "16:10"}}, "good"),
        (path, {"json": body | {"num_images": 9}}, "good"),
        (f"{path}/images/generations", {"json": body}, "good"),
        (path, {"content": '{"model": google}', "headers": {"Content-Type": "application/json"}}, "good"),
        (path, {"files": {"image": b"x"}}, "good"),
    ]
    rows = re.findall(r"^\|[^|]+\| (\d{3}) \| `(.+)` \|$", (DOCS / "failures.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(sent)
    app = create_app(settings=Settings(api_keys=("good",)))
    with httpx.Client(transport=MockTransport(app), base_url="http://localhost") as client:
        for (url, options, key), (status, reason) in zip(sent, rows, strict=True):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = client.post(url, **{**options, "headers": headers | options.get("headers", {})})
            messages = [finding["message"] for finding in app.journal.exchanges()[-1].findings]
            assert (answer.status_code, reason in " ".join(messages)) == (int(status), True), messages
