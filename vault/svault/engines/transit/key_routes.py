"""`keys`: creating, reading, configuring, rotating, trimming and deleting them.

Source: Vault's API page of the transit engine.
"""

from dataclasses import replace
from typing import Any

from svault.engines.transit.base import TransitBase
from svault.engines.transit.cipher_routes import KEYS_CONFIG
from svault.engines.transit.creation import created, rotated
from svault.engines.transit.exports import chain_text, public_text
from svault.engines.transit.keyring import DEFAULT_CACHE_SIZE
from svault.engines.transit.keytypes import DEFAULT, HMAC_MAXIMUM, HMAC_MINIMUM, Family, key_type
from svault.engines.transit.policies import KeyVersion, Policy
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Operation, Request, Response, rfc3339, route

CACHE_CONFIG = "config/cache"
SHORTEST_PERIOD = 3600
SMALLEST_CACHE = 10


class KeyRoutes(TransitBase):
    """The keys themselves."""

    @route("keys", Operation.LIST)
    async def list_keys(self, request: Request) -> Response:
        """The names of all keys, in pages when asked for (`after`, `limit`)."""
        fields = request.fields
        names = [name for name in await self.keyring.names() if name > fields.text("after")]
        limit = fields.integer("limit")
        if not names:
            raise NotFoundError
        return Response(data={"keys": names[:limit] if limit > 0 else names})

    @route("keys/{name}", Operation.READ)
    async def read_key(self, request: Request) -> Response:
        """A key without its secrets."""
        policy = await self.keyring.find(request.args["name"])
        if policy is None:
            raise NotFoundError
        context = request.fields.base64("context", "failed to base64-decode context")
        return Response(data=described(policy, context))

    @route("keys/{name}", Operation.UPDATE)
    async def create_key(self, request: Request) -> Response:
        """Create a key; one that is there stays as it is."""
        fields = request.fields
        wanted = Policy(
            name=request.args["name"],
            type=key_type(fields.text("type") or DEFAULT),
            derived=fields.boolean("derived"),
            convergent=fields.boolean("convergent_encryption"),
            exportable=fields.boolean("exportable"),
            allow_plaintext_backup=fields.boolean("allow_plaintext_backup"),
            auto_rotate_period=period(fields.duration("auto_rotate_period")),
            key_size=fields.integer("key_size"),
        )
        if wanted.convergent and not wanted.derived:
            raise BadRequestError("convergent encryption requires derivation to be enabled")
        if wanted.key_size and wanted.type.family is not Family.HMAC:
            raise BadRequestError(f"key_size is not valid for algorithm {wanted.type}")
        if wanted.key_size and not HMAC_MINIMUM <= wanted.key_size <= HMAC_MAXIMUM:
            raise BadRequestError(f"invalid key_size {wanted.key_size}")
        async with self.keyring.lock(wanted.name):
            policy = await self.keyring.load(wanted.name)
            if policy is None:
                policy = await self.saved(await created(wanted, self.backend, self.mount.clock.time()))
        return Response(data=described(policy))

    @route("keys/{name}", Operation.DELETE)
    async def delete_key(self, request: Request) -> None:
        """Delete a key and all its versions for good."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError(f"error deleting policy {name}: could not delete key; not found")
            if not policy.deletion_allowed:
                raise BadRequestError(f"error deleting policy {name}: deletion is not allowed for this key")
            await self.keyring.remove(name)

    @route("keys/{name}/soft-delete", Operation.DELETE)
    async def soft_delete_key(self, request: Request) -> Response | None:
        """Refuse every use of a key until it is restored."""
        return await self._soft_delete(request.args["name"], "key was already marked as soft deleted", wanted=True)

    @route("keys/{name}/soft-delete-restore", Operation.UPDATE)
    async def restore_soft_deleted_key(self, request: Request) -> Response | None:
        """Allow the use of a soft-deleted key again."""
        return await self._soft_delete(request.args["name"], "key was already restored", wanted=False)

    async def _soft_delete(self, name: str, warning: str, *, wanted: bool) -> Response | None:
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                return None
            warnings = [warning] if policy.soft_deleted is wanted else []
            policy = await self.saved(replace(policy, soft_deleted=wanted))
        return Response(data=described(policy), warnings=warnings)

    @route("keys/{name}/rotate", Operation.UPDATE)
    async def rotate_key(self, request: Request) -> Response:
        """Give a key a new version, which is used from now on."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError("key not found")
            policy = await self.saved(await rotated(policy, self.backend, self.mount.clock.time()))
        return Response(data=described(policy))

    @route("keys/{name}/config", Operation.UPDATE)
    async def configure_key(self, request: Request) -> Response:
        """Change which versions may be used, and what is allowed with a key."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError(f"no existing key named {name} could be found")
            changed, warnings = _configured(policy, request)
            if changed != policy:
                if changed.min_available_version > changed.min_encryption_version:
                    raise BadRequestError("min encryption version should not be less than min available version")
                if changed.min_available_version > changed.min_decryption_version:
                    raise BadRequestError("min decryption version should not be less then min available version")
                policy = await self.saved(changed)
        return Response(data=described(policy), warnings=warnings)

    @route("keys/{name}/trim", Operation.UPDATE)
    async def trim_key(self, request: Request) -> Response:
        """Delete the oldest versions for good."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError("invalid key name")
            first = _first_to_keep(policy, request)
            kept = {number: version for number, version in policy.versions.items() if number >= first}
            policy = await self.saved(replace(policy, versions=kept, min_available_version=first))
        return Response(data=described(policy))

    @route("config/keys", Operation.READ)
    async def read_keys_config(self, _: Request) -> Response:
        """Whether encrypting with a missing key creates it."""
        stored = await self.mount.view.read(KEYS_CONFIG)
        return Response(data=stored or {"disable_upsert": False})

    @route("config/keys", Operation.UPDATE)
    async def write_keys_config(self, request: Request) -> Response:
        """Change whether encrypting with a missing key creates it."""
        config = {"disable_upsert": request.fields.boolean("disable_upsert")}
        await self.mount.view.write(KEYS_CONFIG, config)
        return Response(data=config)

    @route("cache-config", Operation.READ)
    async def read_cache_config(self, _: Request) -> Response:
        """How many keys are kept in memory; 0 leaves it to the engine."""
        stored = await self.mount.view.read(CACHE_CONFIG)
        return Response(data=stored or {"size": 0})

    @route("cache-config", Operation.UPDATE)
    async def write_cache_config(self, request: Request) -> Response:
        """Change how many keys are kept in memory."""
        size = request.fields.integer("size")
        if size and size < SMALLEST_CACHE:
            raise BadRequestError(f"size must be 0 or a value greater or equal to {SMALLEST_CACHE}")
        await self.mount.view.write(CACHE_CONFIG, {"size": size})
        self.keyring.resize(size or DEFAULT_CACHE_SIZE)
        return Response(data={"size": size})


