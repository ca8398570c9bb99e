"""`prov vault` and `prov cert` as a person runs them: the seed's lines, prompts on a terminal, pages, and servers."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hvac
import pytest
from hvac.exceptions import Forbidden

from .conftest import on_a_terminal

PROV = Path(sys.executable).with_name("prov")
VALUE = "s3cret-of-a-person"
SECONDS = 60


@contextmanager
def running(words: list[str], workspace: Path, environment: dict[str, str], **more: object) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [PROV, *words], cwd=workspace, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    ) as child:  # type: ignore[call-overload] # stdin alone is passed on
        try:
            yield child
        finally:
            child.kill()


def read_json(child: "subprocess.Popen[str]") -> dict:
    """The first JSON object that is printed."""
    assert child.stdout
    text = ""
    while not text.endswith("}\n"):
        line = child.stdout.readline()
        assert line, child.stderr and child.stderr.read()
        text += line
    return json.loads(text)


def test_the_lines_of_the_specification_work_on_a_fresh_workspace(prov, workspace, environment):
    assert prov("vault", "init").code == 0
    stored = prov("vault", "store", "secret/myapp", "key=value")
    assert stored.out == "stored vault:secret/myapp#key\n"
    assert "shell's history" in stored.err
    code, said = on_a_terminal(["vault", "read", "secret/myapp"], workspace, environment | {"NO_COLOR": "1"})
    assert (code, said) == (0, "key  value\r\n")
    made = prov("cert", "generate", "--domain", "example.com", "--engine", "pki")
    assert made.code == 0
    assert "BEGIN CERTIFICATE" in made.out
    assert "vault:secret/certs/example.com#private_key" in made.out
    assert "PRIVATE KEY-----" not in made.out + made.err
    rotated = prov("cert", "rotate", "--cluster", "k8s-prod")
    assert rotated.code == 0
    assert "its first one" in rotated.err
    first, second = [json.loads(prov("cert", "rotate", "--cluster", "k8s-prod", "--json").out) for _ in range(2)]
    assert first["handle"] == second["handle"] == "vault:secret/certs/k8s-prod#private_key"
    assert (first["version"], second["version"]) == (2, 3)


def test_init_says_where_the_keys_are_and_that_the_file_is_the_owners_alone(prov, workspace):
    done = prov("vault", "init", "--keys", "file")
    keys = workspace / ".prov" / "vault" / "keys.json"
    assert str(keys) in done.err
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert json.loads(keys.read_text())["token"] not in done.out + done.err
    again = prov("vault", "init")
    assert again.code == 2
    assert "already" in again.err


def test_a_machine_without_a_keyring_says_so_when_it_is_asked_for_one(prov, workspace):
    done = prov("vault", "init", "--keys", "keyring", PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    assert done.code == 8
    assert "keyring" in done.err
    assert prov("vault", "init", "--keys", "file").code == 0


def test_without_a_vault_every_command_says_how_to_make_one(prov):
    for words in (
        ("vault", "list"), ("vault", "store", "secret/a", "b=c"), ("vault", "rotate", "vault:secret/a#b"),
        ("cert", "generate", "--domain", "a.example"), ("cert", "list"), ("vault", "undelete", "secret/a"),
    ):  # fmt: skip
        done = prov(*words)
        assert done.code == 2, words
        assert "prov vault init" in done.err, words
    served = prov("vault", "serve", "--port", "0")
    assert served.code == 3
    assert "prov vault init" in served.err
    assert prov("vault", "status").code == 1


def test_a_pipe_gets_no_value_and_is_told_why(prov, vault):
    prov("vault", "store", "secret/app", "password=-", given=VALUE)
    for words in ((), ("--json",), ("--field", "password"), ("--quiet",)):
        done = prov("vault", "read", "secret/app", *words)
        assert done.code == 5
        assert VALUE not in done.out + done.err
        assert "prov vault serve" in done.out + done.err


def test_half_a_terminal_is_none(vault, environment):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [PROV, "vault", "read", "secret/app"], stdin=theirs, capture_output=True, cwd=vault, env=environment, check=False
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 5


@pytest.mark.parametrize(
    ("word", "given", "wanted"),
    [
        ("f=-", "one line\n", "one line"),
        ("f=-", "two\nlines\n", "two\nlines\n"),
        ("f=@value.txt", "", "from a file"),
        ("f=\\@value.txt", "", "@value.txt"),
        ("f=\\-", "", "-"),
        ("f=a=b", "", "a=b"),
        ("f=", "", ""),
    ],
)
def test_a_value_comes_from_stdin_a_file_or_the_word_itself(prov, vault, environment, word, given, wanted):
    (vault / "value.txt").write_text("from a file\n")
    assert prov("vault", "store", "secret/app", word, given=given).code == 0
    code, said = on_a_terminal(["vault", "read", "secret/app", "--json"], vault, environment)
    assert code == 0
    assert json.loads(said) == {"f": wanted}


def test_a_value_is_asked_for_without_echo(vault, environment):
    typed = VALUE.encode() + b"\n"
    code, said = on_a_terminal(
        ["vault", "store", "secret/app", "password"], vault, environment, ((b"password: ", typed), (b"Repeat", typed))
    )
    assert code == 0
    assert VALUE not in said
    code, said = on_a_terminal(["vault", "read", "vault:secret/app#password"], vault, environment)
    assert (code, said.strip()) == (0, VALUE)


def test_without_a_terminal_nothing_is_asked(prov, vault):
    done = prov("vault", "store", "secret/app", "password")
    assert done.code == 2
    assert "--page" in done.err


@pytest.mark.parametrize("words", [(), ("a=1", "a=2"), ("=x",), ("a", "--generate", "--page")])
def test_fields_that_make_no_sense_are_refused(prov, vault, words):
    assert prov("vault", "store", "secret/app", *words).code == 2
    assert json.loads(prov("vault", "list", "--json").out) == {"secrets": []}


def test_generated_fields_join_given_ones(prov, vault):
    done = prov("vault", "store", "secret/app", "user=-", "password", "--generate", "--length", "50", "--json", given="ann")
    assert json.loads(done.out) == {"handles": ["vault:secret/app#user", "vault:secret/app#password"], "version": 1}
    shown = prov("vault", "list").out
    assert "secret/app" in shown
    assert "password, user" in shown


def test_a_value_is_typed_on_a_page(prov, vault, environment):
    with running(["vault", "store", "secret/app", "password", "--page"], vault, environment) as child:
        assert child.stderr
        url = child.stderr.readline().rpartition(" ")[2].strip()
        body = urllib.parse.urlencode({"value": VALUE}).encode()
        with urllib.request.urlopen(url, data=body, timeout=SECONDS) as answer:
            assert answer.status == 200
        out, _ = child.communicate(timeout=SECONDS)
        assert child.returncode == 0
    assert out == "stored vault:secret/app#password\n"
    _, said = on_a_terminal(["vault", "read", "secret/app", "--field", "password"], vault, environment)
    assert said.strip() == VALUE


@pytest.fixture
def browser(tmp_path: Path) -> tuple[dict[str, str], Callable[[], str]]:
    """A browser of the person's own, which notes the address that it is given."""
    file, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f"#!/bin/sh\nprintf '%s' \"$1\" > {file}.new && mv {file}.new {file}\n")
    program.chmod(0o755)
    return {"BROWSER": str(program)}, file.read_text


