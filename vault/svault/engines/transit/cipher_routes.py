"""`encrypt`, `decrypt`, `rewrap` and `datakey`. Source: Vault's API page of the transit engine."""

import os
from typing import Any

from svault.engines.transit import batches, ciphers
from svault.engines.transit.base import TransitBase
from svault.engines.transit.batches import Item
from svault.engines.transit.creation import created
from svault.engines.transit.encoding import decode, encode
from svault.engines.transit.keytypes import Family, key_type
from svault.engines.transit.policies import Policy
from svault.errors import BadRequestError
from svault.logical import Fields, Operation, Request, Response, route

KEYS_CONFIG = "config/keys"
_DATAKEY_BITS = (128, 256, 512)


class CipherRoutes(TransitBase):
    """Encryption with named keys."""

    @route("encrypt/{name}", Operation.CREATE, Operation.UPDATE, pure=True)
    async def encrypt(self, request: Request) -> Response:
        """Encrypt a text or a batch; a missing key is created when the request may create it."""
        fields = request.fields
        items = batches.read_items(request, "plaintext")
        if items is None:
            if "plaintext" not in fields:
                raise BadRequestError("missing plaintext to encrypt")
            single = _single(fields, "plaintext")
            policy = await self._key_to_encrypt(request, has_context=bool(single["context"]))
            return Response(data=self._encrypted(policy, 0, single))
        batches.require_same_contexts(items)
        policy = await self._key_to_encrypt(request, has_context=bool(items[0].get("context")))
        results = await batches.each(items, lambda index, item: self._encrypted(policy, index, item), {})
        return batches.answer(fields, results)

    @route("decrypt/{name}", Operation.UPDATE, pure=True)
    async def decrypt(self, request: Request) -> Response:
        """Decrypt a ciphertext or a batch."""
        fields = request.fields
        items = batches.read_items(request, "ciphertext")
        if items is None:
            single = _single(fields, "ciphertext")
            if not single["ciphertext"]:
                raise BadRequestError("missing ciphertext to decrypt")
            policy = await self.require(request.args["name"])
            return Response(data={"plaintext": encode(self._decrypted(policy, 0, single))})
        batches.require_same_contexts(items)
        policy = await self.require(request.args["name"])
        results = await batches.each(
            items, lambda index, item: {"plaintext": encode(self._decrypted(policy, index, item))}, {"plaintext": ""}
        )
        return batches.answer(fields, results)

    @route("rewrap/{name}", Operation.UPDATE, pure=True)
    async def rewrap(self, request: Request) -> Response:
        """Encrypt again with the latest version; the text does not leave the vault."""
        items = batches.read_items(request)
        single = _single(request.fields, "ciphertext") if items is None else None
        if single is not None and not single["ciphertext"]:
            raise BadRequestError("missing ciphertext to decrypt")
        batches.require_same_contexts(items or ())
        policy = await self.require(request.args["name"])

        def rewrapped(index: int, item: Item) -> dict[str, Any]:
            item = {**item, "associated_data": ""}
            return self._encrypted(policy, index, {**item, "plaintext": encode(self._decrypted(policy, index, item))})

        if single is not None:
            return Response(data=rewrapped(0, single))
        return Response(data={"batch_results": await batches.each(items or (), rewrapped, {})})

    @route("datakey/{kind}/{name}", Operation.UPDATE, pure=True)
    async def data_key(self, request: Request) -> Response:
        """A fresh key, encrypted, and in the plain when asked for."""
        fields = request.fields
        if request.args["kind"] not in {"plaintext", "wrapped"}:
            raise BadRequestError("Invalid path, must be 'plaintext' or 'wrapped'")
        context = fields.base64("context", "failed to base64-decode context")
        policy = await self.require(request.args["name"])
        bits = fields.integer("bits", 256)
        if bits not in _DATAKEY_BITS:
            raise BadRequestError("invalid bit length")
        aad = _associated_data(policy, 0, fields.text("associated_data"))
        key = os.urandom(bits // 8)
        ciphertext, number = ciphers.encrypt(policy, self.backend, key, context, aad, fields.integer("key_version"))
        data: dict[str, Any] = {"ciphertext": ciphertext, "key_version": number}
        if request.args["kind"] == "plaintext":
            data["plaintext"] = encode(key)
        return Response(data=data)

    async def exists(self, request: Request) -> bool | None:
        """Whether the key of `encrypt/` is there; for other paths it makes no difference."""
        folder, _, name = request.path.partition("/")
        if folder != "encrypt":
            return None
        return await self.keyring.find(name.removesuffix("/")) is not None

    async def _key_to_encrypt(self, request: Request, *, has_context: bool) -> Policy:
        name = request.args["name"]
        policy = await self.keyring.find(name)
        if policy is not None:
            return policy
        if request.operation is not Operation.CREATE:
            raise BadRequestError("encryption key not found")
        fields = request.fields
        convergent = fields.boolean("convergent_encryption")
        if convergent and not has_context:
            raise BadRequestError("convergent encryption requires derivation to be enabled, so context is required")
        kind = key_type(fields.text("type") or "aes256-gcm96")
        if kind.family is Family.ECDSA:
            raise BadRequestError(f"key type {kind} not supported for this operation")
        if not kind.authenticates_data:
            raise BadRequestError(f"unknown key type {kind}")
        if ((await self.mount.view.read(KEYS_CONFIG)) or {}).get("disable_upsert"):
            raise BadRequestError("encryption key not found")
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                wanted = Policy(name=name, type=kind, derived=has_context, convergent=convergent)
                policy = await self.saved(await created(wanted, self.backend, self.mount.clock.time()))
        return policy

    def _encrypted(self, policy: Policy, index: int, item: Item) -> dict[str, Any]:
        plaintext = decode(item["plaintext"])
        context = decode(item.get("context", ""))
        aad = _associated_data(policy, index, item.get("associated_data", ""))
        ciphertext, number = ciphers.encrypt(policy, self.backend, plaintext, context, aad, item["key_version"])
        return {"ciphertext": ciphertext, "key_version": number}

    def _decrypted(self, policy: Policy, index: int, item: Item) -> bytes:
        if not item.get("ciphertext"):
            raise BadRequestError("missing ciphertext to decrypt")
        context = decode(item.get("context", ""))
        aad = _associated_data(policy, index, item.get("associated_data", ""))
        return ciphers.decrypt(policy, self.backend, item["ciphertext"], context, aad)


def _single(fields: Fields, main: str) -> Item:
    """The fields of a request without a batch, as an item."""
    return {
        main: fields.text(main),
        "context": fields.text("context"),
        "associated_data": fields.text("associated_data"),
        "key_version": fields.integer("key_version"),
    }


def _associated_data(policy: Policy, index: int, text: str) -> bytes:
    if not text:
        return b""
    if not policy.type.authenticates_data:
        raise BadRequestError(f"'[{index}].associated_data' provided for non-AEAD cipher suite {policy.type}")
    return decode(text, "unable to get associated_data/additional_data from factory[0]: ")
