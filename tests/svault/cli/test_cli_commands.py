"""The everyday commands, as processes, against a real server."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vault_processes import Ran, VaultProcess, svault

Run = Callable[..., Ran]


def test_a_secret_is_put_read_patched_and_listed(run: Run) -> None:
    assert run("kv put secret/cli/a x=1 y=two").code == 0
    assert run("kv get -field=y secret/cli/a").out == "two"
    assert json.loads(run("kv get -format=json -mount=secret cli/a").out)["data"]["data"] == {"x": "1", "y": "two"}
    assert run("kv patch secret/cli/a y=three").code == 0
    assert run("kv patch -remove-data=x -method=rw secret/cli/a z=4").code == 0
    table = run("kv get secret/cli/a").out
    assert "== Secret Path ==\nsecret/data/cli/a\n" in table
    assert "y      three" in table
    assert "x      1" not in table
    assert run("kv list secret/cli").out == "Keys\n----\na\n"
    assert json.loads(run("kv list -format=json secret/cli").out) == ["a"]


def test_versions_are_deleted_undeleted_destroyed_and_rolled_back(run: Run) -> None:
    for number in (1, 2):
        run(f"kv put secret/versions x={number}")
    assert run("kv delete secret/versions").code == 0
    assert "deletion_time      2" in run("kv get secret/versions").out
    assert run("kv undelete -versions=2 secret/versions").code == 0
    assert run("kv rollback -version=1 secret/versions").code == 0
    assert run("kv get -field=x secret/versions").out == "1"
    assert run("kv destroy -versions=1 secret/versions").code == 0
    shown = json.loads(run("kv metadata get -format=json secret/versions").out)["data"]
    assert shown["versions"]["1"]["destroyed"] is True
    assert run("kv metadata put -max-versions=7 -custom-metadata=team=a secret/versions").code == 0
    table = run("kv metadata get secret/versions").out
    assert "map[team:a]" in table
    assert "= Version 3 =" in table
    assert run("kv metadata delete secret/versions").code == 0
    assert run("kv get secret/versions").code == 2


def test_cas_lets_one_writer_win(run: Run) -> None:
    assert run("kv put -cas=0 secret/cas x=1").code == 0
    lost = run("kv put -cas=0 secret/cas x=2")
    assert lost.code == 2
    assert "check-and-set parameter did not match the current version" in lost.err


def test_version_1_has_no_versions(run: Run) -> None:
    assert run("secrets enable -path=plain -version=1 kv").code == 0
    assert run("kv put plain/a x=1").code == 0
    assert run("kv get -field=x plain/a").out == "1"
    assert run("kv list plain").out == "Keys\n----\na\n"
    refused = run("kv undelete -versions=1 plain/a")
    assert refused.code == 1
    assert "kv version 1, which keeps no versions" in refused.err


def test_values_come_from_arguments_files_and_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("from a file")
    (tmp_path / "all.json").write_text('{"b": [1, 2]}')
    assert run("kv put secret/values a=@value", stdin="").code == 0
    assert run("kv get -field=a secret/values").out == "from a file"
    assert run("kv put secret/values a=-", stdin="from stdin\n").code == 0
    assert run("kv get -field=a secret/values").out == "from stdin\n"
    assert run("kv put secret/values @all.json").code == 0
    assert run("kv get -field=b secret/values").out == "[1, 2]"
    assert run("kv put secret/values -", stdin='{"c": "x"}').code == 0
    assert run("kv get -field=c secret/values").out == "x"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("kv put secret/none", "there is nothing to write"),
        ("kv put secret/none key", "'key' has no value"),
        ("kv put secret/none key=@nowhere", "the file nowhere cannot be read"),
        ("kv put secret/none @nowhere", "the file nowhere cannot be read"),
        ("kv put secret/none =x", "written key=value"),
        ("kv gett secret/a", "did you mean get?"),
        ("lis secret", "did you mean list?"),
        ("read -format=xml secret/a", "is not one of 'table', 'json'"),
        ("kv destroy secret/a", "missing option '--versions'"),
        ("kv destroy -versions=a secret/a", "versions are numbers"),
        ("token revoke", "give a token, or -self"),
        ("lease revoke -force a", "-force needs -prefix"),
        ("write -f secret/a x=1", "-force writes nothing"),
    ],
)
def test_a_wrong_command_line_ends_with_1_and_says_how(run: Run, words: str, said: str) -> None:
    refused = run(words)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err


def test_what_the_vault_refuses_ends_with_2_and_what_to_do(run: Run, dev: VaultProcess) -> None:
    denied = run("kv get secret/a", VAULT_TOKEN="hvs.unknown")
    assert denied.code == 2
    assert "svault login" in denied.err
    assert "hvs.unknown" not in denied.err
    assert run("kv get secret/missing").err.startswith("error: no value found at secret/data/missing")
    assert run("list secret/metadata/missing").code == 2
    assert run("read nowhere/a").code == 2
    away = run("status", VAULT_ADDR="http://127.0.0.1:1")
    assert away.code == 1
    assert "does not answer" in away.err
    assert "does not speak TLS" in run("read a/b", VAULT_ADDR=dev.url.replace("http", "https")).err


def test_any_path_is_written_read_listed_and_deleted(run: Run) -> None:
    assert run("write cubbyhole/a x=1").out == "Success! Data written to: cubbyhole/a\n"
    assert run("read -field=x cubbyhole/a").out == "1"
    assert run("list cubbyhole").out == "Keys\n----\na\n"
    assert run("delete cubbyhole/a").out == "Success! Data deleted (if it existed) at: cubbyhole/a\n"
    assert run("read cubbyhole/a").code == 2
    assert run("read -field=nothing sys/key-status").code == 1


def test_engines_are_mounted_tuned_moved_and_unmounted(run: Run) -> None:
    assert run("secrets enable -path=one -description=first -max-lease-ttl=48h kv").code == 0
    assert run("secrets tune -description=second one").code == 0
    assert run("secrets move one two").code == 0
    listed = json.loads(run("secrets list -format=json").out)["two/"]
    assert (listed["description"], listed["config"]["max_lease_ttl"]) == ("second", 48 * 3600)
    assert "two/" in run("secrets list").out
    assert run("secrets disable two").code == 0
    assert "two/" not in run("secrets list").out
    assert "plugin not found" in run("secrets enable ssh").err


def test_somebody_logs_in_with_a_password_and_asks_with_the_kept_token(run: Run, dev: VaultProcess, tmp_path: Path) -> None:
    assert run("auth enable userpass").code == 0
    assert run(["policy", "write", "reader", "-"], stdin='path "secret/data/*" { capabilities = ["read"] }').code == 0
    assert run("write auth/userpass/users/anna password=- policies=reader", stdin="pass word").code == 0
    assert run("kv put secret/login x=1").code == 0
    logged_in = run("login -method=userpass -no-print username=anna", stdin="pass word\n")
    assert logged_in.code == 0
    assert "hvs." not in logged_in.out + logged_in.err
    kept = tmp_path / ".svault-token"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert svault(tmp_path, "kv", "get", "-field=x", "secret/login", VAULT_ADDR=dev.url).out == "1"
    assert svault(tmp_path, "kv", "put", "secret/login", "x=2", VAULT_ADDR=dev.url).code == 2
    assert run("login -method=userpass username=anna password=wrong").code == 2
    assert run(["login", "-"], stdin="root\n").code == 0
    assert kept.read_text() == "root"
    assert run("login -method=userpass -token-only username=anna", stdin="pass word\n").out.startswith("hvs.")
    assert kept.read_text() == "root"


def test_an_approle_logs_in(run: Run) -> None:
    run("auth enable approle")
    run("write -f auth/approle/role/job")
    role_id = run("read -field=role_id auth/approle/role/job/role-id").out
    secret_id = run("write -f -field=secret_id auth/approle/role/job/secret-id").out
    token = run(["login", "-method=approle", "-token-only", f"role_id={role_id}"], stdin=f"{secret_id}\n").out
    assert token.startswith("hvs.")


def test_tokens_are_made_looked_up_renewed_and_revoked(run: Run) -> None:
    made = json.loads(run("token create -ttl=1h -policy=default -metadata=a=b -display-name=x -orphan -format=json").out)["auth"]
    token, accessor = made["client_token"], made["accessor"]
    shown = json.loads(run(f"token lookup -format=json {token}").out)["data"]
    assert (shown["policies"], shown["meta"], shown["orphan"]) == (["default"], {"a": "b"}, True)
    assert run(f"token lookup -accessor {accessor}").code == 0
    assert "token_duration       2h" in run(f"token renew -increment=2h {token}").out
    assert run(f"token capabilities {token} cubbyhole/a").out == "create, delete, list, read, update\n"
    assert run("token capabilities secret/a").out == "root\n"
    assert run(f"token revoke {token}").code == 0
    assert run(f"token lookup {token}").code == 2


def test_an_answer_is_wrapped_and_unwrapped_once(run: Run) -> None:
    run("kv put secret/wrapped x=1")
    wrapping = run("kv get -wrap-ttl=60s -field=wrapping_token secret/wrapped").out
    assert '"x": "1"' in run(f"unwrap -format=json {wrapping}").out
    assert run(f"unwrap {wrapping}").code == 2
    own = run("wrap -field=wrapping_token a=b").out
    assert run(f"unwrap -field=a {own}").out == "b"


def test_policies_are_written_read_and_deleted(run: Run, tmp_path: Path) -> None:
    text = 'path "a/*" { capabilities = ["read"] }'
    (tmp_path / "rules.hcl").write_text(text)
    assert run("policy write rules rules.hcl").code == 0
    assert run("policy read rules").out.strip() == text
    assert json.loads(run("policy read -format=json rules").out) == {"policy": text}
    assert "rules" in run("policy list").out.split()
    assert run("policy delete rules").code == 0
    assert "no policy named 'rules'" in run("policy read rules").err


def test_transit_encrypts_signs_and_rotates(run: Run) -> None:
    run("secrets enable transit")
    plain = base64.b64encode(b"hello").decode()
    assert run("transit create box").code == 0
    sealed = run(["transit", "encrypt", "-field=ciphertext", "box", f"plaintext={plain}"]).out
    assert sealed.startswith("vault:v1:")
    assert run("transit rotate box").code == 0
    newer = run(["transit", "rewrap", "-field=ciphertext", "box", f"ciphertext={sealed}"]).out
    assert newer.startswith("vault:v2:")
    assert run(["transit", "decrypt", "-field=plaintext", "box", f"ciphertext={newer}"]).out == plain
    assert run("transit create -type=ml-dsa-65 pen").code == 0
    signature = run(["transit", "sign", "-field=signature", "pen", f"input={plain}"]).out
    checked = run(["transit", "verify", "-field=valid", "pen", f"input={plain}", f"signature={signature}"])
    assert checked.out == "true"
    assert run("transit list").out == "Keys\n----\nbox\npen\n"
    assert len(base64.b64decode(run("transit random -bytes=16 -field=random_bytes").out)) == 16


def test_help_says_what_a_root_is_for_and_what_is_taken_when_an_option_is_left_out(run: Run) -> None:
    assert "Make the root CA, which signs what is issued." in run("pki root --help").out
    text = " ".join(run("pki root generate --help").out.split())
    assert "common name NAME, such as 'Example Root'" in text
    assert "rsa when left out" in text
    assert "87600h (ten years)" in text


def test_a_certificate_is_issued_and_revoked(run: Run) -> None:
    run("secrets enable pki")
    assert run("pki root generate example.com -ttl=100h").code == 0
    assert run("pki role web allowed_domains=example.com allow_subdomains=true max_ttl=50h").code == 0
    issued = json.loads(run("pki issue web a.example.com -ttl=1h -format=json").out)["data"]
    assert issued["serial_number"] in run("pki list").out
    assert run(f"pki read -field=certificate {issued['serial_number']}").out.strip() == issued["certificate"].strip()
    assert run(f"pki revoke {issued['serial_number']}").code == 0


def test_an_audit_file_is_verified_without_a_vault_and_its_damage_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    assert run(f"audit enable file file_path={path}").code == 0
    assert "file/" in run("audit list").out
    assert run("audit disable file").code == 0
    intact = svault(tmp_path, "audit", "verify", str(path))
    assert intact.code == 0, intact.err
    assert "The chain is intact." in intact.out
    body = json.loads(svault(tmp_path, "audit", "verify", str(tmp_path), "-format=json").out)
    assert body["ok"] is True
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]))
    broken = svault(tmp_path, "audit", "verify", str(path))
    assert broken.code == 1
    assert "The chain is broken" in broken.out
    (tmp_path / "key").write_bytes(b"short")
    assert svault(tmp_path, "audit", "verify", str(path), "-public-key=key").code == 1
    assert "no file of a hash chain" in svault(tmp_path, "audit", "verify", "nowhere").err


def test_leases_are_revoked_below_a_path(run: Run) -> None:
    assert run("lease revoke -prefix secret").code == 0
    assert "invalid lease" in run("lease lookup nothing").err


def test_the_libraries_for_post_quantum_cryptography_are_listed(run: Run) -> None:
    body = json.loads(run("crypto -format=json").out)
    assert {"openssl", "oqs", "aws-lc", "rustcrypto"} == {one["name"] for one in body["backends"]}
    assert body["default"] in run("crypto").out
    assert run("version").out.startswith("svault ")
