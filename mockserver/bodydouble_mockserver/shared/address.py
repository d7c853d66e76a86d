"""The URL of a shared state, and what to do about a Redis that refuses."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import parse_qsl, urlencode, urlsplit

from bodydouble_spec import Redactor

__all__ = ["Address", "CannotShare", "advice_on"]

_FORM = "write it as redis://HOST:PORT/NUMBER, with rediss: for TLS, or as unix:///PATH?db=NUMBER"
_OPTIONS = ("client_name", "password", "prefix", "socket_timeout", "username")
_OF_TLS = ("ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile")
_BY_SCHEME = {"redis": _OPTIONS, "rediss": (*_OPTIONS, *_OF_TLS), "unix": (*_OPTIONS, "db")}
_PREFIX = "bodydouble:"
# By what Redis says, and for all that it does not say.
_ADVICE = (
    (
        r"AUTH|[Aa]uthentication|invalid username|no permissions",
        "set the name and the password of a user who may do that: redis://NAME:PASSWORD@HOST:PORT/NUMBER",
    ),
    (r"DB index", "choose a lower number of a database"),
    (r"read only replica", "name the server that it is a replica of"),
    (r"maxmemory", "raise maxmemory there, or choose another server"),
    (
        r"wrong kind of value|not of bodydouble",
        "choose another number of a database, or another beginning of names: ?prefix=NAME:",
    ),
    (r"CERTIFICATE_VERIFY_FAILED", "name a file with the certificate of its authority: ?ssl_ca_certs=FILE"),
    (
        r"Timeout|reset by peer|Protocol error|SSL",
        "see whether Redis answers at this port, and write rediss: if it has TLS there",
    ),
    (r"", "start the server there, or leave --state out"),
)


class CannotShare(ValueError):
    """The state cannot be shared; the message says where, why, and what to do."""

    def __init__(self, place: str, reason: str, advice: str | None = None) -> None:
        super().__init__(f"--state {place}: {reason}; {advice or advice_on(reason)}")


def advice_on(reason: str) -> str:
    """Return what to do about a Redis that cannot be used for a reason."""
    return next(advice for pattern, advice in _ADVICE if re.search(pattern, reason))


@dataclass(frozen=True, slots=True)
class Address:
    """A Redis: its URL for the client, the URL without secrets, and the beginning of the names of all keys."""

    url: str
    shown: str
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read the argument of ``--state``. Raises CannotShare."""
        shown = Redactor().text(url)
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - it is read here to be checked
        except ValueError as error:
            raise CannotShare(shown, str(error), _FORM) from None
        known = _BY_SCHEME.get(parts.scheme)
        if known is None or not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise CannotShare(shown, "this is not the URL of a Redis", _FORM)
        number = "" if parts.scheme == "unix" else parts.path.strip("/")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        for value in (options.get("db", ""), number):
            if value and not (value.isascii() and value.isdigit()):
                raise CannotShare(shown, f"{value!r:.40} is not the number of a database", _FORM)
        for name in options:
            if name not in known:
                close = get_close_matches(name, known, 1)
                meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
                raise CannotShare(shown, f"it has the unknown option {name!r:.40}", meant)
        timeout = options.get("socket_timeout", "1")
        if not re.fullmatch(r"\d+(\.\d+)?", timeout, re.ASCII) or float(timeout) == 0:
            raise CannotShare(shown, "socket_timeout is not a number of seconds", "write ?socket_timeout=2")
        prefix = options.pop("prefix", "") or _PREFIX
        place = url.partition("?")[0]
        return cls(f"{place}?{urlencode(options)}" if options else place, shown, prefix)
