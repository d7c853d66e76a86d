"""A certificate authority for one run: its key stays in memory, its certificate lies in a temporary folder that only this user reads."""

import contextlib
import os
import re
import ssl
import tempfile
import warnings
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from bodydouble_mockserver.interception import child

__all__ = ["Authority", "CannotIntercept"]

# Debian, Fedora, Alpine and macOS; Python's own default path often does not exist.
_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# The variables that replace the roots of a client; a user's own files go on to be trusted.
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - Java's default for a file of public certificates


class CannotIntercept(ValueError):
    """Interception is not possible; the text says what is missing."""


class Authority:
    """A throw-away authority, and the files that make clients trust it, until `close`.

    ``certificate`` is that of the authority alone, ``bundle`` has the roots of the system and of ``environ`` too, ``trust_store`` is that
    bundle for Java, ``node`` a module that Node.js loads first, and ``python`` a folder with one that Python does. Raises CannotIntercept without the extra ``intercept``.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        try:
            import trustme
        except ImportError:
            raise CannotIntercept(
                "interception needs the packages of an extra: pip install 'bodydouble[intercept]'"
            ) from None
        self._authority = trustme.CA(organization_name="bodydouble, for one run")
        self._folder = tempfile.TemporaryDirectory(prefix="bodydouble-")
        own = self._authority.cert_pem.bytes()
        node_roots = _read(environ.get("NODE_EXTRA_CA_CERTS", ""))
        self.certificate = self._write("authority.pem", own + node_roots)
        self.bundle = self._write("roots.pem", own + _roots(environ))
        self.node = self._write(
            "node.cjs", files("bodydouble_mockserver.interception").joinpath("node.cjs").read_bytes()
        )
        self.python = Path(self._folder.name, "python")
        self.python.mkdir(0o700)
        self._write("python/sitecustomize.py", Path(child.__file__).read_bytes())
        self._trust_store: Path | None = None
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    @property
    def trust_store(self) -> Path:
        """The bundle in the format of Java, written when first asked for."""
        if self._trust_store is None:
            self._trust_store = self._write("roots.p12", _trust_store(self.bundle.read_bytes()))
        return self._trust_store

    def context(self, *hosts: str) -> ssl.SSLContext:
        """Return the settings of a server with a certificate for some hosts."""
        if hosts not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(["http/1.1"])
            # Its type allows contexts of pyOpenSSL too, which is not installed.
            issued: Any = self._authority.issue_cert(*hosts)
            issued.configure_cert(context)
            self._contexts[hosts] = context
        return self._contexts[hosts]

    def __enter__(self) -> "Authority":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files. A second call has no effect."""
        self._folder.cleanup()

    def _write(self, name: str, data: bytes) -> Path:
        path = Path(self._folder.name, name)
        path.touch(0o600)
        path.write_bytes(data)
        return path


def _roots(environ: Mapping[str, str]) -> bytes:
    import certifi

    known = (ssl.get_default_verify_paths().openssl_cafile, *_SYSTEM_ROOTS)
    system = next((data for path in known if (data := _read(path))), b"")
    named = [_read(environ.get(name, "")) for name in _BUNDLES]
    found = _CERTIFICATE.findall(b"\n".join([*named, system, _read(certifi.where())]))
    return b"\n".join(dict.fromkeys(found)) + b"\n"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError:
        # Where a variable names no file, the client had no roots from it before either.
        return b""


def _trust_store(bundle: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    certificates: dict[x509.Certificate, None] = {}
    with warnings.catch_warnings():
        # Some roots of old systems are not quite valid; Java would not take them either.
        warnings.simplefilter("error")
        for text in _CERTIFICATE.findall(bundle):
            with contextlib.suppress(ValueError, Warning):
                certificates[x509.load_pem_x509_certificate(text)] = None
    entries = [pkcs12.PKCS12Certificate(item, str(number).encode()) for number, item in enumerate(certificates)]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(TRUST_STORE_PASSWORD.encode()))
