"""Repair of one operation: its parameters, request body and responses."""

import re
from typing import Any

from bodydouble_spec._defects import Defects, show
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer
from bodydouble_spec._references import References
from bodydouble_spec._repair_schema import SchemaRepair
from bodydouble_spec._repair_security import repair_requirements

__all__ = ["OperationRepair"]

_JSON = "application/json"
_STATUS = re.compile(r"[1-5][0-9][0-9]|[1-5]XX|default")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_SCHEMA_KEYWORDS = {"allOf", "anyOf", "oneOf", "properties", "type"}


class OperationRepair:
    """Repairs the operations of one document.

    ``schemes`` are its repaired security schemes. ``moved`` is filled in: the new pointer of each moved part and its
    published pointer.
    """

    def __init__(
        self,
        defects: Defects,
        references: References,
        schemas: SchemaRepair,
        schemes: dict[str, Any],
        moved: dict[str, str],
    ) -> None:
        self._defects = defects
        self._references = references
        self._schemas = schemas
        self._schemes = schemes
        self._moved = moved

    def repair(
        self, path: str, operation: dict[str, Any], shared: list[dict[str, Any]], pointer: str, new_pointer: str
    ) -> dict[str, Any]:
        """Return a usable copy of the operation at ``pointer``; ``shared`` are the repaired parameters of its path item."""
        result = dict(operation)
        own = self.parameters(operation.get("parameters", []), join_pointer(pointer, "parameters"))
        taken = {(item["name"], item["in"]) for item in own}
        parameters = [item for item in shared if (item["name"], item["in"]) not in taken] + own
        declared = {item["name"] for item in parameters if item["in"] == "path"}
        for name in dict.fromkeys(_TEMPLATE.findall(path)):
            if name not in declared:
                message = f"the path parameter {show(name)} is not declared"
                self._defects.add("path-parameter-undeclared", pointer, message, repaired="any text")
                parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
        result.pop("parameters", None)
        if parameters:
            result["parameters"] = parameters
        if "requestBody" in operation:
            result["requestBody"] = self._request_body(
                operation["requestBody"], join_pointer(pointer, "requestBody"), join_pointer(new_pointer, "requestBody")
            )
        result["responses"] = self._responses(
            operation.get("responses"), join_pointer(pointer, "responses"), join_pointer(new_pointer, "responses")
        )
        if "security" in operation:
            here = join_pointer(pointer, "security")
            result["security"] = repair_requirements(operation["security"], here, self._schemes, self._defects)
        return result

    def parameters(self, parameters: Any, pointer: str) -> list[dict[str, Any]]:
        """Return the readable parameters, with references followed."""
        result: list[dict[str, Any]] = []
        for index, found in enumerate(parameters if is_array(parameters) else [parameters]):
            place = join_pointer(pointer, index) if is_array(parameters) else pointer
            followed = self._references.follow(found, place)
            if followed is None:
                continue
            item, here = followed
            if (
                not is_object(item)
                or not isinstance(item.get("name"), str)
                or item.get("in") not in ("path", "query", "header", "cookie")
            ):
                message = f"a parameter needs `name` and `in`: {show(item)}"
                self._defects.add_error("parameter-malformed", here, message, repaired="left out", got=item)
                continue
            repaired = dict(item)
            if item["in"] == "path" and item.get("required") is not True:
                message = "a path parameter must say `required: true`"
                self._defects.add("parameter-malformed", here, message, repaired="required")
                repaired["required"] = True
            if "content" in item:
                repaired["content"] = self._content(item["content"], join_pointer(here, "content"))
            else:
                repaired["schema"] = self._schemas.repair(item.get("schema", {}), join_pointer(here, "schema"))
            result.append(repaired)
        return result

    def _request_body(self, found: Any, place: str, new_pointer: str) -> dict[str, Any]:
        anything: dict[str, Any] = {"content": {_JSON: {}}}
        found_body, pointer = self._references.follow(found, place) or (anything, place)
        body = self._defects.require_object(found_body, pointer)
        self._note_move(new_pointer, pointer)
        if "content" in body:
            return {**body, "content": self._content(body["content"], join_pointer(pointer, "content"))}
        if not _SCHEMA_KEYWORDS & body.keys():
            message = "the request body has no `content`"
            self._defects.add_error("content-missing", pointer, message, repaired=f"any {_JSON}")
            return {**body, "content": {_JSON: {}}}
        message = "the schema is in place of `content`"
        self._defects.add("request-body-is-schema", pointer, message, repaired=f"as {_JSON}")
        self._note_move(join_pointer(new_pointer, "content", _JSON, "schema"), pointer)
        return {"required": True, "content": {_JSON: {"schema": self._schemas.repair(body, pointer)}}}

    def _content(self, content: Any, pointer: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, found in self._defects.require_object(content, pointer).items():
            here = join_pointer(pointer, name)
            media_type = result[name] = dict(self._defects.require_object(found, here))
            if "schema" in media_type:
                media_type["schema"] = self._schemas.repair(media_type["schema"], join_pointer(here, "schema"))
            if "examples" in media_type:
                examples = join_pointer(here, "examples")
                media_type["examples"] = self._defects.require_object(media_type["examples"], examples)
        return result

    def _responses(self, responses: Any, pointer: str, new_pointer: str) -> dict[str, Any]:
        if responses is None:
            message = "the operation has no `responses`"
            self._defects.add_error("responses-missing", pointer, message, repaired="no responses")
            return {}
        result: dict[str, Any] = {}
        for key, found in self._defects.require_object(responses, pointer).items():
            if key.startswith("x-"):
                continue
            followed = self._references.follow(found, join_pointer(pointer, key))
            if followed is None:
                continue
            response, here = followed
            if not _STATUS.fullmatch(key) or not is_object(response):
                message = f"{show(key)}: {show(response)} is not a status with a response"
                self._defects.add_error("response-malformed", here, message, repaired="left out")
                continue
            self._note_move(join_pointer(new_pointer, key), here)
            result[key] = self._response(key, response, here)
        return result

    def _response(self, status: str, response: dict[str, Any], pointer: str) -> dict[str, Any]:
        result = dict(response)
        if not isinstance(response.get("description"), str):
            message = f"the response {status} has no `description`"
            self._defects.add("response-description-missing", pointer, message, repaired="an empty one")
            result["description"] = ""
        if "content" in response:
            result["content"] = self._content(response["content"], join_pointer(pointer, "content"))
        return result

    def _note_move(self, new_pointer: str, pointer: str) -> None:
        self._moved[new_pointer] = pointer
