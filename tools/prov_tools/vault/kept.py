"""The certificates whose keys are kept here, and whether each can still be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from prov_tools.vault.access import VaultClient
from prov_tools.vault.issuing import CERTIFICATE, FOLDER, KEY_FIELD, KIND
from prov_tools.vault.kv import Facts, Secret, secret_paths
from svault.errors import NotFoundError, VaultError

State = Literal["valid", "expires soon", "expired", "revoked"]
SOON_DAYS, SOON_SHARE = 30, 3
"""A certificate expires soon when a third of its life is left, and at most 30 days."""
UNKNOWN = "which certificates of {engine} were revoked cannot be read: a revoked one may be shown as valid"


@dataclass(frozen=True, slots=True)
class Kept:
    """One certificate; `days` are whole ones until it ends, negative behind it."""

    domain: str
    handle: str
    serial: str
    expires: datetime
    days: int
    state: State
    engine: str
    cluster: str | None

    def as_dict(self) -> dict[str, str | int | None]:
        """As JSON shows it; times in ISO 8601."""
        return {
            "domain": self.domain,
            "handle": self.handle,
            "serial": self.serial,
            "expires": self.expires.isoformat(),
            "days": self.days,
            "state": self.state,
            "engine": self.engine,
            "cluster": self.cluster,
        }


@dataclass(slots=True)
class Judge:
    """Tells the state of certificates; each engine is asked once what it revoked. `notes` say what it could not learn."""

    client: VaultClient
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    notes: list[str] = field(default_factory=list)
    _revoked: dict[str, frozenset[str]] = field(default_factory=dict)

    async def kept(self, secret: Secret, facts: Facts | None) -> Kept | None:
        """The certificate in a secret, by its metadata; None when it holds none, or is deleted."""
        if facts is None or facts.is_deleted or facts.custom.get(KIND) != CERTIFICATE:
            return None
        custom = facts.custom
        expires = datetime.fromtimestamp(int(custom["expires"]), UTC)
        return Kept(
            domain=custom["domain"],
            handle=secret.handle(KEY_FIELD),
            serial=custom["serial"],
            expires=expires,
            days=(expires - self.now).days,
            state=await self._state(custom, expires, datetime.fromisoformat(facts.updated)),
            engine=custom["engine"],
            cluster=custom.get("cluster"),
        )

    async def _state(self, custom: Mapping[str, str], expires: datetime, issued: datetime) -> State:
        if custom["serial"].lower() in await self._revoked_by(custom["engine"]):
            return "revoked"
        if expires <= self.now:
            return "expired"
        soon = min(timedelta(days=SOON_DAYS), (expires - issued) / SOON_SHARE)
        return "expires soon" if expires - self.now < soon else "valid"

    async def _revoked_by(self, engine: str) -> frozenset[str]:
        if engine not in self._revoked:
            keys = []
            try:
                keys = (await self.client.request("LIST", f"{engine}/certs/revoked"))["data"]["keys"]
            except VaultError as error:
                # An engine that has revoked nothing answers 404 without a word.
                if not isinstance(error, NotFoundError) or error.message:
                    self.notes.append(UNKNOWN.format(engine=engine))
            self._revoked[engine] = frozenset(str(key).lower().replace("-", ":") for key in keys)
        return self._revoked[engine]


async def certificates(client: VaultClient, limit: int) -> tuple[list[Kept], list[str]]:
    """The certificates below `secret/certs/`, and what could not be learnt of them. Raises StratumError and VaultError."""
    judge = Judge(client)
    found: list[Kept] = []
    for path in await secret_paths(client, f"{FOLDER}/", limit):
        secret = await Secret.at(client, path)
        one = await judge.kept(secret, await secret.facts())
        if one is not None:
            found.append(one)
    return found, judge.notes
