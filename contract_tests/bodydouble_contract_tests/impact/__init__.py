"""The impact of a new contract on calls of the old one and on recorded requests."""

from bodydouble_contract_tests.impact.impact import NOT_FINISHED, impact
from bodydouble_contract_tests.impact.weighing import weigh

__all__ = ["NOT_FINISHED", "impact", "weigh"]
