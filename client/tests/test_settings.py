import math
from typing import Any

import httpx
import pytest
from bodydouble_client import BASE_URL_VARIABLES, KEY_VARIABLES, ArgumentError, AsyncClient, Client
from bodydouble_client._settings import build_endpoint, find_base_url, find_key
from hypothesis import given
from hypothesis import strategies as st

EDITS = "/v1/images/generations"


def _key_of(found: Any) -> Any:
    return found if isinstance(found, ArgumentError) else found.reveal()


def test_the_key_argument_wins_over_the_environment() -> None:
    assert _key_of(find_key("argument", dict.fromkeys(KEY_VARIABLES, "variable"))) == "argument"


@pytest.mark.parametrize("place", range(3))
def test_the_first_key_variable_that_is_set_and_not_empty_counts(place: int) -> None:
    environ = {name: name for name in KEY_VARIABLES[place:]} | dict.fromkeys(KEY_VARIABLES[:place], "")
    assert _key_of(find_key(None, environ)) == KEY_VARIABLES[place]


@pytest.mark.parametrize("place", range(3))
def test_the_first_base_url_variable_that_is_set_and_not_empty_counts(place: int) -> None:
    environ = {name: name for name in BASE_URL_VARIABLES[place:]} | dict.fromkeys(BASE_URL_VARIABLES[:place], "")
    assert find_base_url(None, environ) == (BASE_URL_VARIABLES[place],) * 2


def test_the_base_url_argument_wins_over_the_environment() -> None:
    assert find_base_url("http://a", dict.fromkeys(BASE_URL_VARIABLES, "http://b")) == ("base_url", "http://a")


def test_without_any_key_the_error_names_every_variable() -> None:
    with pytest.raises(ArgumentError) as caught:
        Client()
    assert all(name in str(caught.value) for name in KEY_VARIABLES)


def test_without_any_base_url_the_real_service_is_used() -> None:
    assert repr(Client("key")) == f"Client('https://api.aimlapi.com{EDITS}')"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_environment_is_read_by_both_clients(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIML_API_KEY", "key")
    monkeypatch.setenv("AIML_API_BASE", "http://mock:8000/v1/")
    assert repr(kind()) == f"{kind.__name__}('http://mock:8000{EDITS}')"


@given(st.text().filter(lambda text: any(not "!" <= character <= "~" for character in text)))
def test_a_key_with_anything_but_visible_ascii_is_refused_without_being_shown(tail: str) -> None:
    found = find_key("canary" + tail, {})
    assert isinstance(found, ArgumentError)
    assert "canary" not in str(found)


def test_a_bad_key_from_the_environment_is_reported_with_its_variable() -> None:
    found = find_key(None, {"AIML_API_KEY": "abc\n"})
    assert isinstance(found, ArgumentError)
    assert found.argument == "AIML_API_KEY"


@pytest.mark.parametrize("key", ["", b"bytes", 5])
def test_an_empty_key_or_one_that_is_not_text_is_refused(key: Any) -> None:
    with pytest.raises(ArgumentError, match="api_key"):
        Client(key)


@pytest.mark.parametrize(
    ("base_url", "endpoint"),
    [
        ("https://api.aimlapi.com", f"https://api.aimlapi.com{EDITS}"),
        ("https://api.aimlapi.com/", f"https://api.aimlapi.com{EDITS}"),
        ("https://api.aimlapi.com/v1", f"https://api.aimlapi.com{EDITS}"),
        ("https://api.aimlapi.com/v1//", f"https://api.aimlapi.com{EDITS}"),
        ("http://localhost:8000", f"http://localhost:8000{EDITS}"),
        ("http://[::1]:8000/v1", f"http://[::1]:8000{EDITS}"),
        ("HTTPS://API.AIMLAPI.COM/v1", f"HTTPS://API.AIMLAPI.COM{EDITS}"),
        ("http://gateway/aiml", f"http://gateway/aiml{EDITS}"),
        ("http://gateway/aiml/v1", f"http://gateway/aiml{EDITS}"),
    ],
)
def test_a_base_url_leads_to_the_route_with_and_without_v1_and_slashes(base_url: str, endpoint: str) -> None:
    assert build_endpoint("base_url", base_url) == endpoint


@pytest.mark.parametrize(
    "base_url",
    [
        "", "api.aimlapi.com", "ftp://host", "http://", "http:///v1", "http://host:port", "http://host:99999",
        "http://host/?a=1", "http://host/#a", "http://host/v1?", "http://ho st", " http://host", "http://host\n",
        "http://user:pass@host", "http://@host", "http://host/v1/images/generations", "http://host/v1/images/generations/",
        "http://[::1", "http://api.aimlapi.com", "HTTP://API.AIMLAPI.COM/v1", "http://\x00", "http://a\ud800", 5,
    ],
)  # fmt: skip
def test_an_unusable_base_url_is_refused(base_url: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^AIML_API_BASE "):
        build_endpoint("AIML_API_BASE", base_url)


@given(st.sampled_from(["", "http://", "https://host", "http://host/"]), st.text())
def test_any_text_as_base_url_gives_an_endpoint_or_an_argument_error(head: str, tail: str) -> None:
    try:
        endpoint = build_endpoint("base_url", head + tail)
    except ArgumentError:
        return
    assert httpx.URL(endpoint).path.endswith(EDITS)


def test_a_password_in_the_base_url_is_not_shown() -> None:
    with pytest.raises(ArgumentError) as caught:
        build_endpoint("base_url", "http://user:hunter2@host")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["timeout_s", "deadline_s", "max_retry_wait_s"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 1e9, True, "5", pytest.param(10**5000, id="huge")])
def test_a_time_that_is_not_a_positive_number_of_seconds_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=name):
        Client("key", **{name: value})


@pytest.mark.parametrize("retries", [-1, 1.0, True, None])
def test_a_number_of_retries_that_is_not_a_whole_number_is_refused(retries: Any) -> None:
    with pytest.raises(ArgumentError, match="retries"):
        Client("key", retries=retries)


@pytest.mark.parametrize("name", ["http_client", "download_client"])
def test_an_http_client_of_the_other_type_is_refused(name: str) -> None:
    with httpx.Client() as http, pytest.raises(ArgumentError, match=name):
        AsyncClient("key", **{name: http})  # type: ignore[arg-type]


def test_an_environment_without_a_usable_http_setup_is_an_argument_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")
    with pytest.raises(ArgumentError, match="HTTPS_PROXY"):
        Client("key")
