"""The vault's tools on a real vault of a workspace: handles go out, values never."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from prov_server import compose
from prov_server.compose import Application
from prov_tools.registry import REGISTRY
from prov_tools.vault.generation import CHARSETS, generated
from prov_tools.vault.kept import UNKNOWN, Judge
from prov_tools.vault.kv import Secret
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError, StratumError
from stratumops.handles import is_handle
from stratumops.principal import LOCAL
from stratumops.schema import compact_dump
from stratumops.settings import load
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace

pytestmark = pytest.mark.anyio

TYPED = "typed-by-a-model-7Q"
Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def app(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Application]:
    made = compose.build(Workspace.at(tmp_path), load(None))
    await made.vault.initialize(KeyPlace.FILE)
    yield made
    await made.aclose()


@pytest.fixture
def call(app: Application) -> Call:
    """Call a tool as an assistant does; answers what it is sent."""

    async def calling(name: str, **arguments: Any) -> dict[str, Any]:
        return compact_dump(await app.call(name, arguments, principal=LOCAL, face="mcp"))

    return calling


@pytest.fixture
async def everything(app: Application, call: Call) -> Call:
    """The same with the whole toolset switched on."""
    await call("toolsets", action="enable", names=["vault"])
    return call


async def test_a_generated_secret_is_stored_and_nobody_is_told_its_value(app: Application, call: Call):
    made = await call("vault_store", path="secret/app", field="password")
    assert made == {"handle": "vault:secret/app#password", "notes": [], "status": "stored", "version": 1}
    value = await app.vault.resolve(made["handle"])
    assert len(value) == 32
    assert set(value) <= set(CHARSETS["letters"])
    assert value not in json.dumps([made, await call("vault_list")])


async def test_fields_are_stored_beside_each_other(app: Application, call: Call):
    await call("vault_store", path="secret/app", field="user")
    made = await call("vault_store", path="secret/app", field="password", length=12, charset="digits")
    assert made["version"] == 2
    first, second = [await app.vault.resolve(f"vault:secret/app#{name}") for name in ("user", "password")]
    assert len(first) == 32
    assert len(second) == 12
    assert second.isdigit()


async def test_a_secret_is_stored_anew_after_it_was_deleted(app: Application, everything: Call):
    await everything("vault_store", path="secret/app", field="old")
    await everything("vault_delete", path="secret/app")
    assert (await everything("vault_store", path="secret/app", field="new"))["version"] == 2
    assert (await everything("vault_list", path="secret/app"))["secrets"][0]["handles"] == ["vault:secret/app#new"]


async def test_a_file_of_the_workspace_is_stored_and_the_person_is_asked_to_delete_it(app: Application, call: Call):
    (app.workspace.root / "licence.json").write_text('{"licence": "L-123-456"}\n')
    made = await call("vault_store", path="secret/app", field="licence", source="licence.json")
    assert await app.vault.resolve(made["handle"]) == '{"licence": "L-123-456"}'
    assert "delete licence.json" in made["notes"][0]
    assert "L-123-456" not in json.dumps(made)


@pytest.mark.parametrize("name", ["app.pem", "../outside.json", ".prov/vault/keys.json", "/etc/passwd"])
async def test_a_file_that_tools_may_not_read_is_not_stored_either(app: Application, call: Call, name: str):
    (app.workspace.root / "app.pem").write_text("x")
    with pytest.raises(PermissionDeniedError):
        await call("vault_store", path="secret/app", field="key", source=name)
    assert (await call("vault_list"))["secrets"] == []


async def test_a_value_in_the_argument_is_taken_with_a_warning_and_marked_until_it_is_rotated(app: Application, everything: Call):
    made = await everything("vault_store", path="secret/app", field="password", value=TYPED)
    assert "passed through a model" in made["notes"][0]
    (row,) = (await everything("vault_list"))["secrets"]
    assert row["needs_rotation"] is True
    assert row["metadata"] == {"origin": "model", "needs_rotation": "true", "rotate": "password"}
    await everything("vault_store", path="secret/app", field="other")
    assert (await everything("vault_list"))["secrets"][0]["needs_rotation"] is True
    await everything("vault_rotate", handle=made["handle"])
    (row,) = (await everything("vault_list"))["secrets"]
    assert row["needs_rotation"] is False
    assert row["metadata"] == {"origin": "generated"}
    assert await app.vault.resolve("vault:secret/app?version=1#password") == TYPED
    assert await app.vault.resolve(made["handle"]) != TYPED


async def test_more_marked_fields_than_metadata_holds_are_marked_all_together(call: Call):
    for number in range(3):
        await call("vault_store", path="secret/app", field=f"{number}{'x' * 250}", value=TYPED)
    (row,) = (await call("vault_list"))["secrets"]
    assert row["metadata"]["rotate"] == "*"
    assert row["needs_rotation"] is True


async def test_a_resolved_value_reaches_no_answer_and_no_error(app: Application, everything: Call):
    """Also one that the tool itself would repeat, because it was put where names belong."""
    await everything("vault_store", path="secret/app", field="password", value=TYPED)
    assert await app.vault.resolve("vault:secret/app#password") == TYPED
    assert (await everything("vault_store", path=f"secret/{TYPED}", field="x"))["handle"] == "vault:secret/[redacted]#x"
    for name, arguments in (
        ("vault_list", {"path": f"secret/{TYPED}"}),
        ("vault_store", {"path": f"nothing/{TYPED}", "field": "x"}),
        ("vault_sign", {"key": TYPED, "text": TYPED}),
        ("vault_encrypt", {"key": "k", "source": "vault:secret/app#password"}),
    ):
        try:
            said = json.dumps(await everything(name, **arguments))
        except StratumError as error:
            said = json.dumps(error.as_dict())
        assert TYPED not in said, name


async def test_a_list_goes_down_into_folders_and_describes_one_secret(call: Call):
    for path in ("secret/app", "secret/app/db", "secret/team/x/y", "secret/with space"):
        await call("vault_store", path=path, field="a#b")
    every = [row["path"] for row in (await call("vault_list"))["secrets"]]
    assert every == ["secret/app", "secret/app/db", "secret/team/x/y", "secret/with space"]
    rows = (await call("vault_list", path="secret/app/"))["secrets"]
    assert [row["path"] for row in rows] == ["secret/app/db"]
    row = (await call("vault_list", path="secret/with space"))["secrets"][0]
    assert row["handles"] == ["vault:secret/with%20space#a%23b"]
    assert is_handle(row["handles"][0])
    assert (row["version"], row["versions"]) == (1, 1)
    with pytest.raises(NotFoundError):
        await call("vault_list", path="secret/nowhere")


async def test_a_long_list_is_cut_for_an_assistant_and_says_so(call: Call):
    for number in range(25):
        await call("vault_store", path=f"secret/many/{number:02}", field="x")
    answer = await call("vault_list")
    assert len(answer["secrets"]) == 20
    assert answer["notes"] == ["5 more secrets are not shown here"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("secret", "invalid_input"),
        ("nowhere/app", "not_found"),
        ("transit/app", "invalid_input"),
        ("secret/../sys", "invalid_input"),
    ],
)
async def test_a_path_that_holds_no_secrets_is_told_with_a_hint(call: Call, path: str, code: str):
    with pytest.raises(StratumError) as caught:
        await call("vault_store", path=path, field="x")
    assert caught.value.code == code
    assert caught.value.hint


async def test_a_deleted_secret_is_listed_as_such_and_cannot_be_resolved(app: Application, everything: Call):
    await everything("vault_store", path="secret/app", field="x")
    gone = await everything("vault_delete", path="vault:secret/app#x")
    assert gone["version"] == 1
    (row,) = (await everything("vault_list"))["secrets"]
    assert row["deleted"] is True
    assert row["handles"] == []
    with pytest.raises(NotFoundError):
        await app.vault.resolve("vault:secret/app#x")
    with pytest.raises(NotFoundError):
        await everything("vault_delete", path="secret/app")


async def test_a_secret_is_encrypted_by_its_handle_and_the_vault_alone_can_open_it(app: Application, everything: Call):
    await everything("vault_store", path="secret/app", field="x")
    made = await everything("vault_encrypt", key="backups", source="vault:secret/app#x")
    client = await app.vault.client()
    opened = await client.request("POST", "transit/decrypt/backups", {"ciphertext": made["ciphertext"]})
    assert base64.b64decode(opened["data"]["plaintext"]).decode() == await app.vault.resolve("vault:secret/app#x")
    rotated = await everything("vault_rotate", handle="transit/keys/backups")
    assert rotated["version"] == 2
    again = await everything("vault_encrypt", key="backups", source="vault:secret/app#x")
    assert (made["key_version"], again["key_version"]) == (1, 2)


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-65"])
async def test_a_signature_verifies_and_one_of_another_text_does_not(everything: Call, algorithm: str):
    signed = await everything("vault_sign", key="releases", text="v1", algorithm=algorithm)
    assert signed["algorithm"] == algorithm
    signature = signed["signature"]
    assert (await everything("vault_verify", key="releases", text="v1", signature=signature))["valid"] is True
    assert (await everything("vault_verify", key="releases", text="v2", signature=signature))["valid"] is False
    assert (await everything("vault_sign", key="releases", text="v1"))["algorithm"] == algorithm


async def test_a_signature_needs_one_thing_to_sign(everything: Call):
    for given in ({}, {"text": "a", "file": "b.json"}):
        with pytest.raises(InvalidInputError):
            await everything("vault_sign", key="k", **given)


async def test_a_certificate_is_answered_and_its_key_stays_at_a_handle(app: Application, everything: Call):
    made = await everything("issue_certificate", domain="example.com", alt_names=["www.example.com"], ip_addresses=["10.0.0.1"])
    assert made["handle"] == "vault:secret/certs/example.com#private_key"
    assert "PRIVATE KEY" not in json.dumps(made)
    assert any("internal root" in note for note in made["notes"])
    certificate = x509.load_pem_x509_certificate(made["certificate"].encode())
    root = x509.load_pem_x509_certificate(made["chain"][-1].encode())
    certificate.verify_directly_issued_by(root)
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key((await app.vault.resolve(made["handle"])).encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == certificate.public_key()
    again = await everything("issue_certificate", domain="other.example.com")
    assert again["notes"] == []


async def test_a_rotated_certificate_keeps_its_names_and_has_another_key(app: Application, everything: Call):
    first = await everything("issue_certificate", domain="*.example.com", alt_names=["example.com"], ttl="48h")
    key = await app.vault.resolve(first["handle"])
    rotated = await everything("vault_rotate", handle=first["handle"])
    assert first["serial"] in rotated["notes"][-1]
    assert await app.vault.resolve(first["handle"]) != key
    path = "vault:secret/certs/%2A.example.com#certificate"
    before, after = [
        x509.load_pem_x509_certificate(text.encode()) for text in (first["certificate"], await app.vault.resolve(path))
    ]
    wanted = x509.SubjectAlternativeName
    assert before.extensions.get_extension_for_class(wanted).value == after.extensions.get_extension_for_class(wanted).value
    assert before.not_valid_after_utc - before.not_valid_before_utc == after.not_valid_after_utc - after.not_valid_before_utc


async def test_a_revoked_certificate_is_in_the_revocation_list(app: Application, everything: Call):
    made = await everything("issue_certificate", domain="example.com")
    assert (await everything("revoke_certificate", serial=made["serial"]))["state"] == "revoked"
    with pytest.raises(StratumError):
        await everything("revoke_certificate", serial="00:01")
    listed = (await (await app.vault.client()).request("LIST", "pki/certs/revoked"))["data"]["keys"]
    assert made["serial"] in [one.replace("-", ":") for one in listed]


async def test_the_list_tells_the_state_of_each_certificate(app: Application, everything: Call):
    made = await everything("issue_certificate", domain="revoked.example.com")
    await everything("issue_certificate", domain="valid.example.com")
    await everything("revoke_certificate", serial=made["serial"])
    await everything("vault_store", path="secret/app", field="password")
    rows = (await everything("vault_list"))["secrets"]
    states = {row["path"].rpartition("/")[2]: row.get("certificate") for row in rows}
    assert states == {"revoked.example.com": "revoked", "valid.example.com": "valid", "app": None}


async def test_the_state_of_a_certificate_follows_from_its_times(app: Application, everything: Call):
    await everything("issue_certificate", domain="example.com", ttl="90h")
    client = await app.vault.client()
    secret = await Secret.at(client, "secret/certs/example.com")
    facts = await secret.facts()
    now = datetime.now(UTC)
    wanted = {0: "valid", 59: "valid", 61: "expires soon", 91: "expired"}
    for hours, state in wanted.items():
        kept = await Judge(client, now + timedelta(hours=hours)).kept(secret, facts)
        assert kept is not None
        assert kept.state == state, hours


async def test_an_engine_that_tells_nothing_of_what_it_revoked_is_noted(app: Application, everything: Call):
    await everything("issue_certificate", domain="example.com")
    client = await app.vault.client()
    secret = await Secret.at(client, "secret/certs/example.com")
    facts = await secret.facts()
    assert facts is not None
    for engine in ("nowhere", "transit"):
        judge = Judge(client)
        kept = await judge.kept(secret, replace(facts, custom={**facts.custom, "engine": engine}))
        assert kept is not None
        assert kept.state == "valid"
        assert judge.notes == [UNKNOWN.format(engine=engine)]


async def test_what_cannot_be_rotated_is_told(everything: Call):
    for path in ("pki/roles/x", "transit/keys/none", "vault:secret/none#x", "nothing"):
        with pytest.raises(StratumError) as caught:
            await everything("vault_rotate", handle=path)
        assert caught.value.code in {"invalid_input", "not_found"}
        assert caught.value.hint


async def test_the_state_tells_where_the_keys_are_and_which_engines_there_are(app: Application, everything: Call):
    state = await everything("vault_status")
    assert (state["place"], state["initialized"], state["sealed"]) == ("workspace", True, False)
    assert [one["path"] for one in state["engines"]] == ["database/", "pki/", "secret/", "transit/"]
    assert "keys.json" in state["keys"]


async def test_without_a_vault_every_tool_says_how_to_make_one(tmp_path: Path):
    app = compose.build(Workspace.at(tmp_path), load(None, mcp={"toolsets": ["vault"]}))
    state = await app.call("vault_status", {}, principal=LOCAL, face="mcp")
    assert not state.passed()
    for tool in REGISTRY:
        if tool.toolset == "vault" and tool.name != "vault_status":
            arguments = {name: value for name, value in tool.example.items() if name != "file"}
            arguments |= {"text": "x"} if "text" in tool.input.model_fields else {}
            with pytest.raises(StratumError) as caught:
                await app.call(tool.name, arguments, principal=LOCAL, face="mcp")
            assert caught.value.hint == "make one: prov vault init", tool.name
    assert list((tmp_path / ".prov").glob("vault*")) == []
    await app.aclose()


async def test_the_default_set_has_the_everyday_tools_only():
    assert [tool.name for tool in REGISTRY if tool.toolset == "vault" and tool.default] == ["vault_store", "vault_list"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_generated_value_has_the_wanted_length_and_characters(charset: Any):
    values = {generated(16, charset) for _ in range(50)}
    assert len(values) == 50
    assert {len(value) for value in values} == {16}
    assert set("".join(values)) <= set(CHARSETS[charset])
