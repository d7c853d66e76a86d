"""The pytest plugin with ``intercept=True``: apps with the address of the real service in their code."""

import sys
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]
RunTests = Callable[..., pytest.RunResult]
_APP = """
import asyncio, socket, ssl, subprocess, sys

URL = "https://api.aimlapi.com/v1/images/generations"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "hello", "image_urls": ["https://example.org/a.png"]}
HEADERS = {"Authorization": "Bearer " + "x" * 20}

"""


def test_every_way_to_the_real_address_leads_to_the_mock(run_tests: RunTests) -> None:
    tests = """
import requests, uvloop

pytestmark = pytest.mark.bodydouble(intercept=True)

def test_with_the_environment(bodydouble):
    assert httpx.post(URL, json=BODY, headers=HEADERS).status_code == 200
    assert requests.post(URL, json=BODY, headers=HEADERS).status_code == 200
    assert [exchange.status for exchange in bodydouble.requests] == [200, 200]

def test_without_the_environment(bodydouble):
    with httpx.Client(trust_env=False, verify=ssl.create_default_context()) as client:
        assert client.post(URL, json=BODY, headers=HEADERS).status_code == 200
        assert client.post(URL.replace("https", "http"), json=BODY, headers=HEADERS).status_code == 200

@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_in_an_event_loop(bodydouble, run):
    async def send():
        async with httpx.AsyncClient(trust_env=False, verify=ssl.create_default_context()) as client:
            return (await client.post(URL, json=BODY, headers=HEADERS)).status_code
    assert run(send()) == 200

def test_by_its_number(bodydouble):
    with socket.create_connection((socket.gethostbyname("api.aimlapi.com"), 443)) as connection:
        with ssl.create_default_context().wrap_socket(connection, server_hostname="api.aimlapi.com") as secure:
            assert secure.getpeercert()

@pytest.mark.bodydouble(allow_invalid=True)
def test_in_a_child(bodydouble):
    code = f"import urllib.request as r; r.urlopen(r.Request({URL!r}, b'{{}}', {{'Authorization': 'Bearer x', 'Content-Type': 'application/json'}}))"
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE)
    assert b"HTTP Error 400" in done.stderr
"""
    result = run_tests(_APP + tests)
    result.assert_outcomes(passed=6)


def test_other_hosts_of_the_vendor_and_tests_without_it_are_guarded(run_tests: RunTests) -> None:
    tests = """
@pytest.mark.bodydouble(intercept=True)
def test_pictures_host(bodydouble):
    with httpx.Client(trust_env=False) as client, pytest.raises(RuntimeError):
        client.get("https://cdn.aimlapi.com/a.png")

@pytest.mark.bodydouble(intercept=False)
def test_off(bodydouble):
    with pytest.raises(RuntimeError, match="intercept=True"):
        httpx.get(URL)
"""
    result = run_tests(_APP + tests, "-o", "bodydouble_intercept=true")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*called the real cdn.aimlapi.com once*", "*called the real api.aimlapi.com once*"])


def test_a_fault_at_the_real_address_fails_the_test(run_tests: RunTests) -> None:
    tests = """
@pytest.mark.bodydouble(intercept=True)
def test_app(bodydouble):
    httpx.post(URL, json=BODY | {"num_images": 9}, headers=HEADERS)
"""
    result = run_tests(_APP + tests)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*9 is too large; it must be at most 4"])


def test_without_its_packages_the_test_says_what_to_install(
    run_tests: RunTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    result = run_tests("@pytest.mark.bodydouble(intercept=True)\ndef test_app(bodydouble): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pip install 'bodydouble[[]intercept]'"])
