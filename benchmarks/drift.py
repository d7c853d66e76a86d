"""Measure the differ on real pairs of documents: ``python benchmarks/drift.py FOLDER``.

FOLDER holds ``pairs.jsonl`` (documents before and after, with what oasdiff says of them), ``quiet.jsonl`` (pairs that differ in prose,
samples or order only) and ``not-renames.jsonl`` (pairs in which a property went and another of equal schema came that is another one).
Each line has ``before`` and ``after``, paths below FOLDER. The small pairs of ``spec/tests/diff_pairs.yaml`` are judged too, beside
``redocly diff`` and ``oasdiff`` where they are installed. Exit code 1 when anything that must be there is not, or the other way round.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bodydouble_spec import Contract, Finding, is_array, is_object
from bodydouble_spec.diff import RULES, diff

FILES = ("pairs.jsonl", "quiet.jsonl", "not-renames.jsonl")
sys.path.insert(0, str(Path(__file__).parents[1] / "spec" / "tests"))
BAD = ("error", "warning")
_WORDS = {True: "breaks", False: "does not break", None: "could not compare"}
LARGE_BYTES = 90_000
LARGEST_S = 0.05
ALL_PAIRS = 1000
ALL_S = 30.0


@dataclass
class Score:
    """Counts over the pairs that oasdiff could read."""

    pairs: int = 0
    wanted: int = 0
    unexpected: Counter[str] = field(default_factory=Counter[str])
    found_bad: int = 0
    raised: int = 0
    harmless: int = 0
    otherwise: int = 0
    misses: list[str] = field(default_factory=list[str])


def main() -> int:
    """Print the tables; the exit code says whether all went well."""
    parser = argparse.ArgumentParser(description="Measure the differ on real pairs of documents.")
    parser.add_argument(
        "folder", nargs="?", type=Path, help=f"the folder that holds {', '.join(FILES)} and the documents"
    )
    folder: Path | None = parser.parse_args().folder
    missing = [name for name in FILES if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        where = "no folder was named" if folder is None else f"{folder} has no {', '.join(missing)}"
        print(f"{where}; name one that holds {', '.join(FILES)}: python benchmarks/drift.py FOLDER", file=sys.stderr)
        return 2
    reports = (
        report_loading,
        report_recall,
        report_quiet,
        report_renames,
        report_respelling,
        report_pairs,
        report_time,
    )
    is_sound = [report(folder) for report in reports]
    return 0 if all(is_sound) else 1


def report_loading(folder: Path) -> bool:
    """Every document loads, and those that are no JSON are told apart."""
    paths = sorted(
        {folder / row[side] for name in FILES for row in rows(folder / name) for side in ("before", "after")}
    )
    unreadable = [path.name for path in paths if any(item.id == "document-unreadable" for item in load(path).findings)]
    broken = [path.name for path in paths if not is_json(path)]
    print(f"documents                      {len(paths):>6}   not JSON {len(broken)}, unreadable {len(unreadable)}")
    return set(unreadable) <= set(broken)


def report_recall(folder: Path) -> bool:
    """Check that each error and warning of oasdiff is found, at least as severe, or is listed."""
    score = Score()
    for row in rows(folder / "pairs.jsonl"):
        if "oasdiff" in row:
            compare_with(row, list(flat(changes_of(folder, row))), score)
    print(f"pairs that oasdiff reads       {score.pairs:>6}")
    found = score.wanted - len(score.misses)
    print(
        f"errors and warnings of oasdiff {score.wanted:>6}   found {found}, missed {len(score.misses)} "
        f"(raised to an error by a value {score.raised}, proved harmless {score.harmless}, "
        f"told by another rule of the same property {score.otherwise})"
    )
    for miss in score.misses:
        print(f"    miss: {miss}")
    unexpected = sum(score.unexpected.values())
    share = 100 * (1 - unexpected / score.found_bad) if score.found_bad else 100
    print(
        f"errors and warnings of ours    {score.found_bad:>6}   not oasdiff's {unexpected} ({share:.1f} % are in both)"
    )
    for rule, count in score.unexpected.most_common():
        whose = "an id of oasdiff's" if RULES[rule].is_oasdiff else "a rule of ours"
        print(f"    {count:>4}  {rule} ({whose})")
    return not score.misses


def compare_with(row: dict[str, Any], found: list[Finding], score: Score) -> None:
    """Count what oasdiff reports that we do not, and the other way round, per id and severity."""
    score.pairs += 1
    theirs = Counter((item["id"], item["level"]) for item in row["oasdiff"] if item["level"] in BAD)
    ours = Counter((item.id, str(item.severity)) for item in found if item.severity in BAD)
    score.wanted += theirs.total()
    score.found_bad += ours.total()
    for (rule, level), count in (theirs - ours).items():
        texts = [item["text"] for item in row["oasdiff"] if item["id"] == rule]
        raised = min(count, ours[rule, "error"] - theirs[rule, "error"])
        score.raised += max(raised, 0)
        # Only a proof lowers a rule of oasdiff's.
        harmless = min(count - max(raised, 0), sum(item.id == rule and item.severity == "info" for item in found))
        score.harmless += harmless
        for text in texts[max(raised, 0) + harmless : count]:
            names = re.findall(r"`([^`/]+)", text)
            if any(
                f"`{names[0]}" in item.message and item.witness for item in found if names and item.severity == "error"
            ):
                score.otherwise += 1
            else:
                score.misses.append(f"{row['document']}: {level} {rule}: {text}")
    for (rule, _), count in (ours - theirs).items():
        score.unexpected[rule] += count


def report_quiet(folder: Path) -> bool:
    """Pairs that differ in prose, samples or order give nothing."""
    quiet = list(rows(folder / "quiet.jsonl"))
    loud = [(row["document"], changes) for row in quiet if (changes := changes_of(folder, row))]
    print(f"quiet pairs                    {len(quiet):>6}   with changes {len(loud)}")
    for document, changes in loud:
        print(f"    loud: {document}: {changes[0].id}: {changes[0].message}")
    return not loud


def report_renames(folder: Path) -> bool:
    """No renaming is claimed where a property went and another one came."""
    pairs = list(rows(folder / "not-renames.jsonl"))
    claimed = [
        f"{row['document']}: {item.message}"
        for row in pairs
        for item in flat(changes_of(folder, row))
        if item.id.endswith("-property-renamed")
    ]
    print(f"pairs that are no renamings    {len(pairs):>6}   called renamings {len(claimed)}")
    for claim in claimed:
        print(f"    claim: {claim}")
    return not claimed


def report_respelling(folder: Path) -> bool:
    """Documents with `nullable` as a list of types mean the same."""
    paths = sorted(
        {folder / row[side] for name in FILES for row in rows(folder / name) for side in ("before", "after")}
    )
    documents = [json.loads(path.read_bytes()) for path in paths if is_json(path)]
    changed = sum(
        bool(diff(Contract.load(item, overlay=None), Contract.load(respelled(item), overlay=None)))
        for item in documents
        if is_object(item)
    )
    print(f"documents with null respelled  {len(documents):>6}   with changes {changed}")
    return not changed


def respelled(value: Any) -> Any:
    """Return a document with ``type: [T, null]`` in place of ``nullable``."""
    if is_array(value):
        return [respelled(item) for item in value]
    if not is_object(value):
        return value
    result: dict[str, Any] = {key: respelled(item) for key, item in value.items()}
    if result.get("nullable") is True and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
        del result["nullable"]
    return result


def report_pairs(_: Path) -> bool:
    """Print what each tool says of the small pairs, and what is right; other tools count when they agree if anything breaks."""
    suite = import_module("test_diff_pairs")

    tools = {name: path for name in ("oasdiff", "redocly") if (path := shutil.which(name))}
    right, agreeing, silent = 0, Counter[str](), Counter[str]()
    for number, pair in enumerate(suite.PAIRS):
        contracts = [suite.contract_of(pair, side) for side in ("before", "after")]
        wanted: dict[str, str] = {} if pair["right"] == "none" else pair["right"]
        found = {item.id: str(item.severity) for item in diff(*contracts)}
        right += found == wanted
        said = {name: verdict_of(path, contracts) for name, path in tools.items()}
        breaks = "error" in wanted.values()
        agreeing.update(name for name, verdict in said.items() if verdict == breaks)
        silent.update(name for name, verdict in said.items() if verdict is None)
        if found != wanted or any(verdict != breaks for verdict in said.values()):
            others = "".join(f"; {name}: {_WORDS[verdict]}" for name, verdict in said.items())
            print(f"    {number} {pair['source']}: right {wanted or 'no change'}; ours {found or 'no change'}{others}")
    print(f"small pairs                    {len(suite.PAIRS):>6}   right {right}")
    for name in ("oasdiff", "redocly"):
        told = f"right about what breaks in {agreeing[name]}, could not compare {silent[name]}"
        print(f"    {name}: {told if name in tools else 'not installed'}")
    return right == len(suite.PAIRS)


def verdict_of(tool: str, contracts: list[Contract]) -> bool | None:
    """Tell if another tool says that a pair breaks (an error of oasdiff's, a major change of redocly's); None where it cannot compare."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before.json", "after.json")]
        for path, contract in zip(paths, contracts, strict=True):
            path.write_text(json.dumps(contract.published), encoding="utf-8")
        if Path(tool).name == "oasdiff":
            command = [tool, "breaking", "--format", "json", *map(str, paths)]
        else:
            command = [tool, "diff", "--fail-on", "none", "--format", "json", *map(str, paths)]
        said = subprocess.run(command, capture_output=True, check=False, timeout=60).stdout
    try:
        report: Any = json.loads(said)
    except ValueError:
        return None
    if is_object(report):
        return bool(report["summary"]["major"])
    return any(item["level"] == 3 for item in report or ())  # oasdiff's number of an error


