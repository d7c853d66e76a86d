"""Requests as curl commands: the shell passes every text to curl unchanged, and no key is among them."""

import subprocess

import pytest
from bodydouble_spec import BEARER
from bodydouble_spec.snippets import curl_command
from hypothesis import given, settings
from hypothesis import strategies as st

# A stand-in for curl: prints its arguments, each with a record separator, then its standard input.
_CURL = 'curl() { printf \'%s\\036\' "$@"; case "$*" in *@-*) cat;; esac; }\n'


def handed_over(command: str, **environment: str) -> list[str]:
    """Return the arguments that curl receives, then its standard input."""
    script = (_CURL + command).encode("utf-8", "surrogatepass")
    # The script comes from standard input, so that a command of any length works.
    shown = subprocess.run(["sh"], input=script, env=environment, check=True, capture_output=True)
    return shown.stdout.decode("utf-8", "surrogatepass").split("\036")


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\036"), max_size=12)


@settings(max_examples=25, deadline=None)
@given(TEXT, TEXT, TEXT)
def test_every_text_reaches_curl_as_it_is(path: str, value: str, body: str) -> None:
    command = curl_command("POST", f"/v1/{path}", origin="https://api.test", headers={"accept": value}, body=body)
    shown = "".join(character for character in path if character.isprintable())
    plain = "".join(character for character in value if character.isprintable())
    assert handed_over(command) == [
        "--globoff", "--request", "POST", f"https://api.test/v1/{shown}", "--header", f"accept: {plain}",
        "--data-raw", body, "",
    ]  # fmt: skip


@pytest.mark.parametrize("body", ["x" * 200_000, "it's $HOME `id`\n" * 10_000 + "END_OF_BODY\ntouch pwned"])
def test_a_body_too_long_for_an_argument_comes_from_standard_input(body: str) -> None:
    *_, option, source, sent = handed_over(curl_command("POST", "/", origin="https://api.test", body=body))
    assert (option, source, sent) == ("--data-binary", "@-", f"{body}\n")


def test_the_shell_inserts_the_key() -> None:
    command = curl_command("POST", "/v1/x", origin="https://api.test", security=BEARER)
    assert "Authorization: Bearer my-own-key" in handed_over(command, AIMLAPI_KEY="my-own-key")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://127.0.0.1:8000/v1/x"),
        ({"AIMLAPI_BASE_URL": "https://api.test/v1"}, "https://api.test/v1/x"),
        ({"AIMLAPI_BASE_URL": "https://api.test"}, "https://api.test/v1/x"),
    ],
)
def test_without_an_origin_the_environment_names_it(environment: dict[str, str], url: str) -> None:
    assert url in handed_over(curl_command("GET", "/v1/x"), **environment)
