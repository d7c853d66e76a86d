"""Interception: the mock answers for the hosts of its contracts themselves, as a proxy with a throw-away certificate authority."""

from bodydouble_mockserver.interception.authority import Authority, CannotIntercept
from bodydouble_mockserver.interception.front import Interception
from bodydouble_mockserver.interception.hosts import ContractHosts, first_server

__all__ = ["Authority", "CannotIntercept", "ContractHosts", "Interception", "first_server"]
