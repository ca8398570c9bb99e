"""Keys that come and go: `import`, `export`, `byok-export`, `backup`, `restore`, `wrapping_key`, `derive-key`.

Source: Vault's API page of the transit engine.
"""

import asyncio
import re
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from svault.engines.transit.backups import from_backup, to_backup
from svault.engines.transit.base import TransitBase
from svault.engines.transit.creation import require_possible
from svault.engines.transit.derivation import agree
from svault.engines.transit.encoding import decode, encode
from svault.engines.transit.exports import EXPORTS, FORMATS, exported
from svault.engines.transit.key_routes import period
from svault.engines.transit.keytypes import DEFAULT, Family, KeyType, key_type
from svault.engines.transit.material import imported, public_pem
from svault.engines.transit.policies import Event, KeyVersion, Policy
from svault.engines.transit.wrapping import unwrap, wrap, wrapping_key
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Operation, Request, Response, route


class TransferRoutes(TransitBase):
    """Keys on their way in and out."""

    @route("wrapping_key", Operation.READ)
    async def read_wrapping_key(self, _: Request) -> Response:
        """The public key that imports are wrapped with."""
        own = await wrapping_key(self.mount.view)
        return Response(data={"public_key": public_pem(own.public_key())})

    @route("keys/{name}/import", Operation.UPDATE)
    async def import_key(self, request: Request) -> None:
        """Make a key from material that was generated elsewhere."""
        fields = request.fields
        if "convergent_encryption" in fields:
            raise BadRequestError("import cannot be used on keys with convergent encryption enabled")
        rotation = period(fields.duration("auto_rotate_period"))
        if rotation and not fields.boolean("allow_rotation"):
            raise BadRequestError("allow_rotation must be set to true if auto-rotation is enabled")
        policy = Policy(
            name=request.args["name"],
            type=_imported_type(fields.text("type") or DEFAULT),
            derived=fields.boolean("derived"),
            exportable=fields.boolean("exportable"),
            allow_plaintext_backup=fields.boolean("allow_plaintext_backup"),
            auto_rotate_period=rotation,
            imported=True,
            allow_imported_rotation=fields.boolean("allow_rotation"),
        )
        if await self.keyring.find(policy.name) is not None:
            raise BadRequestError(
                "the import path cannot be used with an existing key; use import-version to rotate an existing imported key"
            )
        require_possible(policy)
        version = await self._material(policy, request, "error importing key: ")
        if policy.type.family is Family.HMAC:
            policy = replace(policy, key_size=len(version.private))
        async with self.keyring.lock(policy.name):
            if await self.keyring.load(policy.name) is not None:
                raise BadRequestError("the import path cannot be used with an existing key")
            await self.saved(policy.with_version(version))

    @route("keys/{name}/import_version", Operation.UPDATE)
    async def import_key_version(self, request: Request) -> None:
        """Add a version to an imported key, or the private part to a version that has none."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError(f"no key found with name {name}; to import a new key, use the import/ endpoint")
            if not policy.imported:
                raise BadRequestError("the import_version endpoint can only be used with an imported key")
            version = await self._material(policy, request)
            policy.require_usable()
            number = request.fields.integer("version") if "version" in request.fields else None
            await self.saved(_with_import(policy, version, number))

    async def _material(self, policy: Policy, request: Request, context: str = "") -> KeyVersion:
        fields = request.fields
        is_private = "ciphertext" in fields
        if is_private and "public_key" in fields:
            raise BadRequestError("only one of the following fields, ciphertext and public_key, can be set")
        if is_private:
            wrapped = decode(fields.text("ciphertext"))
            key = unwrap(await wrapping_key(self.mount.view), wrapped, fields.text("hash_function", "SHA256"))
        elif not policy.type.is_pkcs8:
            raise BadRequestError("provided type does not support public_key import")
        elif policy.derived:
            raise BadRequestError(f"{context}unable to import only public key for derived Ed25519 key")
        else:
            key = fields.text("public_key").encode()
        try:
            now = self.mount.clock.time()
            return await asyncio.to_thread(imported, policy.type, self.backend, now, key, is_private=is_private)
        except BadRequestError as error:
            raise BadRequestError(context + error.errors[0]) from None

    @route("export/{kind}/{name}", Operation.READ)
    @route("export/{kind}/{name}/{version}", Operation.READ)
    async def export_key(self, request: Request) -> Response:
        """The versions of an exportable key, or public keys."""
        kind, form = request.args["kind"], request.fields.text("format")
        if kind not in EXPORTS:
            raise BadRequestError(f"invalid export type: {kind}")
        if form not in FORMATS:
            raise BadRequestError(f"invalid format: {form}")
        policy = await self.keyring.find(request.args["name"])
        if policy is None:
            raise NotFoundError
        if not policy.exportable and kind not in {"public-key", "certificate-chain"}:
            raise BadRequestError("private key material is not exportable")
        policy.require_usable()
        _require_export(policy.type, kind)
        versions = _versions(policy, request.args.get("version", ""))
        return _keys(policy, {number: exported(policy, version, kind, form) for number, version in versions.items()})

    @route("byok-export/{destination}/{source}", Operation.READ)
    @route("byok-export/{destination}/{source}/{version}", Operation.READ)
    async def export_wrapped_key(self, request: Request) -> Response:
        """The versions of an exportable key, wrapped under an RSA key of this mount (another vault's wrapping key)."""
        destination = await self.require(request.args["destination"], "no such destination key to export to")
        source = await self.require(request.args["source"], "no such source key for export")
        if not source.exportable:
            raise BadRequestError("key is not exportable")
        source.require_usable()
        destination.require_usable()
        versions = _versions(source, request.args.get("version", ""))
        if not destination.type.signs:
            raise BadRequestError(f"key wrapping (requiring message signing) is not supported for key type {destination.type}")
        if destination.type.family is not Family.RSA:
            raise BadRequestError("unsupported key type in use; must be a rsa key")
        public = destination.version(destination.latest_version).public_key
        assert isinstance(public, RSAPublicKey)
        hash_name = request.fields.text("hash", "SHA256")
        if not all(version.private for version in versions.values()):
            raise BadRequestError("a key version that has no private part cannot be exported")
        return _keys(source, {number: encode(wrap(public, version.private, hash_name)) for number, version in versions.items()})

    @route("backup/{name}", Operation.READ)
    async def back_up_key(self, request: Request) -> Response:
        """All of a key in the plain, in Vault's form."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError(f'key "{name}" not found')
            policy.require_usable()
            if not policy.exportable:
                raise BadRequestError("exporting is disallowed on the policy")
            if not policy.allow_plaintext_backup:
                raise BadRequestError("plaintext backup is disallowed on the policy")
            event = Event(self.mount.clock.time(), policy.latest_version)
            policy = await self.saved(replace(policy, backed_up=event))
        return Response(data={"backup": to_backup(policy)})

    @route("restore", Operation.UPDATE)
    @route("restore/{name}", Operation.UPDATE)
    async def restore_key(self, request: Request) -> None:
        """Make a key from a backup of Vault, OpenBao or this engine; `force` replaces one that is there."""
        fields = request.fields
        backup = fields.text("backup")
        if not backup:
            raise BadRequestError("'backup' must be supplied")
        name = request.args.get("name") or fields.text("name")
        if "/" in name:
            raise BadRequestError("key names cannot be paths")
        policy = await asyncio.to_thread(from_backup, backup, self.backend, name)  # checking RSA keys takes a while
        policy = replace(policy, restored=Event(self.mount.clock.time(), policy.latest_version))
        async with self.keyring.lock(policy.name):
            if not fields.boolean("force") and await self.keyring.load(policy.name) is not None:
                raise BadRequestError(f'key "{policy.name}" already exists')
            await self.saved(policy)

    @route("derive-key/{name}", Operation.UPDATE)
    async def derive_key(self, request: Request) -> None:
        """Make a symmetric key from an ECDSA key of this mount and another party's public key."""
        fields = request.fields
        algorithm = fields.text("key_derivation_algorithm", "ecdh")
        if algorithm != "ecdh":
            raise BadRequestError(f"key derivation algorithm {algorithm} not supported")
        peer = fields.required("peer_public_key", "peer public key not provided")
        kind = key_type(fields.text("derived_key_type", DEFAULT).lower())
        if kind.family is not Family.AEAD:
            raise BadRequestError(f"unknown key type {kind}")
        base_name = fields.text("base_key_name")
        base = await self.require(base_name, "specified base key not found") if base_name else None
        if base is None:
            raise BadRequestError("specified base key not found")
        if base.type.family is not Family.ECDSA:
            raise BadRequestError(f"base key type {base.type} does not support key agreement")
        base.require_usable()
        number = _base_version(base, fields.integer("base_key_version"))
        key = agree(base, base.version(number), peer, kind.size)
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name) or Policy(name=name, type=kind, imported=True)
            if policy.type is not kind:
                raise BadRequestError(f"error importing key: the key {name} is of type {policy.type}")
            await self.saved(policy.with_version(imported(kind, self.backend, self.mount.clock.time(), key, is_private=True)))


