"""``bodydouble_session = true``: one mock for the whole run, in the environment before modules are imported."""

import textwrap
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
RunFiles = Callable[..., pytest.RunResult]
# As apps have it: the client is made when the module is imported, and the tests' conftest imports it.
_APP = """
import openai

client = openai.OpenAI(max_retries=0)

def edit(**changes):
    body = {"image_urls": ["https://example.org/a.png"]} | changes
    return client.images.generate(model="google/gemini-2.5-flash-image-edit", prompt="hello", extra_body=body).data
"""
_CONFTEST = """
import app
import pytest

@pytest.fixture(scope="module")
def edited(bodydouble_server):
    bodydouble_server.answer(images="b64_json")
    return app.edit()
"""
_INI = """
[pytest]
bodydouble_session = true
bodydouble_openai = true
"""


@pytest.fixture
def run_session(pytester: pytest.Pytester, run_files: RunFiles) -> RunFiles:
    """Run pytest on the code of tests for an app with a client at import."""

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(
            app=_APP, conftest=_CONFTEST, test_app=f"import app, openai, pytest\n{textwrap.dedent(tests)}"
        )
        pytester.makeini(_INI)
        return run_files(*options)

    return run


def test_a_client_made_at_import_works_in_every_test_and_each_has_its_own_journal_and_scripts(
    run_session: RunFiles,
) -> None:
    result = run_session("""
        def test_first(bodydouble):
            assert len(app.edit(num_images=2)) == 2
            assert len(bodydouble.requests) == 1

        def test_script(bodydouble):
            bodydouble.answer(status=429)
            with pytest.raises(openai.RateLimitError):
                app.edit()
            assert [exchange.status for exchange in bodydouble.requests] == [429]

        def test_fixture_of_the_module(edited, bodydouble, bodydouble_server):
            assert edited[0].b64_json
            assert bodydouble_server.requests == bodydouble.requests

        def test_without_the_fixture():
            assert len(app.edit()) == 1

        @pytest.mark.bodydouble(allow_invalid=True)
        def test_marker():
            with pytest.raises(openai.BadRequestError):
                app.edit(num_images=9)
    """)
    result.assert_outcomes(passed=5)


def test_every_test_is_judged_with_or_without_the_fixture(run_session: RunFiles) -> None:
    result = run_session("""
        import unittest

        def send(**changes):
            with pytest.raises(openai.BadRequestError):
                app.edit(**changes)

        def test_plain():
            send(num_images=5)

        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def use(self, bodydouble):
                self.bodydouble = bodydouble

            def test_of_unittest(self):
                send(num_images=6)
                assert len(self.bodydouble.requests) == 1

        @pytest.fixture
        def closing():
            yield
            send(num_images=7)

        def test_teardown(closing):
            pass

        def test_unused(bodydouble):
            bodydouble.answer(status=429)

        def test_last():
            app.edit()
    """)
    result.assert_outcomes(passed=5, errors=4)
    for number, name in ((5, "test_plain"), (6, "TestCase.test_of_unittest"), (7, "test_teardown")):
        result.stdout.fnmatch_lines([f"*ERROR at teardown of {name} *", f"*{number} is too large*"])


def test_a_request_at_import_is_judged_too(run_session: RunFiles) -> None:
    result = run_session("""
        try:
            app.edit(num_images=9)
        except openai.BadRequestError:
            pass

        def test_first(bodydouble):
            assert bodydouble.requests == []

        def test_second():
            pass
    """)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_first *", "These requests came outside *"])


def test_the_severity_that_fails_a_test_is_that_for_requests_outside_of_it_too(run_session: RunFiles) -> None:
    result = run_session("""
        import httpx

        @pytest.fixture
        def closing():
            yield
            httpx.get(app.edit()[0].url, headers={"Authorization": "Bearer x", "Prefer": "code=404"})

        def test_default(closing):
            pass

        @pytest.mark.bodydouble(fail_on="warning")
        def test_strict(closing):
            pass

        @pytest.mark.bodydouble(fail_on="warning", allow=["picture-key-sent"])
        def test_allowed(closing):
            pass
    """)
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_strict *", "*picture-key-sent*"])


def test_a_test_with_another_contract_has_it_alone(pytester: pytest.Pytester, run_session: RunFiles) -> None:
    pytester.makefile(
        ".json",
        other='{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {"responses": {"200": {"description": "d"}}}}}}',
    )
    result = run_session("""
        import httpx

        @pytest.mark.bodydouble(contract="other.json")
        def test_other(bodydouble):
            assert httpx.get(bodydouble.url + "/a").status_code == 200

        def test_usual(bodydouble):
            assert len(app.edit()) == 1
    """)
    result.assert_outcomes(passed=2)


def test_settings_of_tls_made_at_import_trust_the_mock(run_session: RunFiles) -> None:
    result = run_session(
        """
        import ssl
        import httpx

        CLIENT = httpx.Client(trust_env=False, verify=ssl.create_default_context())

        @pytest.fixture(scope="module", autouse=True)
        def close():
            yield
            CLIENT.close()

        def test_app():
            answer = CLIENT.post("https://api.aimlapi.com/v1/images/generations", json={
                "model": "google/gemini-2.5-flash-image-edit", "prompt": "hello", "image_urls": ["https://example.org/a.png"]
            }, headers={"Authorization": "Bearer x"})
            assert answer.status_code == 200
        """,
        "-o",
        "bodydouble_intercept=true",
    )
    result.assert_outcomes(passed=1)


def test_a_fixture_of_the_run_without_the_setting_says_what_to_set(
    run_files: RunFiles, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_app(bodydouble_server): pass")
    result = run_files()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*bodydouble_session = true*"])


def test_a_session_that_cannot_start_is_one_line(run_session: RunFiles) -> None:
    result = run_session("def test_app(): pass", "-o", "bodydouble_contract=missing.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "missing.json" in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize("setting", ["false", "true"], ids=["own-mock", "session"])
def test_the_fixture_works_with_gevents_monkey_patch_all_before_and_after_the_mock_has_started(
    pytester: pytest.Pytester, setting: str
) -> None:
    pytester.makeini(f"[pytest]\nbodydouble_session = {setting}\n")
    pytester.makeconftest("from gevent import monkey; monkey.patch_all()")
    pytester.makepyfile("""
        import os, gevent, requests

        def send(_=None):
            url = os.environ["AIMLAPI_BASE_URL"] + "/v1/models"
            return requests.get(url, timeout=60).status_code

        def test_app(bodydouble):
            jobs = [gevent.spawn(send) for _ in range(8)]
            gevent.joinall(jobs)
            assert [job.value for job in jobs] == [200] * 8
            bodydouble.answer(status=429)
    """)
    # In a process of its own, since nothing takes the patches back.
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest", timeout=60)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*was never used*"])
