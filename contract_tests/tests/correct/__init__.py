"""Five correct servers of different make, which share nothing with the project: a verification must find nothing wrong with them.

They differ in whatever the contract and the evidence leave open: framework and HTTP, format of the pictures, envelope and words of refusals,
order of the checks, and the treatment of requests with an unknown outcome.
"""

from contract_tests.tests.correct.servers import KEY, SERVERS

__all__ = ["KEY", "SERVERS"]
