"""`hash` and `random`: what needs no key. Source: Vault's API page of the transit engine."""

import os
import re

from svault.engines.transit.base import TransitBase
from svault.engines.transit.digests import DEFAULT, DIGESTS, digest
from svault.engines.transit.encoding import decode, encode
from svault.errors import BadRequestError
from svault.logical import Operation, Request, Response, route

_SOURCES = ("platform", "seal", "all")
_MOST_BYTES = 128 * 1024


class StatelessRoutes(TransitBase):
    """Hashes and random bytes."""

    @route("hash", Operation.UPDATE, pure=True)
    @route("hash/{algorithm:[\\w-]+}", Operation.UPDATE, pure=True)
    async def hash(self, request: Request) -> Response:
        """The hash of an input."""
        fields = request.fields
        if "input" not in fields:
            raise BadRequestError("input missing")
        data = decode(fields.text("input"), "unable to decode input as base64: ")
        form = _format(fields.text("format", "hex"), 'unsupported encoding format {}; must be "hex" or "base64"')
        algorithm = request.args.get("algorithm") or fields.text("algorithm", DEFAULT)
        if algorithm not in DIGESTS or algorithm == "sha1":
            raise BadRequestError(f"unsupported algorithm {algorithm}")
        result = digest(algorithm, data)
        return Response(data={"sum": result.hex() if form == "hex" else encode(result)})

    @route("random", Operation.UPDATE, pure=True)
    @route("random/{source}", Operation.UPDATE, pure=True)
    @route("random/{source}/{count}", Operation.UPDATE, pure=True)
    async def random(self, request: Request) -> Response:
        """Random bytes from the operating system."""
        fields = request.fields
        source, count = request.args.get("source", ""), request.args.get("count", "")
        if source and not count and source not in _SOURCES:
            source, count = "", source
        number = _count(count) if count else fields.integer("bytes", 32)
        if number < 1:
            raise BadRequestError("'bytes' cannot be less than 1")
        if number > _MOST_BYTES:
            raise BadRequestError(f"'bytes' should be less than {_MOST_BYTES}")
        form = _format(fields.text("format", "base64"), 'unsupported encoding format "{}"; must be "hex" or "base64"')
        if source and source not in _SOURCES:
            raise BadRequestError(f'unsupported entropy source "{source}"; must be "platform" or "seal", or "all"')
        result = os.urandom(number)
        response = Response(data={"random_bytes": result.hex() if form == "hex" else encode(result)})
        if source not in {"", "platform"}:
            response.warnings.append("no seal/entropy augmentation available, using platform entropy source")
        return response


def _count(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise BadRequestError(f'error parsing url-set byte count: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _format(form: str, refusal: str) -> str:
    if form not in {"hex", "base64"}:
        raise BadRequestError(refusal.format(form))
    return form
