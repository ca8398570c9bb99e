"""`sign`, `verify` and `hmac`. Source: Vault's API page of the transit engine."""

import hmac
import re
from collections.abc import Sequence
from typing import Any

from svault.engines.transit import batches, signatures
from svault.engines.transit.base import TransitBase
from svault.engines.transit.batches import Item
from svault.engines.transit.digests import DEFAULT, DIGESTS, NONE, hashlib_name
from svault.engines.transit.encoding import decode, encode, parse_versioned, versioned
from svault.engines.transit.policies import Policy
from svault.engines.transit.signatures import AS_HASH, AUTO, Options
from svault.errors import BadRequestError
from svault.logical import Fields, Operation, Request, Response, route

_ALGORITHM = "{algorithm:[\\w-]+}"


class SigningRoutes(TransitBase):
    """Signatures and message authentication codes with named keys."""

    @route("sign/{name}", Operation.UPDATE, pure=True)
    @route(f"sign/{{name}}/{_ALGORITHM}", Operation.UPDATE, pure=True)
    async def sign(self, request: Request) -> Response:
        """Sign an input or a batch."""
        fields = request.fields
        options = _options(request)
        policy = await self.require(request.args["name"], "signing key not found")
        _require_signing(policy, options, "signing")
        number = fields.integer("key_version")

        def signed(_: int, item: Item) -> dict[str, Any]:
            message, context = _message(item), _context(item)
            signature, used, public = signatures.sign(policy, self.backend, message, context, options, number)
            return {"signature": signature, "key_version": used, **({"publickey": encode(public)} if public else {})}

        items = batches.read_items(request)
        if items is not None:
            return Response(data={"batch_results": await batches.each(items, signed, {"key_version": 0})})
        data = signed(0, {"input": fields.text("input"), "context": fields.text("context")})
        if "publickey" in data:
            data["public_key"] = data.pop("publickey")
        return Response(data=data)

    @route("verify/{name}", Operation.UPDATE, pure=True)
    @route(f"verify/{{name}}/{_ALGORITHM}", Operation.UPDATE, pure=True)
    async def verify(self, request: Request) -> Response:
        """Verify a signature, an HMAC, or a batch of either."""
        fields = request.fields
        items = batches.read_items(request)
        single: Item = {
            "input": fields.text("input"),
            "context": fields.text("context"),
            **{name: fields.text(name) for name in ("signature", "hmac") if name in fields},
        }
        if _what_to_verify(items, single) == "hmac":
            return await self._verify_hmacs(request, items, single)
        options = _options(request)
        policy = await self.require(request.args["name"], "signature verification key not found")
        _require_signing(policy, options, "verification")

        def verified(_: int, item: Item) -> dict[str, Any]:
            message, context = _message(item), _context(item)
            return {"valid": signatures.verify(policy, self.backend, message, context, options, item["signature"])}

        if items is None:
            return Response(data=verified(0, single))
        return Response(data={"batch_results": await batches.each(items, verified, {"valid": False})})

    @route("hmac/{name}", Operation.UPDATE, pure=True)
    @route(f"hmac/{{name}}/{_ALGORITHM}", Operation.UPDATE, pure=True)
    async def hmac(self, request: Request) -> Response:
        """The HMAC of an input or a batch."""
        fields = request.fields
        policy = await self.require(request.args["name"])
        number = fields.integer("key_version") or policy.latest_version
        if policy.min_encryption_version and number < policy.min_encryption_version:
            raise BadRequestError("cannot generate HMAC: version is too old (disallowed by policy)")
        key = _hmac_key(policy, number)
        algorithm = _hmac_algorithm(request)

        def computed(_: int, item: Item) -> dict[str, Any]:
            message = _message(item, "missing input for HMAC")
            return {"hmac": versioned(number, encode(hmac.digest(key, message, algorithm)))}

        items = batches.read_items(request)
        if items is not None:
            return Response(data={"batch_results": await batches.each(items, computed, {})})
        if "input" not in fields:
            raise BadRequestError("missing input for HMAC")
        return Response(data=computed(0, {"input": fields.text("input")}))

    async def _verify_hmacs(self, request: Request, items: list[Item] | None, single: Item) -> Response:
        policy = await self.require(request.args["name"])
        algorithm = _hmac_algorithm(request)

        def verified(_: int, item: Item) -> dict[str, Any]:
            message = _message(item)
            number, encoded = parse_versioned(item["hmac"], "HMAC", "invalid HMAC to verify: no prefix")
            given = decode(encoded, "unable to decode verification HMAC as base64: ")
            if number > policy.latest_version:
                raise BadRequestError("invalid HMAC: version is too new")
            if number < policy.min_decryption_version:
                raise BadRequestError("cannot verify HMAC: version is too old (disallowed by policy)")
            expected = hmac.digest(_hmac_key(policy, number), message, algorithm)
            return {"valid": hmac.compare_digest(expected, given)}

        if items is None:
            return Response(data=verified(0, single))
        results = await batches.each(items, verified, {})
        for result in results:
            if result.get("valid") is False:  # Vault leaves it out of these
                del result["valid"]
        return Response(data={"batch_results": results})


