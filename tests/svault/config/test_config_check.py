"""`svault config check`: what this machine lacks, and what is unsafe."""

import json
import string
from pathlib import Path

import pytest

from etcd_servers import Authority
from svault.config.check import LIBRARIES, check
from svault.config.findings import KINDS, Finding, found
from svault.crypto import choice, oqs_native
from svault.storage.choice import BACKENDS
from vault_processes import svault

SAFE = """
[server]
address = "127.0.0.1:8200"
[storage]
backend = "filesystem"
[storage.filesystem]
path = "{folder}/data"
[seal.shamir]
shares = 5
threshold = 3
[audit]
path = "{folder}/audit.log"
"""


def checked(tmp_path: Path, text: str) -> dict[str, Finding]:
    path = tmp_path / "svault.toml"
    path.write_text(text.replace("{folder}", str(tmp_path)), "utf-8")
    return {one.code: one for one in check(path)}


def test_the_specifications_file_is_unsafe_in_these_places(specification: Path) -> None:
    findings = {(one.code, one.key): one for one in check(specification)}
    expected = {
        ("tls-unused", "storage.etcd.endpoints"),
        ("plaintext-secret", "storage.etcd.password"),
        ("listens-everywhere", "server.address"),
        ("client-certificate-optional", "server.require_client_cert"),
        ("metrics-everywhere", "metrics.address"),
        ("metrics-port", "metrics.address"),
        ("file-missing", "server.tls_cert"),
        ("file-missing", "server.tls_key"),
        ("file-missing", "server.client_ca"),
        ("file-missing", "storage.etcd.ca_cert"),
        ("file-missing", "storage.etcd.client_cert"),
        ("file-missing", "storage.etcd.client_key"),
    }
    assert expected <= set(findings)
    assert ("no-advertised-address", "server.api_addr") in findings
    lines = specification.read_text("utf-8").splitlines()
    for place in expected:
        line = findings[place].line
        assert line is not None
        assert lines[line - 1].startswith(place[1].rpartition(".")[2])
    assert findings["tls-unused", "storage.etcd.endpoints"].severity == "warning"


def test_a_careful_file_has_no_findings(tmp_path: Path) -> None:
    assert checked(tmp_path, SAFE) == {}


@pytest.mark.parametrize(
    ("before", "after", "code", "severity"),
    [
        ("127.0.0.1:8200", "0.0.0.0:8200", "plaintext-listener", "error"),
        ('"127.0.0.1:8200"', '"10.0.0.1:8200"\nallow_plaintext = true', "plaintext-allowed", "warning"),
        ('path = "{folder}/audit.log"', "enabled = false", "audit-disabled", "warning"),
        ("shares = 5\nthreshold = 3", "shares = 1\nthreshold = 1", "single-share", "warning"),
        ('backend = "filesystem"', 'backend = "memory"', "storage-forgets", "warning"),
        ("[seal.shamir]\nshares = 5\nthreshold = 3", '[seal.static]\nkey_file = "/nowhere"', "file-missing", "error"),
        ("[seal.shamir]\nshares = 5\nthreshold = 3", '[seal.static]\nkey_env = "NOWHERE"', "static-key-unusable", "error"),
        ("[audit]", '[metrics]\naddress = "127.0.0.1:9090"\n[audit]', "metrics-port", "warning"),
        ("[audit]", '[metrics]\naddress = "0.0.0.0:9102"\n[audit]', "metrics-everywhere", "warning"),
        ("[audit]", "[metrics]\nenabled = true\n[audit]", "metrics-nowhere", "info"),
        ("{folder}/data", "env:NOWHERE", "reference-unresolved", "error"),
    ],
)
def test_each_fault_has_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, code: str, severity: str
) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    assert before in SAFE
    finding = checked(tmp_path, SAFE.replace(before, after))[code]
    assert finding.severity == severity
    assert finding.line is not None


