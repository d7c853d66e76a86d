"""The recording proxy: calls passed on to the real API and back byte for byte, checked, paid for within a cap, and recorded."""

from bodydouble_contract_tests.proxy.app import ProxyServer
from bodydouble_contract_tests.proxy.options import ProxyOptions

__all__ = ["ProxyOptions", "ProxyServer"]
