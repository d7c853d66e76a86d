"""The contracts that are served: operations with fields and bounds, sizes, price, evidence and defects."""

import asyncio
from typing import Any

from bodydouble_spec import Contract
from bodydouble_spec.description import describe_operation, evidence_rows, revision_fact
from bodydouble_spec.text import cut_line
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.page.parts import PageParts
from bodydouble_mockserver.page.rendering import render

__all__ = ["contract_page_routes"]


def contract_page_routes(parts: PageParts) -> list[Route]:
    """Return the route of the contract page; ``?contract=`` and ``?operation=`` choose by number."""
    contracts = parts.contracts

    async def show(request: Request) -> Response:
        contract = contracts[_number(request, "contract", len(contracts))]
        chosen = _number(request, "operation", len(contract.operations))
        values = await asyncio.to_thread(_described, contract, chosen)
        names = [cut_line(item.source, 80) for item in contracts]
        return render("contract", page="contract", contracts=names, chosen=contracts.index(contract), **values)

    return [Route("/_bodydouble/contract", show, methods=["GET"])]


def _number(request: Request, name: str, count: int) -> int:
    text = request.query_params.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return number if number < count else 0


def _described(contract: Contract, chosen: int) -> dict[str, Any]:
    """Describe one operation of a contract, which takes long in a large document."""
    facts: dict[str, Any] = {
        "Source": contract.source,
        "OpenAPI": contract.document.get("openapi"),
        "Fingerprint": contract.fingerprint,
    }
    if contract.provenance is not None:
        facts |= {name.capitalize(): text for name, text in revision_fact(contract.provenance).items()}
    operations = contract.operations
    return {
        "facts": {name: cut_line(str(value)) for name, value in facts.items()},
        "operations": [operation.key for operation in operations],
        "operation_number": chosen,
        "operation": describe_operation(contract, operations[chosen]) if operations else None,
        "ledger": evidence_rows(contract.facts, [operation.pointer for operation in operations]),
        "defects": contract.findings,
    }
