"""Where the server may listen, and TLS."""

import datetime as dt
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from prov_server.http.listen import open_listener
from stratumops.errors import InvalidInputError, PermissionDeniedError, UnavailableError
from stratumops.settings import load

pytestmark = pytest.mark.anyio
EC = ec.SECP256R1()


def write_key(path, *, password=None, mode=0o600):
    key = ec.generate_private_key(EC)
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection))
    path.chmod(mode)
    return key


def write_certificate(path, key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def files(tmp_path):
    """A self-signed certificate and its key, as settings name them: relative to the workspace."""
    write_certificate(tmp_path / "cert.pem", write_key(tmp_path / "key.pem"))
    return {"tls_certificate": "cert.pem", "tls_key": "key.pem"}


def listen(root, *, no_auth=False, **server):
    """Open a listener and close it again; what is left is whether it was allowed, and its address."""
    listener = open_listener(load(None, server={"port": 0, **server}).server, root=root, no_auth=no_auth)
    listener.socket.close()
    return listener


def test_port_0_takes_a_free_port_and_tells_which(tmp_path):
    server = load(None, server={"host": "127.0.0.1", "port": 0}).server
    listener = open_listener(server, root=tmp_path, no_auth=False)
    port = listener.socket.getsockname()[1]
    assert port > 0
    assert listener.url == f"http://127.0.0.1:{port}"
    assert listener.socket.proto == socket.IPPROTO_TCP, "answers wait 40 ms for an acknowledgement"
    listener.socket.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
def test_loopback_needs_no_tls(tmp_path, host):
    assert listen(tmp_path, host=host).tls is None
    assert listen(tmp_path, host=host, no_auth=True).tls is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "::ffff:127.0.0.1"])
def test_any_other_address_is_refused_without_tls(tmp_path, host):
    with pytest.raises(InvalidInputError, match=r"not loopback|cannot listen") as refused:
        listen(tmp_path, host=host)
    assert "server.tls_certificate" in refused.value.hint


def test_any_other_address_is_refused_without_authentication_even_with_tls(tmp_path, files):
    with pytest.raises(InvalidInputError, match="without authentication"):
        listen(tmp_path, host="0.0.0.0", no_auth=True, **files)
    assert listen(tmp_path, host="0.0.0.0", **files).tls is not None


def test_a_port_that_is_taken_is_said_so_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UnavailableError) as refused:
        listen(tmp_path, port=taken.getsockname()[1])
    assert "--port" in refused.value.hint


@pytest.mark.parametrize("host", ["no.such.host.invalid", "999.1.1.1", "a b", "x" * 300, "", "ü.invalid"])
def test_a_host_that_is_no_address_of_ours_is_refused(tmp_path, host):
    with pytest.raises(InvalidInputError) as refused:
        listen(tmp_path, host=host, tls_certificate="", tls_key="")
    assert refused.value.hint


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
def test_a_certificate_and_a_key_come_together(tmp_path, files, missing):
    with pytest.raises(InvalidInputError, match=f"server.{missing} is not set"):
        listen(tmp_path, **(files | {missing: ""}))


def test_missing_tls_files_are_named(tmp_path, files):
    for name in files:
        with pytest.raises(InvalidInputError, match="no file") as refused:
            listen(tmp_path, **(files | {name: "absent.pem"}))
        assert refused.value.details == {"setting": f"server.{name}"}
        with pytest.raises(InvalidInputError, match="is a folder"):
            listen(tmp_path, **(files | {name: "."}))


def test_a_key_that_does_not_belong_to_the_certificate_is_refused(tmp_path, files):
    write_key(tmp_path / "other.pem")
    with pytest.raises(InvalidInputError, match="does not belong"):
        listen(tmp_path, **(files | {"tls_key": "other.pem"}))


def test_a_key_that_everybody_can_read_is_refused_with_the_remedy(tmp_path, files):
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(PermissionDeniedError) as refused:
        listen(tmp_path, **files)
    assert refused.value.hint == f"chmod 600 {tmp_path / 'key.pem'}"


def test_an_encrypted_key_is_refused_without_asking_for_its_passphrase(tmp_path, files):
    write_certificate(tmp_path / "cert.pem", write_key(tmp_path / "key.pem", password=b"secret"))
    with pytest.raises(InvalidInputError, match="cannot be used"):
        listen(tmp_path, **files)


def test_files_that_are_no_pem_are_refused(tmp_path, files):
    (tmp_path / "cert.pem").write_text("hello")
    with pytest.raises(InvalidInputError, match="cannot be used"):
        listen(tmp_path, **files)


async def test_it_serves_over_tls_and_says_https(start, tmp_path, files):
    trust = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    async with start(server=files, trust=trust) as served:
        assert served.url.startswith("https://127.0.0.1:")
        assert (await served.call("echo", text="encrypted")).json() == {"said": ["encrypted"]}
        # Somebody who speaks plain HTTP to it, and somebody who does not trust it, disturb nobody.
        assert b"200" not in await served.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await served.call("echo", text="still")).status_code == 200
