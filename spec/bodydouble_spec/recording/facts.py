"""Facts about a recorded call that its exchange does not hold: contract, upstream, cost, and how its answer broke off."""

from dataclasses import asdict, dataclass
from typing import Any

from bodydouble_spec.exchange import Exchange
from bodydouble_spec.values import is_object

__all__ = ["CallFacts", "PicturePlace"]

_CALL = "recording"
_PICTURE = "picture_of"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The facts of one call, in the exchange's member ``recording``.

    ``contract`` is the fingerprint of the contract that the call was checked against, ``upstream`` the address that answered.
    ``images``, ``credits`` and ``usd`` are the charge. ``trouble`` is the kind of failure of a call without a whole answer (the names are
    those of a verification), and ``detail`` describes it.
    """

    contract: str
    upstream: str
    images: int = 0
    credits: float = 0.0
    usd: float = 0.0
    trouble: str | None = None
    detail: str = ""

    @classmethod
    def of(cls, exchange: Exchange) -> "CallFacts | None":
        """Return the facts of an exchange; None for one of another recorder."""
        value = exchange.extra.get(_CALL)
        if not is_object(value):
            return None
        trouble = value.get("trouble")
        return cls(
            _text(value.get("contract")),
            _text(value.get("upstream")),
            int(_number(value.get("images"))),
            _number(value.get("credits")),
            _number(value.get("usd")),
            trouble if isinstance(trouble, str) else None,
            _text(value.get("detail")),
        )

    def to_extra(self) -> dict[str, Any]:
        """Return the member of the exchange."""
        return {_CALL: asdict(self)}


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """The place of a picture that was fetched for a recording: the id of the call, and the pointer of its URL in the answer."""

    call: str
    pointer: str

    @classmethod
    def of(cls, exchange: Exchange) -> "PicturePlace | None":
        """Return the place of a picture; None for any other exchange."""
        value = exchange.extra.get(_PICTURE)
        if not is_object(value) or not isinstance(value.get("call"), str) or not isinstance(value.get("pointer"), str):
            return None
        return cls(value["call"], value["pointer"])

    def to_extra(self) -> dict[str, Any]:
        """Return the member of the exchange."""
        return {_PICTURE: asdict(self)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else 0.0
