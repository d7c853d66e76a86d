"""Proofs about two schemas: whether one accepts all that the other does, and values that show the contrary."""

from bodydouble_spec.proof.acceptance import Fault, UncertainError, accepts, faults, readings
from bodydouble_spec.proof.proof import is_within
from bodydouble_spec.proof.samples import NoValueError, candidates, sample

__all__ = [
    "Fault",
    "NoValueError",
    "UncertainError",
    "accepts",
    "candidates",
    "faults",
    "is_within",
    "readings",
    "sample",
]
