"""Accounts: whose secrets they may name, and where they may be sent."""

import asyncio
import json
from pathlib import Path

import pytest

from prov_server.engine.accounts import FILE, Accounts, KeptAccount, opened
from stratumops.errors import InvalidInputError, PermissionDeniedError

OWN = {"access_key_id": "vault:secret/providers/aws#access_key_id", "secret_access_key": "vault:secret/providers/aws/work#key"}


class NoSecrets:
    """Nothing may be asked of it."""

    async def resolve(self, handle: str) -> str:
        raise AssertionError(handle)

    async def seal(self, text: str, context: str) -> str:
        raise AssertionError(text, context)

    async def unseal(self, sealed: str, context: str) -> str:
        raise AssertionError(sealed, context)


def _kept(folder: Path, name: str, **fields: object) -> Accounts:
    """An account as somebody writes it into the file."""
    (folder / FILE).write_text(json.dumps({name: {"provider": name} | fields}), encoding="utf-8")
    return Accounts(folder)


@pytest.mark.parametrize(
    "handle",
    ["vault:secret/payroll#password", "vault:secret/providers/upcloud#token", "vault:secret/providers/aws-2#key",
     "vault:secret/providers#aws", "vault:secret/providers/upcloud/aws#key", "vault:database/creds/root#password"],
)  # fmt: skip
def test_a_secret_of_another_is_not_even_asked_for(tmp_path: Path, handle: str):
    accounts = _kept(tmp_path, "aws", endpoint="https://aws.example.org", secrets={"access_key_id": handle})
    with pytest.raises(PermissionDeniedError, match="its own are below secret/providers/aws"):
        asyncio.run(opened("aws", accounts, NoSecrets()))


@pytest.mark.parametrize("provider", ["aws", "upcloud", "local"])
@pytest.mark.parametrize(
    "endpoint",
    ["http://198.51.100.7", "http://aws.example.org", "http://127.0.0.1.example.org", "http://127.0.0.1@example.org", "ftp://127.0.0.1",
     "https://", "example.org", "https://user@example.org", "http://[::1", "http://localhost.example.org"],
)  # fmt: skip
def test_credentials_go_to_no_endpoint_in_the_clear(tmp_path: Path, provider: str, endpoint: str):
    accounts = _kept(tmp_path, provider, endpoint=endpoint)
    with pytest.raises(PermissionDeniedError, match="neither https nor on this machine"):
        asyncio.run(opened(provider, accounts, NoSecrets()))


@pytest.mark.parametrize(
    "endpoint", ["", "https://aws.example.org", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost:9"]
)
def test_guarded_endpoints_and_secrets_of_the_account_are_kept(tmp_path: Path, endpoint: str):
    accounts = Accounts(tmp_path)
    accounts.add(KeptAccount("aws", endpoint=endpoint, secrets=OWN))
    assert accounts.all()["aws"].secrets == OWN
    accounts.add(KeptAccount("local", endpoint="/var/snap/lxd/common/lxd/unix.socket"))
    with pytest.raises(PermissionDeniedError):
        accounts.add(KeptAccount("aws", endpoint="/a/path"), replace=True)


def test_the_row_of_one_provider_does_not_open_another(tmp_path: Path):
    accounts = _kept(tmp_path, "aws", provider="upcloud")
    with pytest.raises(PermissionDeniedError, match=r"an account of .upcloud. at aws"):
        asyncio.run(opened("aws", accounts, NoSecrets()))


@pytest.mark.parametrize("fields", [{"endpoint": 7}, {"secrets": {"a": 1}}, {"options": []}, {"secrets": None}, {"nonsense": ""}])
def test_fields_of_another_kind_are_named_as_damage(tmp_path: Path, fields: dict[str, object]):
    with pytest.raises(InvalidInputError, match="is damaged"):
        _kept(tmp_path, "aws", **fields).all()
