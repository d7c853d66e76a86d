"""Write the tests' documents: structure-only copies of published ones, without prose, samples or vendor extensions.

Run by hand: ``python spec/tests/make_corpus.py REVISIONS DRIFT``. REVISIONS is a folder of ``DATE-COMMIT.json`` files,
DRIFT one with ``docs/BLOB.json`` and the ``*.jsonl`` files that name them. Where the presence of a text matters, as for
the description of a response, a neutral one replaces it. A copy has the fingerprint of its original.
"""

import json
import sys
from pathlib import Path

import yaml
from bodydouble_spec import fingerprint
from bodydouble_spec.document.loader import parse_document
from bodydouble_spec.document.prose import strip_prose

DATA = Path(__file__).parent / "data"
REVISION_OF = "image-models/Google/gemini-2.5-flash-image-edit.json"
# The other documents, and the peculiarity of each.
PECULIAR = {
    "044ce96695e7": "an answer that requires nothing",
    "05da2bc6184a": "a security scheme that mixes two kinds; many anyOf; exclusive bounds",
    "11edcafcbe2a": "references that lead nowhere",
    "12c290d7d593": "additionalProperties",
    "1b2be07205d6": "two operations; an array without items; recursion",
    "2d8f352fa6c3": "an invalid type",
    "33fd4b46293e": "anyOf in the request",
    "3df2135e5eea": "keywords of OpenAPI 3.1 in a 3.0 document",
    "3fee923bb958": "the same contract with an object for paths",
    "48a092812796": "two operations",
    "49c244ff46f5": "a path parameter",
    "5342ab48afab": "an array for paths; a schema in the place of content",
    "59d52c294d3c": "a security scheme that mixes two kinds; allOf",
    "7b2d4c0b0d59": "a list of models without parameters",
    "8b137891791f": "nothing but a line break",
    "9de2c448af9c": "YAML under the name of JSON; keywords of OpenAPI 3.1",
    "b1450d1d854b": "three operations",
    "b6106dcb1bcf": "a path parameter and a query",
    "cfb3e4791ec5": "no openapi, no info",
    "dd7615baa14f": "keywords of OpenAPI 3.1 in a 3.0 document; references",
    "f0d1e0bafd75": "query parameters",
}


def copy(source: Path, target: Path) -> None:
    """Write the structure of one document. Raises SystemExit when that changes its fingerprint."""
    data = source.read_bytes()
    document, problem = parse_document(data)
    if problem is not None:
        target.write_bytes(data)
        return
    stripped = strip_prose(document)
    if fingerprint(stripped) != fingerprint(document):
        raise SystemExit(f"{source}: the structure changed")
    is_json = data.lstrip().startswith(b"{")
    text = json.dumps(stripped, separators=(",", ":")) if is_json else yaml.safe_dump(stripped, sort_keys=False)  # pyright: ignore[reportUnknownMemberType] - the stubs of PyYAML leave the type of its width open
    target.write_text(f"{text.rstrip()}\n", encoding="utf-8")


def main(revisions: Path, drift: Path) -> None:
    """Write all documents and their index."""
    DATA.mkdir(exist_ok=True)
    index: list[dict[str, str]] = []
    for source in sorted(revisions.glob("*.json")):
        copy(source, DATA / f"revision-{source.name}")
        date, _, commit = source.stem.rpartition("-")
        index.append({"file": f"revision-{source.name}", "document": REVISION_OF, "date": date, "commit": commit})
    names: dict[str, dict[str, str]] = {}
    for lines in sorted(drift.glob("*.jsonl")):
        for entry in map(json.loads, lines.read_text(encoding="utf-8").splitlines()):
            names |= {entry[version]: entry for version in ("before", "after") if version in entry}
    for digest, peculiar in PECULIAR.items():
        entry = names[f"docs/{digest}.json"]
        copy(drift / "docs" / f"{digest}.json", DATA / f"{digest}.json")
        about = {"file": f"{digest}.json", "document": entry["document"], "blob": digest, "peculiar": peculiar}
        index.append(about | ({"date": entry["date"]} if "date" in entry else {}))
    (DATA / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
