"""The plan of a verification: which cases are worth their price, and what they cover."""

from bodydouble_contract_tests.plan.coverage import CoveragePlan
from bodydouble_contract_tests.plan.options import EXAMPLE_URL
from bodydouble_contract_tests.plan.planner import coverage, make_plan

__all__ = ["EXAMPLE_URL", "CoveragePlan", "coverage", "make_plan"]
