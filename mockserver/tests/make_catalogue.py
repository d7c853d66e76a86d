"""Write structure-only copies of forty documents of the vendor's catalogue, chosen by the hash of their file names.

Run by hand: ``python mockserver/tests/make_catalogue.py CATALOGUE``. Descriptions, titles, examples, samples and vendor extensions stay behind.
"""

import hashlib
import json
import sys
from pathlib import Path

from bodydouble_spec import Contract
from bodydouble_spec.document import parse_document, strip_prose

DATA = Path(__file__).parent / "data" / "catalogue"
COUNT = 40


def main(catalogue: Path) -> None:
    """Write the documents that have an operation, under a part of their hashes."""
    DATA.mkdir(parents=True, exist_ok=True)
    by_hash = {hashlib.sha256(file.name.encode()).hexdigest()[:12]: file for file in catalogue.glob("*.json")}
    usable = [(digest, file) for digest, file in sorted(by_hash.items()) if Contract.load(file).operations]
    for digest, file in usable[:COUNT]:
        document, _ = parse_document(file.read_bytes())
        text = json.dumps(strip_prose(document), separators=(",", ":"))
        (DATA / f"{digest}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