def _imported_type(name: str) -> KeyType:
    try:
        return key_type(name.lower())
    except BadRequestError:
        raise BadRequestError(f"unknown key type: {name}") from None


def _with_import(policy: Policy, version: KeyVersion, number: int | None) -> Policy:
    if number is None:
        number = policy.latest_version
        latest = policy.version(number)
        if latest.private or not version.private or latest.public != version.public:
            return policy.with_version(version)
    known = policy.version(number)
    if not policy.type.is_pkcs8:
        raise BadRequestError("provided type does not support importing key versions")
    if known.private:
        raise BadRequestError("private key imported, key version cannot be updated")
    if not version.private:
        raise BadRequestError("cannot add a public key to a key version that already has a public key set")
    if known.public != version.public:
        raise BadRequestError("cannot import key, key pair does not match")
    completed = replace(known, private=version.private)
    return replace(policy, versions={**policy.versions, number: completed})


def _require_export(kind: KeyType, what: str) -> None:
    if what == "encryption-key" and not kind.encrypts:
        raise BadRequestError("encryption not supported for the key")
    if what == "signing-key" and not kind.signs:
        raise BadRequestError("signing not supported for the key")
    if what == "certificate-chain" and not kind.signs:
        raise BadRequestError("certificate chain not supported for keys that do not support signing")


def _versions(policy: Policy, wanted: str) -> dict[int, KeyVersion]:
    if not wanted:
        return policy.usable
    digits = str(policy.latest_version) if wanted == "latest" else wanted.removeprefix("v")
    if not re.fullmatch(r"[0-9]{1,18}", digits):
        raise BadRequestError("invalid key version")
    number = int(digits)
    if number < policy.min_decryption_version:
        raise BadRequestError("version for export is below minimum decryption version")
    if number not in policy.versions:
        raise BadRequestError("version does not exist or cannot be found")
    return {number: policy.versions[number]}


def _base_version(base: Policy, number: int) -> int:
    if number < 0:
        raise BadRequestError("requested version of the base key is negative")
    if number > base.latest_version:
        raise BadRequestError("requested version of the base key is higher than the latest key version")
    return number or base.latest_version


def _keys(policy: Policy, texts: dict[int, str]) -> Response:
    data: dict[str, Any] = {"name": policy.name, "type": policy.type.name}
    return Response(data=data | {"keys": {str(number): text for number, text in texts.items()}})
