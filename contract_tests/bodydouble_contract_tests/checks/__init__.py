"""The checks of `verify`: a finding for each deviation of an answer from the contract, and the causes that findings share."""

from bodydouble_contract_tests.checks.causes import grouped
from bodydouble_contract_tests.checks.damage import picture_damage
from bodydouble_contract_tests.checks.images import inspect_picture
from bodydouble_contract_tests.checks.observations import check_observation, check_observations

__all__ = ["check_observation", "check_observations", "grouped", "inspect_picture", "picture_damage"]
