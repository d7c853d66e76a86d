"""What the two faces of a verification share, the command and pytest: which server is meant, and what is known already."""

from bodydouble_contract_tests._aim import Aim, default_recording, take_aim
from bodydouble_contract_tests._baseline import BadBaseline, Baseline

__all__ = ["Aim", "BadBaseline", "Baseline", "default_recording", "take_aim"]
