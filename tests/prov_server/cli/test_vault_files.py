"""`prov vault encrypt` and `decrypt` with files, and handles as a person types them."""

import json
import stat

from .conftest import on_a_terminal

VALUE = "s3cret-of-a-person"


def test_a_handle_is_understood_without_its_scheme(prov, vault, environment):
    prov("vault", "store", "secret/app", "password=-", given=VALUE)
    code, said = on_a_terminal(["vault", "read", "secret/app#password"], vault, environment)
    assert (code, said.strip()) == (0, VALUE)
    assert json.loads(prov("vault", "list", "secret/app#password", "--json").out)["secrets"][0]["path"] == "secret/app"
    assert json.loads(prov("vault", "rotate", "secret/app#password", "--json").out)["handle"] == "vault:secret/app#password"
    assert prov("vault", "encrypt", "box", "secret/app#password").out.startswith("vault:v1:")
    assert prov("vault", "delete", "secret/app#password").code == 0
    assert prov("vault", "undelete", "secret/app#password").code == 0


def test_a_secret_whose_path_has_that_sign_is_meant_where_there_is_one(prov, vault, environment):
    prov("vault", "store", "secret/app", "password=-", given="other")
    prov("vault", "store", "secret/app#password", "f=-", given=VALUE)
    code, said = on_a_terminal(["vault", "read", "secret/app#password", "--json"], vault, environment)
    assert (code, json.loads(said)) == (0, {"f": VALUE})
    code, said = on_a_terminal(["vault", "read", "vault:secret/app#password"], vault, environment)
    assert (code, said.strip()) == (0, "other")


def test_a_file_of_the_workspace_is_meant_by_a_source_that_is_its_name(prov, vault, environment):
    (vault / "team").mkdir()
    (vault / "team" / "app#1.json").write_text("{}")
    sealed = prov("vault", "encrypt", "box", "team/app#1.json").out.strip()
    code, said = on_a_terminal(["vault", "decrypt", "box", sealed], vault, environment)
    assert (code, said.strip()) == (0, "{}")
    assert prov("vault", "encrypt", "box", "team/app#2.json").code == 3


def test_a_file_of_any_bytes_is_encrypted_and_decrypted(prov, vault, tmp_path):
    data = bytes(range(256)) * 40
    (tmp_path / "data").write_bytes(data)
    sealed, opened = tmp_path / "data.sealed", tmp_path / "opened"
    done = prov("vault", "encrypt", "box", "--file", str(tmp_path / "data"), "--output", str(sealed))
    assert (done.code, done.out) == (0, "")
    assert sealed.read_text().startswith("vault:v1:")
    done = prov("vault", "decrypt", "box", "--file", str(sealed), "--output", str(opened), "--json")
    assert json.loads(done.out) == {"file": str(opened), "bytes": len(data)}
    assert opened.read_bytes() == data
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert prov("vault", "decrypt", "box", "--file", str(sealed), "--output", str(opened)).code == 4
    assert prov("vault", "decrypt", "box", "--file", str(sealed), "--output", str(opened), "--force").code == 0
    printed = json.loads(prov("vault", "encrypt", "box", "--file", "-", "--json", given="x").out)
    assert (printed["key"], printed["key_version"]) == ("box", 1)


def test_what_is_decrypted_is_shown_on_a_terminal_and_never_through_a_pipe(prov, vault, environment):
    sealed = prov("vault", "encrypt", "box", "--file", "-", given=VALUE).out.strip()
    for words in ((), ("--json",), ("--output", "-")):
        done = prov("vault", "decrypt", "box", sealed, *words)
        assert done.code == 5
        assert VALUE not in done.out + done.err
    code, said = on_a_terminal(["vault", "decrypt", "box", sealed], vault, environment)
    assert (code, said.strip()) == (0, VALUE)
    code, said = on_a_terminal(["vault", "decrypt", "box", sealed, "--json"], vault, environment)
    assert (code, json.loads(said)) == (0, {"text": VALUE})
    (vault / "bytes").write_bytes(b"\xff\x00")
    sealed = prov("vault", "encrypt", "box", "--file", "bytes").out.strip()
    code, said = on_a_terminal(["vault", "decrypt", "box", sealed], vault, environment)
    assert code == 2
    assert "--output FILE" in said


def test_what_cannot_be_encrypted_or_decrypted_is_told_with_what_to_do(prov, vault):
    with (vault / "big").open("wb") as file:
        file.truncate((16 << 20) + 1)
    large = prov("vault", "encrypt", "box", "--file", "big")
    assert large.code == 2
    assert "16 MiB" in large.err
    assert "age" in large.err
    (vault / "other").write_text("no ciphertext")
    assert "vault:v1:" in prov("vault", "decrypt", "box", "--file", "other", "--output", "x").err
    for words, code in (
        (("encrypt", "box"), 2), (("encrypt", "box", "main.ncl", "--file", "big"), 2), (("encrypt", "box", "--file", "none"), 3),
        (("encrypt", "a/b", "--file", "other"), 2), (("decrypt", "box", "--output", "x"), 2),
        (("decrypt", "none", "vault:v1:AAAA", "--output", "x"), 2),
    ):  # fmt: skip
        assert prov("vault", *words).code == code, words
    assert not (vault / "x").exists()
