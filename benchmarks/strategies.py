"""Valid request bodies a CPU second, ours beside Schemathesis's, and what they cover.

    python benchmarks/strategies.py [--examples 1000] [--rounds 3] [--document FILE]

Both make bodies for the same repaired and overlaid document, in one process and under the same Hypothesis settings, and every body is
judged by the same validator; the rate counts the valid ones. The rate is the best of the rounds, the coverage that of the last round,
as the share of valid bodies, and for enums the number of values seen. Schemathesis is left out when it is not installed.
"""

import argparse
import importlib
import importlib.util
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bodydouble_contract_tests import requests
from bodydouble_spec import Contract, Operation, decode_picture, is_array, is_object, picture_kind
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

LONG = 3800


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one strategy in one round: valid bodies, how many others, and CPU seconds."""

    bodies: list[Any]
    refused: int
    cpu_s: float

    @property
    def rate(self) -> float:
        """Valid bodies a CPU second."""
        return len(self.bodies) / self.cpu_s


def schemathesis_bodies(contract: Contract, operation: Operation) -> st.SearchStrategy[Any]:
    """Schemathesis's valid cases of the operation, their bodies; keys are left out of the document, so that it makes no headers."""
    package: Any = importlib.import_module("schemathesis")  # not one of our requirements
    modes: Any = importlib.import_module("schemathesis.generation.modes")
    document = {name: value for name, value in contract.document.items() if name != "security"}
    endpoint = package.openapi.from_dict(document)[operation.path][operation.method]
    cases: st.SearchStrategy[Any] = endpoint.as_strategy(generation_mode=modes.GenerationMode.POSITIVE)

    def body_of(case: Any) -> Any:
        return case.body

    return cases.map(body_of)


def measure(strategy: st.SearchStrategy[Any], operation: Operation, examples: int, round_number: int) -> Run:
    """Run one round; the first few examples are made beforehand, so that what is built once is not counted."""

    def run(count: int) -> Run:
        bodies: list[Any] = []
        refused = 0

        @seed(round_number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )
        @given(strategy)
        def keep(body: Any) -> None:
            nonlocal refused
            if operation.validate_request(body):
                refused += 1
            else:
                bodies.append(body)

        begun = time.process_time()
        keep()
        return Run(bodies, refused, time.process_time() - begun)

    run(5)
    return run(examples)


def texts_in(value: Any) -> list[str]:
    """Every text in a JSON value, keys left out."""
    if isinstance(value, str):
        return [value]
    inner: Iterable[Any] = value.values() if is_object(value) else value if is_array(value) else ()
    return [text for item in inner for text in texts_in(item)]


def has_text(wanted: Callable[[str], bool]) -> Callable[[Any], bool]:
    """Tell if a body has such a text anywhere."""
    return lambda body: any(map(wanted, texts_in(body)))


def is_pictures_base64(text: str) -> bool:
    """Tell if a text begins like the Base64 of a PNG, JPEG, GIF, WebP or BMP file."""
    return len(text) > 40 and picture_kind(decode_picture(text)) is not None


COVERED: dict[str, Callable[[Any], bool]] = {
    "http(s) URL": has_text(lambda text: text.lower().startswith(("http://", "https://"))),
    "data URI with a picture": has_text(
        lambda text: text.startswith("data:image/") and is_pictures_base64(text.rpartition(",")[2])
    ),
    "bare Base64 of a picture": has_text(is_pictures_base64),
    "empty text": has_text(lambda text: text == ""),
    f"text of {LONG} characters or more": has_text(lambda text: len(text) >= LONG and "base64" not in text),
    "NUL": has_text(lambda text: "\0" in text),
    "astral": has_text(lambda text: any(ord(character) > 0xFFFF for character in text)),
    "right-to-left": has_text(
        lambda text: any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text)
    ),
    "combining": has_text(lambda text: any(unicodedata.combining(character) for character in text)),
}


def coverage(operation: Operation, bodies: list[Any]) -> dict[str, str]:
    """Describe the coverage of the bodies, one line for each measure."""
    lines = {name: percent(sum(map(covers, bodies)), bodies) for name, covers in COVERED.items()}
    properties: dict[str, Any] = (operation.request_schema or {}).get("properties", {})
    for name, schema in properties.items():
        values = [body[name] for body in bodies if is_object(body) and name in body]
        if "enum" in schema:
            seen = sum(option in values for option in schema["enum"])
            lines[f"{name}: values of the enum"] = f"{seen} of {len(schema['enum'])}"
        for bound in ("minimum", "maximum"):
            if bound in schema:
                lines[f"{name}: {bound} exactly"] = percent(values.count(schema[bound]), bodies)
        if schema.get("type") == "number":
            lines[f"{name}: a fraction"] = percent(sum(bool(value % 1) for value in values), bodies)
    known = {"auto", "google", "fal"}
    providers = [str(body.get("provider", "")).lower() for body in bodies]
    lines["provider: a known value"] = percent(sum(provider in known for provider in providers), bodies)
    lines["a key that nobody documents"] = percent(
        sum(bool(body.keys() - properties.keys()) for body in bodies), bodies
    )
    return lines


def percent(count: int, bodies: list[Any]) -> str:
    """Write a count as a percentage of the bodies."""
    return f"{100 * count / max(1, len(bodies)):.1f}%"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--document", help="an OpenAPI document instead of the vendored contract")
    options = parser.parse_args()
    contract = Contract.load(options.document)
    operation = contract.operation()
    strategies = {"bodydouble": requests(contract, operation)}
    if importlib.util.find_spec("schemathesis") is not None:
        strategies["schemathesis"] = schemathesis_bodies(contract, operation)
    runs = {
        name: [measure(strategy, operation, options.examples, number) for number in range(options.rounds)]
        for name, strategy in strategies.items()
    }
    last = {name: coverage(operation, made[-1].bodies) for name, made in runs.items()}
    print(f"{operation.key} of {contract.source}, {options.examples} examples a round, best of {options.rounds}")
    print(f"{'':44}" + "".join(f"{name:>16}" for name in runs))
    rates = "".join(f"{max(run.rate for run in made):>16.0f}" for made in runs.values())
    print(f"{'valid bodies a CPU second':44}{rates}")
    print(f"{'refused by the contract':44}" + "".join(f"{made[-1].refused:>16}" for made in runs.values()))
    for line in next(iter(last.values())):
        print(f"{line:44}" + "".join(f"{lines[line]:>16}" for lines in last.values()))


if __name__ == "__main__":
    main()
