"""The pytest plugin in a project of a user: real runs of pytest on real apps."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SAMPLE_APP = Path(__file__).parent / "data" / "sample_app"
Run = Callable[..., pytest.RunResult]


def test_the_sample_app_of_the_docs_passes_its_tests(pytester: pytest.Pytester, run_files: Run) -> None:
    shutil.copytree(SAMPLE_APP, pytester.path, dirs_exist_ok=True)
    run_files().assert_outcomes(passed=2)


def test_a_request_that_breaks_the_contract_fails_the_test_with_its_place(run_tests: Run) -> None:
    result = run_tests("def test_app(bodydouble): send(num_images=9)")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "bodydouble: the app sent requests that break the contract",
            "*operation  POST /v1/images/generations",
            "error * 9 is too large; it must be at most 4",
            "*request.num_images, request-maximum, documented",
            "*request 1 of 1",
            "The requests, while the mock runs (*): http://127.0.0.1:*/_bodydouble/",
            "If this is intended: @pytest.mark.bodydouble(allow_invalid=True)",
        ]
    )


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        ('httpx.post(bodydouble.url + "/v1/image/generations", json={})', "request-route-unknown"),
        ('httpx.post(bodydouble.url + "/v1/images/generations", json={})', "request-key-missing"),
        ("send(prompt=7)", "request-type"),
        (
            'httpx.post(bodydouble.url + "/v1/images/generations", content=b"0" * 34_000_000, headers={"Authorization": "Bearer a"})',
            "request-refused",
        ),
    ],
)
def test_a_request_that_the_service_would_refuse_fails_the_test(run_tests: Run, call: str, rule: str) -> None:
    result = run_tests(f"def test_app(bodydouble): {call}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["error *", f"*{rule}, *"])


@pytest.mark.parametrize(
    "call",
    [
        "send()",
        'httpx.get(bodydouble.url + "/v1/models")',
        'httpx.get(bodydouble.url + "/generations/yak/gone.png")',
        'httpx.get(send().json()["data"][0]["url"])',
        "bodydouble.answer(status=400); send()",
    ],
)
def test_a_request_that_keeps_the_contract_passes(run_tests: Run, call: str) -> None:
    run_tests(f"def test_app(bodydouble): {call}").assert_outcomes(passed=1)


def test_the_same_violation_in_many_requests_is_reported_once_with_their_numbers(run_tests: Run) -> None:
    result = run_tests("def test_app(bodydouble):\n    for _ in range(14): send(num_images=9)\n")
    result.stdout.fnmatch_lines(["*requests 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4 more of 14", "1 error"])


TYPES = """
def test_app(bodydouble):
    for kind in ("text/plain", "text/html", "image/png", "text/html"):
        headers = {"Authorization": "Bearer a", "Content-Type": kind}
        httpx.post(bodydouble.url + "/v1/images/generations", content=b"{}", headers=headers)
"""


def test_violations_of_one_rule_with_different_values_are_reported_each_with_their_own_requests(run_tests: Run) -> None:
    result = run_tests(TYPES)
    for kind, requests in (("text/plain", "request 1"), ("text/html", "requests 2, 4"), ("image/png", "request 3")):
        result.stdout.fnmatch_lines_random([f"*Content-Type is {kind};*", f"*{requests} of 4*"])
    result.stdout.fnmatch_lines(["3 errors, 1 warning"])


def test_violations_with_very_many_values_are_reported_in_a_few_lines(run_tests: Run) -> None:
    result = run_tests("def test_app(bodydouble):\n    for n in range(30): send(num_images=100 + n)\n")
    result.stdout.fnmatch_lines(["*110 is too large;*(and 19 more such values)*", "*11, 12, * and 10 more of 30"])
    result.stdout.fnmatch_lines(["11 errors"])


def test_an_answer_that_is_never_used_fails_the_test_with_its_line(pytester: pytest.Pytester, run_tests: Run) -> None:
    result = run_tests("\ndef test_app(bodydouble):\n    bodydouble.answer(status=429, times=2)\n")
    result.assert_outcomes(passed=1, errors=1)
    lines = pytester.path.joinpath("test_app.py").read_text(encoding="utf-8").splitlines()
    line = lines.index("    bodydouble.answer(status=429, times=2)") + 1
    result.stdout.fnmatch_lines(
        [
            "bodydouble: scripted answers were never used",
            f"*answer(status=429, times=2) at test_app.py:{line} was never used; the app sent no request",
            "If this is intended: @pytest.mark.bodydouble(allow_unused=True)",
        ]
    )


IMPATIENT = """
def test_app(bodydouble):
    bodydouble.answer(delay_s=30)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(bodydouble.url + "/v1/images/generations", timeout=0.2)
