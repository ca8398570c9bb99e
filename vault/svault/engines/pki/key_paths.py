"""`keys`, `key/:ref` and `config/keys`: make, import, name and remove private keys."""

from typing import Any

from svault.engines.pki.authorities import LOCK, missing_key, new_id
from svault.engines.pki.base import PkiPaths
from svault.engines.pki.certificates import key_identifier
from svault.engines.pki.failures import failure
from svault.engines.pki.key_types import generate, key_type_of, load_private, shown
from svault.engines.pki.names import is_reference
from svault.engines.pki.pem import SHORTEST, blocks
from svault.engines.pki.records import Key
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Operation, Request, Response, route

_TOO_SHORT = "provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file"


class KeyPaths(PkiPaths):
    """Private keys, by id or name. None is ever shown after it was made."""

    @route("keys", Operation.LIST)
    async def list_keys(self, request: Request) -> Response:
        """Their ids and names."""
        found = self.authorities.keys
        if not found:
            raise NotFoundError
        info = {key.id: {"is_default": key.id == self.authorities.default_key, "key_name": key.name} for key in found.values()}
        return Response(data={"keys": sorted(info), "key_info": info})

    @route("keys/generate/{exported:internal|exported}", Operation.UPDATE)
    async def generate_key(self, request: Request) -> Response:
        """Make a key."""
        values = request.fields
        try:
            kind = key_type_of(values.text("key_type", "rsa"), values.integer("key_bits"))
        except BadRequestError as reason:
            raise BadRequestError(f"Validation for key_type, key_bits failed: {reason}") from None
        private = await generate(kind)
        async with self.mount.view.lock(LOCK):
            name = self.authorities.check_key_name(values.text("key_name"))
            key = Key.of(new_id(), name, private)
            await self._store_key(key)
        data = {"key_id": key.id, "key_name": key.name, "key_type": key.type}
        if request.args["exported"] == "exported":
            data["private_key"] = shown(private, "pem", "der")
        return Response(data=data)

    @route("keys/import", Operation.UPDATE)
    async def import_key(self, request: Request) -> Response:
        """Take one key into the mount."""
        values = request.fields
        text = values.text("pem_bundle")
        if len(text) < SHORTEST:
            raise BadRequestError(_TOO_SHORT)
        parts = blocks(text)
        if len(parts) > 1:
            raise BadRequestError("only a single key can be present within the pem_bundle for importing")
        if not parts or not parts[0][0].endswith("PRIVATE KEY"):
            raise BadRequestError("failed to parse PEM block: it is not a private key")
        private = load_private(parts[0][1])
        async with self.mount.view.lock(LOCK):
            key = self.authorities.key_with(private.public_key())
            is_known = key is not None
            if key is None:
                key = Key.of(new_id(), self.authorities.check_key_name(values.text("key_name")), private)
                await self._store_key(key)
        warnings = ["Key already imported, use key/ endpoint to update name."] if is_known else []
        return Response(data={"key_id": key.id, "key_name": key.name, "key_type": key.type}, warnings=warnings)

    @route("key/{key}", Operation.READ)
    async def read_key(self, request: Request) -> Response:
        """A key's name, type and identifier."""
        key = self._key(request)
        identifier = key_identifier(self.authorities.private(key.id).public_key()).hex(":")
        return Response(data={"key_id": key.id, "key_name": key.name, "key_type": key.type, "subject_key_id": identifier})

    @route("key/{key}", Operation.UPDATE)
    async def rename_key(self, request: Request) -> Response:
        """Give a key another name, or none."""
        async with self.mount.view.lock(LOCK):
            key, name = self._key(request), request.fields.text("key_name")
            if name and not is_reference(name):
                raise BadRequestError("new key name outside of valid character limits")
            key = Key(key.id, self.authorities.check_key_name(name, key.id), key.type, key.pkcs8)
            await self.authorities.save(keys=[key])
        gone = f"Name successfully deleted, you will now need to reference this key by it's Id: {key.id}"
        return Response(data={"key_id": key.id, "key_name": key.name, "key_type": key.type}, warnings=[] if name else [gone])

    @route("key/{key}", Operation.DELETE)
    async def delete_key(self, request: Request) -> None:
        """Remove a key that no issuer uses; one that is not there is no error."""
        async with self.mount.view.lock(LOCK):
            key = self.authorities.find_key(request.args["key"])
            if key is None:
                return
            used = [issuer.id for issuer in self.authorities.issuers.values() if issuer.key_id == key.id]
            if used:
                raise BadRequestError(f"Failed to Delete Key.  Key in Use by Issuer: {', '.join(used)}")
            await self.authorities.save(gone=[key.id])

    @route("config/keys", Operation.READ)
    async def read_default_key(self, request: Request) -> Response:
        """The default key."""
        return Response(data={"default": self.authorities.default_key})

    @route("config/keys", Operation.UPDATE)
    async def write_default_key(self, request: Request) -> Response:
        """Choose the default key."""
        reference = request.fields.text("default")
        if not reference or reference == "default":
            raise BadRequestError("Invalid key specification; must be non-empty and can't be 'default'.")
        async with self.mount.view.lock(LOCK):
            key = self.authorities.find_key(reference)
            if key is None:
                raise BadRequestError(f"Error resolving issuer reference: {missing_key(reference)}")
            await self.authorities.save(default_key=key.id)
        return Response(data={"default": key.id})

    def _key(self, request: Request) -> Key:
        found = self.authorities.find_key(request.args["key"])
        if found is None:
            raise failure(missing_key(request.args["key"]))
        return found

    async def _store_key(self, key: Key) -> None:
        changes: dict[str, Any] = {} if self.authorities.default_key else {"default_key": key.id}
        await self.authorities.save(keys=[key], **changes)
