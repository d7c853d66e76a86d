"""Socket and certificate: one clear sentence for each that cannot be used."""

from pathlib import Path

import httpx
import pytest
import trustme
from bodydouble_mockserver import MockServer
from bodydouble_mockserver.server import CannotServe, bind, server_config
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)


def test_port_0_is_a_free_port() -> None:
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", 0) as second:
        assert first.getsockname()[1] != second.getsockname()[1] != 0


def test_a_port_in_use_is_refused_with_advice() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*--port 0"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["256.1.1.1.1", "no such host", "a" * 300, "192.0.2.1"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(CannotServe, match=r"--host|cannot listen"):
        bind(host, 0)


@pytest.fixture
def pems(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Create a certificate, its key, and the same key with a password."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    certificate, key, locked = (tmp_path / name for name in ("cert.pem", "key.pem", "locked.pem"))
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    private = load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    return certificate, key, locked


def test_a_certificate_and_its_key_are_taken(app: MockServer, pems: tuple[Path, Path, Path]) -> None:
    assert server_config(app, pems[0], pems[1]).ssl_certfile == pems[0]


@pytest.mark.parametrize("broken", ["missing", "not PEM", "another key", "a key with a password"])
def test_a_certificate_that_cannot_be_used_is_refused_without_asking(
    app: MockServer, pems: tuple[Path, Path, Path], tmp_path: Path, broken: str
) -> None:
    certificate, key, locked = pems
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(other)
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    pairs = {"missing": (tmp_path / "none", key), "not PEM": (text, key), "another key": (certificate, other)}
    with pytest.raises(CannotServe, match=r"^--tls-cert .*; name a PEM certificate and its key$"):
        server_config(app, *pairs.get(broken, (certificate, locked)))


def test_the_server_does_not_name_its_software(origin: str) -> None:
    assert "server" not in httpx.get(f"{origin}/_bodydouble/health").headers