"""


def test_an_answer_that_the_app_did_not_wait_for_counts_as_used(run_tests: Run) -> None:
    run_tests(f"@pytest.mark.bodydouble(allow_invalid=True){IMPATIENT}").assert_outcomes(passed=1)


def test_a_request_is_checked_even_if_the_app_did_not_wait_for_the_answer(run_tests: Run) -> None:
    result = run_tests(IMPATIENT)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the app sent requests that break the contract*"])


@pytest.mark.parametrize(
    ("argument", "tests"),
    [
        ("allow_invalid", "send(num_images=9)"),
        ("allow_unused", "bodydouble.answer(status=429)"),
    ],
)
def test_the_marker_allows_each_failure(run_tests: Run, argument: str, tests: str) -> None:
    result = run_tests(f"@pytest.mark.bodydouble({argument}=True)\ndef test_app(bodydouble): {tests}")
    result.assert_outcomes(passed=1)


def test_a_property_that_is_sent_in_vain_fails_a_test_where_warnings_do(run_tests: Run) -> None:
    result = run_tests(
        """
def test_default(bodydouble): send(n=2)

@pytest.mark.bodydouble(fail_on="warning")
def test_strict(bodydouble): send(n=2)

@pytest.mark.bodydouble(fail_on="never")
def test_never(bodydouble): send(num_images=9)
"""
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*did you mean num_images?*", "*request-undocumented-property*"])
    result.stdout.fnmatch_lines(["*bodydouble warnings*", "*::test_default: *did you mean num_images? (request-un*)"])
    run_tests("def test_app(bodydouble): send(n=2)", "-o", "bodydouble_fail_on=warning").assert_outcomes(
        passed=1, errors=1
    )


def test_a_mark_on_the_class_applies_unless_a_closer_one_has_the_option(run_tests: Run) -> None:
    run_tests(
        """
@pytest.mark.bodydouble(allow_invalid=True)
class TestApp:
    @pytest.mark.bodydouble(allow_unused=True)
    def test_app(self, bodydouble):
        bodydouble.answer(status=429, match={"prompt": "other"})
        send(num_images=9)
"""
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize("argument", ["allow_invalide=True", "'x'", "allow_invalid=1", "fail_on='none'"])
def test_a_bad_argument_of_the_marker_fails_its_test_and_no_other(run_tests: Run, argument: str) -> None:
    marked = f"@pytest.mark.bodydouble({argument})\ndef"
    result = run_tests(f"{marked} test_app(bodydouble): pass\n{marked} test_without(): pass\ndef test_other(): pass")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_app*", "* takes allow_invalid, allow_unused, *"])
    result.stdout.no_fnmatch_line("*During handling of*")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("status=99", "status: *code takes a status from 200 to 599"),
        ("delay_s=-1", "delay_s: *"),
        ("times=0", "times: times must be a whole number, 1 or more, or null for always"),
        ("fault='hiccup'", "fault: *reset-before-headers*"),
        ("violation='none'", "violation: *"),
        ("body={'data': 7}", 'body at /data: *add "violation": true*'),
        ("body={1j}", "the answer cannot be written as JSON*"),
        ("match={'promt': 'x'}", "match at /promt: unknown key; known keys: *prompt*"),
        ("headers={'Content-Length': '1'}", "headers at /Content-Length: this header cannot be set"),
    ],
)
def test_a_bad_answer_raises_at_its_line_and_names_the_argument(run_tests: Run, arguments: str, message: str) -> None:
    result = run_tests(f"def test_app(bodydouble):\n    bodydouble.answer({arguments})\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [f">*bodydouble.answer({arguments})", f"E *BadAnswer: bodydouble.answer: {message}", "test_app.py:*: BadAnswer"]
    )


def test_an_unknown_option_of_an_answer_is_a_type_error_that_lists_the_options(run_tests: Run) -> None:
    result = run_tests("def test_app(bodydouble):\n    bodydouble.answer(staus=429)\n")
    result.stdout.fnmatch_lines(["E *TypeError: bodydouble.answer has no option 'staus'; it has status, times, *"])


def test_scripted_answers_are_used_in_order_then_normal_ones(run_tests: Run) -> None:
    run_tests(
        """
