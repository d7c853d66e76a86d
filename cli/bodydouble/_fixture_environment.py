"""The environment variables that point an app at the mock."""

from collections.abc import Iterable, Mapping

from bodydouble_client import BASE_URL_VARIABLES, KEY_VARIABLES

__all__ = ["DUMMY_KEY", "mock_variables"]

DUMMY_KEY = "bodydouble-dummy-key"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def mock_variables(
    url: str, environ: Mapping[str, str], *, openai: bool = False, no_proxy_hosts: Iterable[str] = ()
) -> dict[str, str]:
    """Return the variables to set over ``environ`` for an app that should call the mock at ``url``.

    They are those of the client, with a dummy key; with ``openai`` also those of the OpenAI SDKs. Loopback and ``no_proxy_hosts`` are
    added to ``NO_PROXY``.
    """
    variables: dict[str, str] = {**dict.fromkeys(KEY_VARIABLES, DUMMY_KEY), **dict.fromkeys(BASE_URL_VARIABLES, url)}
    if openai:
        variables |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": DUMMY_KEY}
    # Libraries differ in the spelling that they read first, so an unset one takes over the value of the other.
    known = {name: environ.get(name, "").strip() for name in ("no_proxy", "NO_PROXY")}
    for name, other in (("no_proxy", "NO_PROXY"), ("NO_PROXY", "no_proxy")):
        variables[name] = _no_proxy(known[name] or known[other], (*_LOOPBACK, *no_proxy_hosts))
    return variables


def _no_proxy(value: str, hosts: Iterable[str]) -> str:
    listed = [host.strip() for host in value.split(",") if host.strip()]
    # A star means every host, but only when it is the only entry.
    return "*" if "*" in listed else ",".join(dict.fromkeys((*listed, *hosts)))
