"""Transports that run the mock in process, so that tests need no port, for clients of httpx and of httpx2."""

from typing import TYPE_CHECKING, Any

from bodydouble_mockserver.transport.httpx_transport import MockTransport

if TYPE_CHECKING:
    from bodydouble_mockserver.transport.httpx2_transport import Httpx2Transport

__all__ = ["Httpx2Transport", "MockTransport"]


def __getattr__(name: str) -> Any:
    """Import the transport for httpx2, which is no dependency of bodydouble, when it is first used."""
    if name == "Httpx2Transport":
        from bodydouble_mockserver.transport.httpx2_transport import Httpx2Transport

        return Httpx2Transport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
