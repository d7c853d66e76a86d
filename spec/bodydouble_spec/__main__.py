"""Rewrite ``merged.json`` after a change to the vendored document or its overlay: ``python -m bodydouble_spec``."""

from pathlib import Path

from bodydouble_spec import vendored
from bodydouble_spec.document import repair

if __name__ == "__main__":
    target = Path(__file__).parent / "merged.json"
    target.write_bytes(vendored.merged_document(repair(vendored.published()).document))