def test_a_value_is_read_on_a_page_of_the_persons_browser_and_its_address_is_nowhere_else(prov, vault, environment, browser):
    prov("vault", "store", "secret/app", "password=-", given=VALUE)
    variables, opened = browser
    with running(["vault", "read", "secret/app", "--page"], vault, environment | variables) as child:
        assert child.stderr
        said = child.stderr.readline()
        url = opened()
        with urllib.request.urlopen(url, data=b"", timeout=SECONDS) as answer:
            assert VALUE in answer.read().decode()
        out, errors = child.communicate(timeout=SECONDS)
        assert child.returncode == 0
    assert url not in said + out + errors
    assert VALUE not in said + out + errors


def test_a_rotated_and_a_deleted_secret(prov, vault):
    prov("vault", "store", "secret/app", "password", "--generate")
    assert json.loads(prov("vault", "rotate", "vault:secret/app#password", "--json").out)["version"] == 2
    assert prov("vault", "delete", "secret/app").code == 0
    assert "deleted" in prov("vault", "list").out
    assert prov("vault", "undelete", "secret/app").code == 0
    row = json.loads(prov("vault", "describe", "secret/app", "--json").out)["secrets"][0]
    assert row["handles"] == ["vault:secret/app#password"]


def test_certificates_are_listed_rotated_and_revoked(prov, vault):
    done = prov(
        "cert", "generate", "--domain", "example.com", "--alt-name", "a.example.com,b.example.com", "--ip", "::1", "--json"
    )
    made = json.loads(done.out)
    (row,) = json.loads(prov("cert", "list", "--json").out)
    assert (row["domain"], row["serial"]) == ("example.com", made["serial"])
    assert prov("cert", "rotate", "--domain", "example.com").code == 0
    assert prov("cert", "revoke", made["serial"]).code == 0
    assert prov("cert", "rotate", "--domain", "none.example.com").code == 3
    assert prov("cert", "rotate").code == 2
    assert "example.com" in prov("cert", "list").out