def report_time(folder: Path) -> bool:
    """Time one pair of large documents, and a thousand pairs as they come."""
    pairs = pairs_of(folder)
    large = [pair for pair in pairs if min(path.stat().st_size for path in pair) > LARGE_BYTES]
    slowest = 0.0
    for before, after in large:
        contracts = load(before), load(after)
        slowest = max(slowest, min(elapsed(partial(diff_afresh, *contracts)) for _ in range(5)))
    size_kb = max((min(path.stat().st_size for path in pair) for pair in large), default=0) / 1000
    print(f"a pair of {size_kb:.0f}-kB documents         {1000 * slowest:>7.1f} ms   (at most {1000 * LARGEST_S:.0f})")
    whole_s = elapsed(lambda: [diff(load(before), load(after)) for before, after in islice(cycle(pairs), ALL_PAIRS)])
    print(f"{ALL_PAIRS} pairs, loaded and compared {whole_s:>5.1f} s    (at most {ALL_S:.0f})")
    return slowest <= LARGEST_S and whole_s <= ALL_S


def pairs_of(folder: Path) -> list[tuple[Path, Path]]:
    """Return the documents before and after of every pair."""
    return [(folder / row["before"], folder / row["after"]) for name in FILES for row in rows(folder / name)]


def diff_afresh(old: Contract, new: Contract) -> None:
    """Compare two contracts, repairing what was published anew."""
    for contract in (old, new):
        for name in ("meaning", "repaired"):
            contract.__dict__.pop(name, None)
    diff(old, new)


def changes_of(folder: Path, row: dict[str, Any]) -> list[Any]:
    """Return the changes between the two documents of a pair."""
    return diff(load(folder / row["before"]), load(folder / row["after"]))


def load(path: Path) -> Contract:
    """Load a document without an overlay."""
    return Contract.load(path, overlay=None)


def flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings and all that they cover."""
    for finding in findings:
        yield finding
        yield from flat(finding.covers)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read the objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def is_json(path: Path) -> bool:
    """Tell if a file is JSON."""
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def elapsed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    raise SystemExit(main())
