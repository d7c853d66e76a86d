"""The contracts that are served: operations with fields and bounds, sizes, price, evidence and defects."""

import asyncio
from typing import Any

from bodydouble_spec import Contract
from bodydouble_spec.description import describe_operation, evidence_rows, revision_fact
from bodydouble_spec.text import cut_line
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.page.parts import PageParts, chosen_number
from bodydouble_mockserver.page.rendering import render

__all__ = ["contract_page_routes"]


def contract_page_routes(parts: PageParts) -> list[Route]:
    """Return the route of the contract page; ``?contract=`` and ``?operation=`` choose by number."""
    contracts = parts.service.contracts

    async def show(request: Request) -> Response:
        contract = contracts[chosen_number(request.query_params.get("contract", ""), len(contracts))]
        chosen = chosen_number(request.query_params.get("operation", ""), len(contract.operations))
        values = await asyncio.to_thread(_described, contract, chosen)
        names = [cut_line(item.source, 80) for item in contracts]
        return render("contract", page="contract", contracts=names, chosen=contracts.index(contract), **values)

    return [Route("/_bodydouble/contract", show, methods=["GET"])]


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