def test_clients_of_vaults_api_use_the_served_vault(prov, vault, environment):
    with running(["vault", "serve", "--port", "0", "--json"], vault, environment) as child:
        said = read_json(child)
        file = Path(said["token_file"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        client = hvac.Client(said["address"], token=file.read_text())
        client.secrets.kv.v2.create_or_update_secret("app", {"password": VALUE})
        assert client.secrets.kv.v2.list_secrets("")["data"]["keys"] == ["app"]
        with pytest.raises(Forbidden):
            client.sys.list_auth_methods()
        # A command of another process meanwhile, and tools of one that is told the address.
        assert "secret/app" in prov("vault", "list").out
        elsewhere = {"PROV_VAULT__ADDRESS": said["address"], "PROV_VAULT__TOKEN_FILE": str(file)}
        other = vault.parent / "other"
        other.mkdir()
        listed = prov("vault", "list", "--json", cwd=other, **elsewhere)
        assert [row["path"] for row in json.loads(listed.out)["secrets"]] == ["secret/app"]
        assert prov("vault", "init", cwd=other, **elsewhere).code == 2
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=SECONDS)
        assert child.returncode == 0, errors
        assert not file.exists()
    assert "secret/app" in prov("vault", "list").out


def test_prov_serve_answers_the_vaults_api_with_the_vaults_tokens(prov, vault, environment):
    token = json.loads((vault / ".prov/vault/keys.json").read_text())["token"]
    with running(["serve", "--port", "0", "--json"], vault, environment) as child:
        said = read_json(child)
        client = hvac.Client(said["url"], token=token)
        client.secrets.kv.v2.create_or_update_secret("app", {"password": VALUE})
        assert client.secrets.kv.v2.read_secret("app", raise_on_deleted_version=True)["data"]["data"] == {"password": VALUE}
        own = Path(said["token_file"]).read_text().strip()
        with pytest.raises(Forbidden):
            hvac.Client(said["url"], token=own).secrets.kv.v2.read_secret("app", raise_on_deleted_version=True)
        request = urllib.request.Request(said["url"] + "/api/v1/tools", headers={"Authorization": f"Bearer {token}"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=SECONDS)
        assert caught.value.code == 401
        caught.value.close()
        # A tool of the same server, and a command of another process.
        called = urllib.request.Request(
            said["url"] + "/api/v1/tools/vault_list",
            data=b"{}",
            headers={"Authorization": f"Bearer {own}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(called, timeout=SECONDS) as answer:
            assert [row["path"] for row in json.load(answer)["secrets"]] == ["secret/app"]
        assert "secret/app" in prov("vault", "list").out
        child.kill()
        child.wait()
    assert "secret/app" in prov("vault", "list").out


def test_prov_serve_says_how_to_make_a_vault_where_there_is_none(workspace, environment):
    with running(["serve", "--port", "0", "--json"], workspace, environment) as child:
        said = read_json(child)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(said["url"] + "/v1/sys/health", timeout=SECONDS)
        assert caught.value.code == 404
        with caught.value:
            assert "prov vault init" in json.load(caught.value)["errors"][0]


def test_the_clones_settings_cannot_send_a_token_elsewhere(prov, workspace):
    (workspace / "prov.toml").write_text('[vault]\naddress = "https://evil.example"\n')
    done = prov("vault", "list", VAULT_TOKEN="hvs.x")
    assert done.code == 2
    assert "must not set vault.address" in done.err


def test_a_revoked_certificate_is_marked_in_the_table_and_in_json(prov, vault):
    for name in ("a.example.com", "b.example.com"):
        assert prov("cert", "generate", "--domain", name).code == 0
    assert {row["state"] for row in json.loads(prov("cert", "list", "--json").out)} == {"valid"}
    serial = json.loads(prov("cert", "list", "--json").out)[0]["serial"]
    assert prov("cert", "revoke", serial).code == 0
    states = {row["domain"]: row["state"] for row in json.loads(prov("cert", "list", "--json").out)}
    assert states == {"a.example.com": "revoked", "b.example.com": "valid"}
    lines = prov("cert", "list").out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["a.example.com", "revoked"], ["b.example.com", "valid"]]
    assert prov("cert", "rotate", "--domain", "a.example.com").code == 0
    assert {row["state"] for row in json.loads(prov("cert", "list", "--json").out)} == {"valid"}


def test_certificates_are_listed_as_lines_on_a_narrow_terminal(prov, vault):
    prov("cert", "generate", "--domain", "a-rather-long-name.of-a-host.example.com", "--cluster", "k8s")
    shown = prov("cert", "list", COLUMNS="40").out
    lines = shown.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[0] == "a-rather-long-name.of-a-host.example.com"
    assert lines[1].startswith("  valid, ")
    assert "  cluster k8s" in lines
    assert "vault:secret/certs/a-rather-long-name.of-a-host.example.com#private_key" in "".join(map(str.strip, lines))