def test_liboqs_as_webassembly_alone_is_told_with_what_it_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oqs_native, "find", lambda: None)
    monkeypatch.setattr(choice, "_loaded", {})
    finding = checked(tmp_path, '[vault]\ncrypto_backend = "oqs"\n' + SAFE)["crypto-slow"]
    assert (finding.severity, finding.key, finding.line) == ("info", "vault.crypto_backend", 2)
    assert "several times slower" in finding.message
    assert "install liboqs 0.15 or newer" in finding.hint
    assert "crypto-slow" not in checked(tmp_path, '[vault]\ncrypto_backend = "openssl"\n' + SAFE)


def test_a_key_that_others_can_read_is_found(tmp_path: Path) -> None:
    key = tmp_path / "seal.key"
    key.write_text("00" * 32, "utf-8")
    key.chmod(0o644)
    text = SAFE.replace("[seal.shamir]\nshares = 5\nthreshold = 3", f'[seal.static]\nkey_file = "{key}"')
    assert checked(tmp_path, text)["file-open"].severity == "warning"
    key.chmod(0o600)
    assert set(checked(tmp_path, text)) == {"machine-unseals"}


def test_a_key_that_does_not_belong_to_the_certificate_is_found(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    authority.issue("one")
    authority.issue("other")
    authority.file("other-key").chmod(0o600)
    tls = f'[server]\ntls_cert = "{authority.file("one")}"\ntls_key = "{authority.file("other-key")}"'
    found_here = checked(tmp_path, SAFE.replace("[server]", tls))
    assert "key values mismatch" in found_here["certificate-unusable"].message


@pytest.mark.parametrize(
    ("url", "is_secret"),
    [
        ("postgresql://anna:canary@db/vault", True),
        ("host=db password=canary", True),
        ("postgresql://anna@db/vault", False),
        ("postgresql://db:5432/vault", False),
    ],
)
def test_a_password_in_a_url_is_found(tmp_path: Path, url: str, is_secret: bool) -> None:
    text = SAFE.replace('"filesystem"', '"postgresql"') + f'[storage.postgresql]\nurl = "{url}"\n'
    findings = checked(tmp_path, text)
    assert ("plaintext-secret" in findings) == is_secret
    assert "canary" not in str(findings)


def test_a_secret_that_stands_elsewhere_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_DB", "postgresql://anna:canary@db/vault")
    text = SAFE.replace('"filesystem"', '"postgresql"') + '[storage.postgresql]\nurl = "env:VAULT_DB"\n'
    assert "plaintext-secret" not in checked(tmp_path, text)


def test_every_kind_of_finding_can_be_said() -> None:
    for code, kind in KINDS.items():
        names = {name for text in (kind.message, kind.hint) for _, name, _, _ in string.Formatter().parse(text) if name}
        said = found(code, "a.b", 3, **dict.fromkeys(names, "x")).said
        assert said.startswith("a.b (line 3): ")


def test_every_storage_with_a_library_is_checked_for_it() -> None:
    assert set(LIBRARIES) == {name for name, one in BACKENDS.items() if one.extra}


def test_the_command_ends_with_1_for_findings_0_for_none_and_2_for_what_cannot_be_read(
    tmp_path: Path, specification: Path
) -> None:
    ran = svault(tmp_path, "config", "check", str(specification), "--json")
    assert ran.code == 1
    body = json.loads(ran.out)
    assert body["ok"] is False
    assert {"code", "severity", "key", "line", "message", "hint"} == set(body["findings"][0])
    safe = tmp_path / "safe.toml"
    safe.write_text(SAFE.replace("{folder}", str(tmp_path)), "utf-8")
    assert svault(tmp_path, "config", "check", str(safe)).code == 0
    safe.write_text("[server", "utf-8")
    broken = svault(tmp_path, "config", "check", str(safe))
    assert (broken.code, broken.out) == (2, "")
    assert "this is no TOML" in broken.err
    assert json.loads(svault(tmp_path, "config", "check", str(safe), "-format=json").out)["errors"]
