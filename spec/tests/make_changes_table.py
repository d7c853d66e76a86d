"""Writes the table of rules into ``docs/changes.md``. Run by hand after a change to the rules: ``python spec/tests/make_changes_table.py``."""

from pathlib import Path

from bodydouble_spec.changes import RULES

PAGE = Path(__file__).parents[2] / "docs" / "changes.md"
BEGIN = "<!-- table of rules: written by spec/tests/make_changes_table.py -->"
END = "<!-- end of the table -->"


def table() -> str:
    """Every rule as a row of a Markdown table, in the order of the rules."""
    rows = [
        f"| `{rule.id}` | {rule.severity} | {'oasdiff' if rule.is_oasdiff else 'ours'} | {_cell(rule.sentence)} |"
        for rule in RULES.values()
    ]
    return "\n".join(["| rule | severity | whose | what it says |", "|---|---|---|---|", *rows])


def with_table(page: str) -> str:
    """The page with the table as the rules are now."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE}: the lines around the table are gone: {BEGIN} and {END}")
    return f"{before}{begin}\n\n{table()}\n\n{end}{after}"


def _cell(sentence: str) -> str:
    return sentence.replace("{it}", "*it*").replace("{old}", "*old*").replace("{new}", "*new*").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
