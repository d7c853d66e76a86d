"""Parameters of a request, checked against the contract; a query parameter that it does not have is told, never refused."""

from collections.abc import Mapping
from typing import Any

from bodydouble_spec import Finding, Operation, SentParameters, parameter_findings, undeclared_findings

from bodydouble_mockserver.asgi import Scope

__all__ = ["check_parameters", "parameters_schema", "sent_parameters"]


def sent_parameters(scope: Scope) -> SentParameters:
    """Return the parameters of a request, as they were sent."""
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    query: bytes = scope["query_string"]
    path: Mapping[str, str] = scope.get("path_params", {})
    return SentParameters.parse(query.decode("latin-1"), headers, path)


def check_parameters(operation: Operation, scope: Scope) -> tuple[list[Finding], list[Finding]]:
    """Return the faults of the parameters, and the findings about a request that is accepted nevertheless."""
    sent = sent_parameters(scope)
    faults = parameter_findings(operation.inputs, sent, operation.key)
    notes = undeclared_findings(operation.inputs, sent, operation.security.names("query"), operation.key)
    return faults, notes


def parameters_schema(operation: Operation) -> dict[str, Any]:
    """Return a schema whose places are the pointers of findings about parameters: ``/query/size``."""
    places: dict[str, Any] = {}
    for item in operation.inputs:
        place = places.setdefault(item.location, {"type": "object", "properties": {}})
        place["properties"][item.name] = {} if item.validator is None else item.validator.schema
    return {"type": "object", "properties": places}
