"""A YAML loader that gives only values of JSON: string keys, no dates, and the scalars of YAML 1.2."""
# pyright: reportUnknownMemberType=false
# PyYAML's stubs have no types for the loader's methods.

import re
from typing import Any

import yaml

__all__ = ["JsonCompatibleLoader"]


class JsonCompatibleLoader(yaml.SafeLoader):
    """SafeLoader with the core schema of YAML 1.2: "no", "16:9" and "2026-06-12" are texts, and every key is a string."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge ``<<`` into a mapping, one entry a key: merges of merges would otherwise double at every step."""
        super().flatten_mapping(node)
        last = {
            (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key): (key, value)
            for key, value in node.value
        }
        node.value = list(last.values())

    def construct_text_keyed(self, node: yaml.MappingNode) -> dict[str, Any]:
        """Return a mapping as a JSON object."""
        self.flatten_mapping(node)
        return {_key(key): value for key, value in self.construct_pairs(node, deep=True)}

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        """Return an integer; a leading zero is ignored, ``0o`` and ``0x`` mean octal and hexadecimal."""
        text = self.construct_scalar(node)
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


_CORE = "tag:yaml.org,2002:"
# Both tables are set here, because PyYAML's registration methods would copy the inherited ones, including dates.
JsonCompatibleLoader.yaml_implicit_resolvers = {}
JsonCompatibleLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag in {None, *(_CORE + name for name in ("bool", "float", "null", "seq", "str"))}
}
for _name, _pattern, _letters in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("merge", "<<", "<"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    JsonCompatibleLoader.add_implicit_resolver(_CORE + _name, re.compile(rf"(?:{_pattern})$"), list(_letters))
JsonCompatibleLoader.add_constructor(f"{_CORE}int", JsonCompatibleLoader.construct_integer)
JsonCompatibleLoader.add_constructor(f"{_CORE}map", JsonCompatibleLoader.construct_text_keyed)
