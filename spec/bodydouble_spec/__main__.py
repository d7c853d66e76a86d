"""Rewrite ``merged.json`` after a change to the vendored document or its overlay: ``python -m bodydouble_spec``."""

from pathlib import Path

from bodydouble_spec import _vendored
from bodydouble_spec._repair import repair

if __name__ == "__main__":
    target = Path(__file__).parent / "merged.json"
    target.write_bytes(_vendored.merged_document(repair(_vendored.published()).document))
