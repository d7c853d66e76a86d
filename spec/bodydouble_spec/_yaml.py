"""A YAML loader that gives what JSON could have said: string keys, no dates, YAML 1.2 booleans."""

import re
from typing import Any

import yaml

__all__ = ["JsonCompatibleLoader"]


class JsonCompatibleLoader(yaml.SafeLoader):
    """SafeLoader without timestamps, with true and false as the only booleans, and with every key a string."""


# "no", "on" and "2026-06-12" are texts in YAML 1.2 and in what authors of OpenAPI documents mean.
JsonCompatibleLoader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
JsonCompatibleLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF")
)


def _string_keyed(loader: JsonCompatibleLoader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    pairs = loader.construct_pairs(node, deep=True)
    return {_key(key): value for key, value in pairs}


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


JsonCompatibleLoader.add_constructor("tag:yaml.org,2002:map", _string_keyed)
