"""Our own routes, all below ``/_bodydouble/``; everything else looks like the vendor."""

from importlib.metadata import version

from bodydouble_spec import Contract
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["control_routes"]


def control_routes(contract: Contract) -> list[Route]:
    """``GET /_bodydouble/health``: that the server answers, and which contract it stands in for."""
    body = {
        "status": "ok",
        "version": version("bodydouble"),
        "contract": contract.source,
        "fingerprint": contract.fingerprint,
        "operations": [operation.key for operation in contract.operations],
    }

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse(body)

    return [Route("/_bodydouble/health", health, methods=["GET", "HEAD"])]
