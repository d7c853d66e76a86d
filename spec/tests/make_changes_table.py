"""Write the rule table into ``docs/changes.md``; run after a change of the rules: ``python spec/tests/make_changes_table.py``."""

from pathlib import Path

from bodydouble_spec.diff import RULES

PAGE = Path(__file__).parents[2] / "docs" / "changes.md"
BEGIN = "<!-- table of rules: written by spec/tests/make_changes_table.py -->"
END = "<!-- end of the table -->"


def table() -> str:
    """Return a Markdown table with a row for every rule, in order."""
    rows = [
        f"| `{rule.id}` | {rule.severity} | {'oasdiff' if rule.is_oasdiff else 'ours'} | {_cell(rule.sentence)} |"
        for rule in RULES.values()
    ]
    return "\n".join(["| rule | severity | whose | what it says |", "|---|---|---|---|", *rows])


def with_table(page: str) -> str:
    """Return the page with the current table."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE}: the lines around the table are gone: {BEGIN} and {END}")
    return f"{before}{begin}\n\n{table()}\n\n{end}{after}"


def _cell(sentence: str) -> str:
    return sentence.replace("{it}", "*it*").replace("{old}", "*old*").replace("{new}", "*new*").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