def _message(item: Item, missing: str = "missing input") -> bytes:
    if "input" not in item:
        raise BadRequestError(missing)
    return decode(item["input"], "unable to decode input as base64: ")


def _context(item: Item) -> bytes:
    return Fields(item).base64("context", "failed to base64-decode context")


def _what_to_verify(items: Sequence[Item] | None, single: Item) -> str:
    """`signature` or `hmac`. Raises BadRequestError when that is not clear."""
    if items is None:
        if "signature" not in single and "hmac" not in single:
            raise BadRequestError("neither a 'signature' nor an 'hmac' were given to verify")
        return "signature" if "signature" in single else "hmac"
    given = {"signature" if "signature" in item else "hmac" if "hmac" in item else "" for item in items}
    if given == {""}:
        raise BadRequestError("no batch_input elements have 'signature' or 'hmac'")
    if {"signature", "hmac"} <= given:
        raise BadRequestError("elements of batch_input must all provide 'signature' or all provide 'hmac'")
    what = max(given)
    if "" in given:
        raise BadRequestError(f"some elements of batch_input are missing '{what}'")
    return what


def _options(request: Request) -> Options:
    fields = request.fields
    algorithm = request.args.get("algorithm") or fields.text("hash_algorithm") or fields.text("algorithm") or DEFAULT
    if algorithm not in DIGESTS and algorithm != NONE:
        raise BadRequestError(f'invalid hash algorithm "{algorithm}"')
    marshaling = fields.text("marshaling_algorithm") or "asn1"
    if marshaling not in {"asn1", "jws"}:
        raise BadRequestError(f'invalid marshaling type "{marshaling}"')
    return Options(
        hash=algorithm,
        marshaling=marshaling,
        algorithm=fields.text("signature_algorithm") or "pss",
        salt_length=_salt_length(fields.text("salt_length", "auto")),
        is_prehashed=fields.boolean("prehashed"),
    )


def _salt_length(text: str) -> int:
    named = {"auto": AUTO, "hash": AS_HASH}.get(text.lower())
    if named is not None:
        return named
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise BadRequestError(f"salt length neither 'auto', 'hash', nor an int: {text}")
    if int(text) < AS_HASH:
        raise BadRequestError(f"salt length is invalid: {int(text)}")
    return int(text)


def _require_signing(policy: Policy, options: Options, purpose: str) -> None:
    if not policy.type.signs:
        raise BadRequestError(f"key type {policy.type} does not support {purpose}")
    if options.hash == NONE and not (options.is_prehashed and options.algorithm == "pkcs1v15"):
        raise BadRequestError("hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15")


def _hmac_algorithm(request: Request) -> str:
    name = request.args.get("algorithm") or request.fields.text("algorithm", DEFAULT)
    if name not in DIGESTS:
        raise BadRequestError(f'unsupported algorithm "{name}"')
    return hashlib_name(name)


def _hmac_key(policy: Policy, number: int) -> bytes:
    policy.require_usable()
    if number < 0:
        raise BadRequestError("key version does not exist (cannot be negative)")
    if number > policy.latest_version:
        raise BadRequestError(f"key version does not exist; latest key version is {policy.latest_version}")
    key = policy.version(number).hmac_key
    if not key:
        raise BadRequestError("no HMAC key exists for that key version")
    return key