def test_app(bodydouble):
    bodydouble.answer(status=429, times=2, retry_after=7)
    bodydouble.answer(body={"oops": 1}, violation=True, headers={"x-team": "blue"})
    answers = [send() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 200, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert (answers[2].json(), answers[2].headers["x-team"]) == ({"oops": 1}, "blue")
    assert "data" in answers[3].json()
"""
    ).assert_outcomes(passed=1)


def test_a_null_body_is_a_body(run_tests: Run) -> None:
    run_tests(
        "def test_app(bodydouble):\n    bodydouble.answer(body=None, violation=True)\n    assert send().json() is None\n"
    ).assert_outcomes(passed=1)


def test_tests_do_not_share_a_mock(run_tests: Run) -> None:
    run_tests(
        """
@pytest.mark.parametrize("number", [1, 2])
def test_app(bodydouble, number):
    assert bodydouble.requests == []
    send()
    assert [exchange.status for exchange in bodydouble.requests] == [200]
    bodydouble.answer(status=429, times=None)
    assert send().status_code == 429
"""
    ).assert_outcomes(passed=2)


def test_client_and_transport_reach_the_same_mock(run_tests: Run) -> None:
    run_tests(
        """
def test_app(bodydouble):
    picture = bodydouble.client().edit("hello", ["https://example.org/a.png"], num_images=1).images[0]
    assert picture.bytes().startswith(b"\\x89PNG")
    with httpx.Client(transport=bodydouble.transport, base_url="http://mock") as http:
        http.get("/v1/images/generations/nothing")
    assert [exchange.status for exchange in bodydouble.requests] == [200, 404]

test_app = pytest.mark.bodydouble(allow_invalid=True)(test_app)
"""
    ).assert_outcomes(passed=1)


def test_a_call_that_hangs_does_not_outlive_its_test(run_tests: Run) -> None:
    run_tests(
        """
import threading

def test_app(bodydouble):
    bodydouble.answer(fault="hang")
    bodydouble.answer(delay_s=60)
    def wait():
        with pytest.raises(httpx.RemoteProtocolError):
            send()
    for _ in range(2):
        threading.Thread(target=wait, name="app").start()
    while any(answer["used"] == 0 for answer in httpx.get(bodydouble.url + "/_bodydouble/scenarios").json()["answers"]):
        pass

def test_nothing_is_left():
    for thread in threading.enumerate():
        if thread.name in ("app", "bodydouble-server"):
            thread.join(10)
            assert not thread.is_alive()
"""
    ).assert_outcomes(passed=2)


def test_allow_names_findings_models_and_routes_and_nothing_else(run_tests: Run) -> None:
    tests = """
@pytest.mark.bodydouble(allow=["request-maximum"])
def test_finding(bodydouble):
    send(num_images=9)

@pytest.mark.bodydouble(allow=["some/model"])
def test_model(bodydouble):
    send(model="some/model")

@pytest.mark.bodydouble(allow=["POST /v1/chat/*", "/v1/tts"])
def test_routes(bodydouble):
    httpx.post(bodydouble.url + "/v1/chat/completions")
    httpx.post(bodydouble.url + "/v1/tts")

@pytest.mark.bodydouble(allow=["gpt-4o"])
def test_model_of_another_route(bodydouble):
    httpx.post(bodydouble.url + "/v1/chat/completions", json={"model": "gpt-4o"})
    assert bodydouble.requests[0].body == {"model": "gpt-4o"}

@pytest.mark.bodydouble(allow=["request-minimum", "GET /v1/tts", "other/model"])
def test_others(bodydouble):
    send(num_images=9)
    httpx.post(bodydouble.url + "/v1/tts")
"""
    result = run_tests(tests)
    result.assert_outcomes(passed=5, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*request-maximum*",
            "*route-not-stood-in*",
            "Or only these findings: *allow=[[]'request-maximum', 'route-not-stood-in'[]])",
        ]
    )


def test_an_answer_is_scripted_for_a_route_of_no_contract_or_by_a_function(run_tests: Run) -> None:
    tests = """
def test_route(bodydouble):
    bodydouble.answer(path="/v1/chat/completions", body={"choices": []})
    assert httpx.post(bodydouble.url + "/v1/chat/completions").json() == {"choices": []}

def test_function(bodydouble):
    bodydouble.answer(lambda request: {"status": 429, "retry_after": 7} if request.number < 3 else {}, times=None)
    assert [send().status_code for _ in range(3)] == [429, 429, 200]

def test_body(bodydouble):
    bodydouble.answer(status=503, match={"/num_images": 4})
    assert [send(num_images=count).status_code for count in (1, 4)] == [200, 503]

def test_unused(bodydouble):
    bodydouble.answer(lambda request: {}, path="/v1/tts")
"""
    result = run_tests(tests)
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*answer(path='/v1/tts') at test_app.py:* was never used*"])
