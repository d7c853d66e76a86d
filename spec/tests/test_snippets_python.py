import json
from typing import Any

import pytest
import requests
from bodydouble_spec import Exchange, RecordedPicture
from bodydouble_spec.snippets import as_python
from hypothesis import given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(max_size=30)
    | st.just("\"'\\ \u202e\n</script>"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ORIGIN = "http://127.0.0.1:9"


def recorded(**changes: Any) -> Exchange:
    values: dict[str, Any] = {"id": "run-1", "time": "2026-11-29T10:00:00.000Z", "method": "POST", "path": "/v1/a"}
    values |= {"key": "1a2b3c4d", **changes}
    return Exchange(**values)


def sent(exchange: Exchange, origin: str | None = ORIGIN) -> requests.PreparedRequest:
    """Return the request that the code makes, without sending it."""
    made: list[requests.PreparedRequest] = []

    def prepare(method: str, url: str, **arguments: Any) -> requests.Response:
        made.append(requests.Request(method, url, **arguments).prepare())
        return requests.Response()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "request", prepare)
        patch.setenv("AIMLAPI_KEY", "the-users-key")
        patch.delenv("AIMLAPI_BASE_URL", raising=False)
        exec(as_python(exchange, origin), {})
    (request,) = made
    return request


@settings(max_examples=30)
@given(JSON.filter(lambda value: value is not None))
def test_the_code_sends_the_recorded_body_with_the_users_key(body: Any) -> None:
    request = sent(recorded(body=body, headers={"content-type": "application/json", "user-agent": "app"}))
    assert (request.url, request.headers["authorization"]) == (f"{ORIGIN}/v1/a", "Bearer the-users-key")
    assert json.loads(request.body or "") == body


@pytest.mark.parametrize("path", ["/v1/a?b='\"\\", "@elsewhere.example", "/%0d%0aX: y"])
def test_a_path_stays_on_the_server(path: str) -> None:
    assert (sent(recorded(path=path)).url or "").startswith(f"{ORIGIN}/")


@pytest.mark.parametrize(
    ("place", "got"),
    [
        ({"in": "query", "name": "key"}, "/v1/a?key=the-users-key"),
        ({"in": "cookie", "name": "session"}, "session=the-users-key"),
        ({"in": "header", "name": "x-app"}, "'x-app': 'the-users-key'"),
        ({"in": "header", "name": "authorization", "scheme": "Basic"}, "Basic dGhlLXVzZXJzLWtleTo="),
    ],
)
def test_the_key_is_where_the_contract_has_it(place: dict[str, str], got: str) -> None:
    request = sent(recorded(key_in=[place]))
    assert got in f"{request.url} {request.headers}"


def test_a_form_is_sent_as_a_form() -> None:
    picture = RecordedPicture("ab", "image/png", 100, (64, 32), is_data_uri=False).to_dict()
    headers = {"content-type": "multipart/form-data; boundary=x"}
    body = sent(recorded(headers=headers, body={"prompt": ["a", "b"], "image": picture})).body
    assert isinstance(body, bytes)
    assert (body.count(b'name="prompt"'), b"\x89PNG" in body) == (2, True)
    encoded = sent(recorded(headers={"content-type": "application/x-www-form-urlencoded"}, body={"a": "1&2"})).body
    assert encoded == "a=1%262"


def test_without_an_origin_the_code_is_for_the_mock_at_its_usual_address() -> None:
    assert sent(recorded(key=None), None).url == "http://127.0.0.1:8000/v1/a"
