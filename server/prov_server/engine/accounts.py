"""Accounts at providers: what `prov provider add` keeps. The file names handles; the credentials are in the vault."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provisioning.providers.base import Account, Provider
from provisioning.providers.registry import PROVIDERS, entry, open_provider
from provisioning.secrets import Secrets
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.handles import SecretHandle

FILE = "providers.json"
PATH = "secret/providers/{}"
"""Where the vault has a provider's credentials; an account names no others."""
WITHOUT_ACCOUNT = frozenset({"local"})
"""Providers that need none: they are there as soon as their daemon is."""


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """An account as it is kept. `secrets` are handles by name (`secret_access_key`), never values."""

    provider: str
    region: str = ""
    endpoint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


class Accounts:
    """The accounts of a workspace, in `.prov/providers.json`: one a provider. Writes replace the file whole."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def all(self) -> dict[str, KeptAccount]:
        """Every account by its provider. Raises InvalidInputError for a file that is damaged."""
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidInputError(f"{self._file} cannot be read: {error.strerror}", hint="it belongs to who made it") from None
        try:
            found = {name: _kept(fields) for name, fields in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError):
            raise InvalidInputError(f"{self._file} is damaged", hint="mend it, or add the accounts again") from None
        return {name: one for name, one in found.items() if name in PROVIDERS}

    def names(self) -> list[str]:
        """Every provider that can be used."""
        return [name for name in PROVIDERS if name in self.all() or name in WITHOUT_ACCOUNT]

    def add(self, account: KeptAccount, *, replace: bool = False) -> None:
        """Keep an account. Raises as `require_sound`, and ConflictError: the provider has one that is not to be replaced."""
        entry(account.provider)
        require_sound(account.provider, account)
        every = self.all()
        if account.provider in every and not replace:
            raise ConflictError(f"{account.provider} has an account already", hint="`--force` replaces it")
        self._write({**every, account.provider: account})

    def remove(self, provider: str) -> KeptAccount:
        """Forget an account; its credentials stay in the vault. Raises NotFoundError."""
        every = self.all()
        if provider not in every:
            raise NotFoundError(f"{provider!r} has no account here", hint="`prov provider list` shows them")
        gone = every.pop(provider)
        self._write(every)
        return gone

    def _write(self, every: Mapping[str, KeptAccount]) -> None:
        self._file.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{FILE}.")  # 0600 from the start
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({key: asdict(one) for key, one in every.items()}, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._file)


def require_sound(provider: str, account: KeptAccount) -> None:
    """Raises PermissionDeniedError for an account that would send another's secrets, or its own where others can read them.

    Whoever can write the file must not be able to choose a secret and where it goes.
    """
    hint = f"add it again: prov provider add {provider} --force"
    if account.provider != provider:
        raise PermissionDeniedError(f"{FILE} has an account of {account.provider[:40]!r} at {provider}", hint=hint)
    own = PATH.format(provider)
    for name, handle in account.secrets.items():
        path = SecretHandle.parse(handle).path
        if path != own and not path.startswith(f"{own}/"):
            raise PermissionDeniedError(
                f"the account at {provider} names a secret of another ({name[:40]}); its own are below {own}", hint=hint
            )
    if not _is_guarded(provider, account.endpoint):
        raise PermissionDeniedError(
            f"the endpoint of {provider} is neither https nor on this machine: credentials would travel in the clear",
            hint="give an https:// address with --endpoint, or http:// at 127.0.0.1",
        )


def _is_guarded(provider: str, endpoint: str) -> bool:
    if not endpoint or (provider == "local" and endpoint.startswith("/")):  # LXD: the path of a socket
        return True
    try:
        url = urlsplit(endpoint)
        host = url.hostname or ""
    except ValueError:
        return False
    if not host or url.username is not None:
        return False
    return url.scheme == "https" or (url.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kept(fields: Mapping[str, Any]) -> KeptAccount:
    """Raises TypeError for fields of another kind."""
    found = KeptAccount(**fields)
    tables = [*found.options.items(), *found.secrets.items()]
    if not all(
        isinstance(one, str) for one in (found.provider, found.region, found.endpoint, *(text for row in tables for text in row))
    ):
        raise TypeError
    return found


async def opened(provider: str, accounts: Accounts, secrets: Secrets) -> Provider:
    """The provider with its credentials. Raises NotFoundError (no account), as `require_sound`, and as resolving a handle."""
    kept = (await asyncio.to_thread(accounts.all)).get(provider)
    if kept is None:
        if provider not in WITHOUT_ACCOUNT:
            raise NotFoundError(f"there is no account at {provider} here", hint=f"`prov provider add {provider}`")
        kept = KeptAccount(provider)
    require_sound(provider, kept)
    values = {name: await secrets.resolve(handle) for name, handle in kept.secrets.items()}
    account = Account(provider, kept.provider, kept.region, kept.endpoint, kept.options, values)
    return await asyncio.to_thread(open_provider, account)