def period(seconds: int) -> int:
    """A period of automatic rotation in seconds. Raises BadRequestError when it is too short."""
    if seconds and seconds < SHORTEST_PERIOD:
        raise BadRequestError("auto rotate period must be 0 to disable or at least an hour")
    return seconds


def described(policy: Policy, context: bytes = b"") -> dict[str, Any]:
    """A key as reading it shows it."""
    kind = policy.type
    data: dict[str, Any] = {
        "name": policy.name,
        "type": kind.name,
        "derived": policy.derived,
        "deletion_allowed": policy.deletion_allowed,
        "min_available_version": policy.min_available_version,
        "min_decryption_version": policy.min_decryption_version,
        "min_encryption_version": policy.min_encryption_version,
        "latest_version": policy.latest_version,
        "exportable": policy.exportable,
        "allow_plaintext_backup": policy.allow_plaintext_backup,
        "supports_encryption": kind.encrypts,
        "supports_decryption": kind.encrypts,
        "supports_signing": kind.signs,
        "supports_derivation": kind.derives,
        "auto_rotate_period": policy.auto_rotate_period,
        "imported_key": policy.imported,
        "soft_deleted": policy.soft_deleted,
    }
    if policy.key_size:
        data["key_size"] = policy.key_size
    if policy.imported:
        data["imported_key_allow_rotation"] = policy.allow_imported_rotation
    for name, event in (("backup_info", policy.backed_up), ("restore_info", policy.restored)):
        if event is not None:
            data[name] = {"time": rfc3339(event.time), "version": event.version}
    if policy.derived:
        data |= {"kdf": "hkdf_sha256", "convergent_encryption": policy.convergent}
    if policy.convergent:
        data["convergent_encryption_version"] = -1  # Vault's number for: each version says it
    if kind.has_public_key:
        data["keys"] = {str(number): _described(policy, version, context) for number, version in policy.usable.items()}
    elif kind.family is not Family.HMAC:
        data["keys"] = {str(number): int(version.created) for number, version in policy.usable.items()}
    return data


def _described(policy: Policy, version: KeyVersion, context: bytes) -> dict[str, Any]:
    return {
        "name": policy.type.shown,
        "public_key": public_text(policy, version, context),
        "certificate_chain": chain_text(version),
        "creation_time": rfc3339(version.created),
    }


def _configured(policy: Policy, request: Request) -> tuple[Policy, list[str]]:
    fields = request.fields
    warnings = []
    lowest = fields.integer("min_decryption_version", policy.min_decryption_version)
    encryption = fields.integer("min_encryption_version", policy.min_encryption_version)
    if lowest == 0:
        lowest = 1
        warnings.append("since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1")
    for purpose, number in (("decryption", lowest), ("encryption", encryption)):
        if number < 0:
            raise BadRequestError(f"min {purpose} version cannot be negative")
        if number > policy.latest_version:
            raise BadRequestError(f"cannot set min {purpose} version of {number}, latest key version is {policy.latest_version}")
    if 0 < encryption < lowest:
        raise BadRequestError(
            f"cannot set min encryption/decryption values; min encryption version of {encryption} must be greater than or equal"
            f" to min decryption version of {lowest}"
        )
    changed = replace(
        policy,
        min_decryption_version=lowest,
        min_encryption_version=encryption,
        deletion_allowed=fields.boolean("deletion_allowed", policy.deletion_allowed),
        exportable=policy.exportable or fields.boolean("exportable"),
        allow_plaintext_backup=policy.allow_plaintext_backup or fields.boolean("allow_plaintext_backup"),
        auto_rotate_period=period(fields.duration("auto_rotate_period", policy.auto_rotate_period)),
    )
    return changed, warnings


def _first_to_keep(policy: Policy, request: Request) -> int:
    if "min_available_version" not in request.fields:
        raise BadRequestError("missing min_available_version")
    first = request.fields.integer("min_available_version")
    if first < policy.min_available_version:
        raise BadRequestError("minimum available version cannot be decremented")
    if not policy.min_encryption_version:
        raise BadRequestError("minimum available version cannot be set when minimum encryption version is not set")
    if first > policy.min_encryption_version:
        raise BadRequestError("minimum available version cannot be greater than minmum encryption version")
    if first > policy.min_decryption_version:
        raise BadRequestError("minimum available version cannot be greater than minimum decryption version")
    if first == 0:
        raise BadRequestError("minimum available version should be positive")
    return first
