"""The variables that point an app at the mock."""

from collections.abc import Iterable, Mapping

from bodydouble_client import BASE_URL_VARIABLES, KEY_VARIABLES

__all__ = ["DUMMY_KEY", "mock_variables"]

DUMMY_KEY = "bodydouble-dummy-key"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def mock_variables(
    url: str, environ: Mapping[str, str], *, openai: bool = False, past_proxies: Iterable[str] = ()
) -> dict[str, str]:
    """The variables to set over ``environ`` for an app that should talk to the mock at ``url``.

    They are those of the client, with a dummy key; with ``openai`` also those of the OpenAI SDKs. ``NO_PROXY`` gets loopback and the
    host names ``past_proxies``, beside what is in it.
    """
    variables: dict[str, str] = {**dict.fromkeys(KEY_VARIABLES, DUMMY_KEY), **dict.fromkeys(BASE_URL_VARIABLES, url)}
    if openai:
        variables |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": DUMMY_KEY}
    # Libraries differ in which spelling they read first, so each gets what the other had where it was missing.
    known = {name: environ.get(name, "").strip() for name in ("no_proxy", "NO_PROXY")}
    for name, other in (("no_proxy", "NO_PROXY"), ("NO_PROXY", "no_proxy")):
        variables[name] = _past_proxies(known[name] or known[other], (*_LOOPBACK, *past_proxies))
    return variables


def _past_proxies(value: str, hosts: Iterable[str]) -> str:
    listed = [host.strip() for host in value.split(",") if host.strip()]
    # A lone star means every host, but only as long as it is alone.
    return "*" if "*" in listed else ",".join(dict.fromkeys((*listed, *hosts)))
