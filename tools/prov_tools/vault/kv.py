"""One secret in a KV engine of version 2: fields are changed one by one, and what is known about each stands beside them.

Source: Vault's API, "KV Secrets Engine - Version 2".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from prov_tools.vault.access import VaultClient
from prov_tools.vault.mounts import Mount, require_mount
from stratumops.errors import ConflictError, InvalidInputError
from stratumops.handles import SecretHandle
from svault.errors import BadRequestError, NotFoundError

Origin = Literal["generated", "file", "person", "model", "database", "pki"]
"""Where the value that was stored last came from."""

ORIGIN, NEEDS_ROTATION, FIELDS = "origin", "needs_rotation", "rotate"
MAX_MARKS = 512
"""Bytes of one value of a secret's custom metadata."""
ALL = "*"
_ATTEMPTS = 20
_CAS_MISSED = "check-and-set parameter did not match"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a secret's metadata says. `version` is the newest one, `is_deleted` whether it is deleted or destroyed."""

    version: int
    created: str
    updated: str
    versions: int
    is_deleted: bool
    custom: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Facts":
        """From the answer of `metadata/`."""
        versions = data.get("versions") or {}
        newest = versions.get(str(data["current_version"]), {})
        is_deleted = bool(newest.get("destroyed") or newest.get("deletion_time"))
        # A deletion that lies ahead (delete_version_after) is told as a time too.
        if newest.get("deletion_time") and not newest.get("destroyed"):
            is_deleted = _is_past(newest["deletion_time"])
        return cls(
            data["current_version"],
            data["created_time"],
            data["updated_time"],
            len(versions),
            is_deleted,
            data.get("custom_metadata") or {},
        )

    @property
    def marked(self) -> set[str]:
        """The fields that are marked for rotation; `*` stands for all."""
        if self.custom.get(NEEDS_ROTATION) != "true":
            return set()
        return set(filter(None, self.custom.get(FIELDS, ALL).split(",")))


def _is_past(time: str) -> bool:
    from datetime import UTC, datetime  # noqa: PLC0415 - few secrets have an end

    seconds = time.partition(".")[0].rstrip("Z")
    return datetime.fromisoformat(seconds).replace(tzinfo=UTC) <= datetime.now(UTC)


class Secret:
    """A secret by its place; nothing is read before it is asked for."""

    def __init__(self, client: VaultClient, mount: Mount, path: str) -> None:
        self._client = client
        self.mount = mount
        self.path = path

    @classmethod
    async def at(cls, client: VaultClient, path: str) -> "Secret":
        """The secret at mount and path together. Raises InvalidInputError, NotFoundError, VaultError."""
        mount, rest = await require_mount(client, path, "kv")
        if not rest:
            raise InvalidInputError(f"{mount.path} is a mount; a secret lies below it", hint=f"such as {mount.path}app")
        return cls(client, mount, rest)

    @property
    def whole_path(self) -> str:
        """Mount and path."""
        return self.mount.path + self.path

    def handle(self, name: str, version: int | None = None) -> str:
        """How an answer names one field."""
        return str(SecretHandle(self.whole_path, name, version))

    async def facts(self) -> Facts | None:
        """Its metadata; None when it was never written."""
        try:
            return Facts.of((await self._client.request("GET", f"{self.mount.path}metadata/{self.path}"))["data"])
        except NotFoundError:
            return None

    async def values(self, version: int | None = None) -> dict[str, Any]:
        """The fields with their values. Raises NotFoundError of the vault."""
        asked = {"version": version} if version else None
        found = await self._client.request("GET", f"{self.mount.path}data/{self.path}", asked)
        return dict(found["data"]["data"] or {})

    async def names(self) -> list[str]:
        """The fields without their values; none when the newest version is deleted."""
        try:
            found = await self._client.request("GET", f"{self.mount.path}subkeys/{self.path}", {"depth": 1})
        except NotFoundError:
            return []
        return sorted(found["data"]["subkeys"] or {})

    async def put(
        self, fields: Mapping[str, str], *, origin: Origin, custom: Mapping[str, str] | None = None, replaces: bool = False
    ) -> int:
        """Write fields beside those that are there (or instead of them) and say where they came from; answers the version.

        What came from a model is marked before it is written, so that no crash leaves it unmarked.
        """
        before = await self.facts()
        marked = (before.marked if before and not replaces else set()) - set(fields)
        if origin == "model":
            await self._note({ORIGIN: origin, **_marks(marked | set(fields)), **(custom or {})})
        version = await self._write(fields, replaces=replaces)
        if origin != "model":
            await self._note({ORIGIN: origin, **_marks(marked), **(custom or {})})
        return version

    async def delete(self) -> None:
        """Delete the newest version; it can be undeleted."""
        await self._client.request("DELETE", f"{self.mount.path}data/{self.path}")

    async def end_versions_after(self, seconds: int) -> None:
        """From the next version on each is deleted after so many seconds."""
        rules = {"delete_version_after": f"{seconds}s"}
        await self._client.request("POST", f"{self.mount.path}metadata/{self.path}", rules)

    async def _write(self, fields: Mapping[str, str], *, replaces: bool) -> int:
        address, data = f"{self.mount.path}data/{self.path}", dict(fields)
        for _ in range(_ATTEMPTS):
            if replaces:
                facts = await self.facts()
                current = facts.version if facts else 0
            else:
                try:
                    return int((await self._client.request("PATCH", address, {"data": data}))["data"]["version"])
                except NotFoundError as error:
                    # Never written, or its newest version is deleted: then there is nothing to be kept beside.
                    current = int((error.data or {}).get("version", 0))
            try:
                written = await self._client.request("POST", address, {"data": data, "options": {"cas": current}})
            except BadRequestError as error:
                if _CAS_MISSED not in error.message:
                    raise
                continue
            return int(written["data"]["version"])
        raise ConflictError(f"{self.whole_path} is being written by others all the time", hint="try again")

    async def _note(self, custom: Mapping[str, str | None]) -> None:
        address = f"{self.mount.path}metadata/{self.path}"
        try:
            await self._client.request("PATCH", address, {"custom_metadata": dict(custom)})
        except NotFoundError:
            stated = {name: value for name, value in custom.items() if value is not None}
            await self._client.request("POST", address, {"custom_metadata": stated})


def _marks(fields: Iterable[str]) -> dict[str, str | None]:
    names = sorted(fields)
    if not names:
        return {NEEDS_ROTATION: None, FIELDS: None}
    text = ",".join(names)
    is_whole = len(text.encode()) <= MAX_MARKS and text.isprintable() and not any("," in name for name in names)
    return {NEEDS_ROTATION: "true", FIELDS: text if is_whole else ALL}


async def secret_paths(client: VaultClient, folder: str, limit: int) -> list[str]:
    """Up to `limit` paths of secrets at and below a folder (mount and path, `secret/` or `secret/team/`), sorted, depth first."""
    mount, rest = await require_mount(client, folder, "kv")
    found: list[str] = []
    waiting = [f"{rest}/" if rest else ""]
    while waiting and len(found) < limit:
        below = waiting.pop()
        if below and not below.endswith("/"):
            found.append(mount.path + below)
            continue
        try:
            keys = (await client.request("LIST", f"{mount.path}metadata/{below}"))["data"]["keys"]
        except NotFoundError:
            continue
        waiting += [below + key for key in reversed(keys)]
    return found
