"""`sys/tools`: random bytes and hashes. Source: Vault's API page of the same name."""

import base64
import hashlib
import os

from svault.errors import BadRequestError
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart

MAX_RANDOM_BYTES = 128 * 1024
_HASHES = {
    "sha2-224": "sha224",
    "sha2-256": "sha256",
    "sha2-384": "sha384",
    "sha2-512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}


class ToolPaths(SystemPart):
    """What needs no key."""

    @route("tools/random/{source:platform|seal|all}/{bytes:[0-9]+}", Operation.UPDATE)
    @route("tools/random/{source:platform|seal|all}", Operation.UPDATE)
    @route("tools/random/{bytes:[0-9]+}", Operation.UPDATE)
    @route("tools/random", Operation.UPDATE)
    async def random(self, request: Request) -> Response:
        """Random bytes of this machine."""
        fields = request.fields
        count = int(request.args.get("bytes") or fields.integer("bytes", 32))
        if not 1 <= count <= MAX_RANDOM_BYTES:
            raise BadRequestError(
                "'bytes' cannot be less than 1" if count < 1 else f"'bytes' should be less than {MAX_RANDOM_BYTES}"
            )
        value, form = os.urandom(count), fields.text("format", "base64")
        if form not in {"hex", "base64"}:
            raise BadRequestError('unsupported encoding format; must be "hex" or "base64"')
        return Response({"random_bytes": value.hex() if form == "hex" else base64.b64encode(value).decode()})

    @route("tools/hash/{algorithm:[a-z0-9-]+}", Operation.UPDATE)
    @route("tools/hash", Operation.UPDATE)
    async def hash(self, request: Request) -> Response:
        """The digest of bytes in base64."""
        fields = request.fields
        algorithm = request.args.get("algorithm") or fields.text("algorithm", "sha2-256")
        value, form = fields.base64("input", "unable to decode input as base64"), fields.text("format", "hex")
        if algorithm not in _HASHES:
            raise BadRequestError(f"unsupported algorithm {algorithm}")
        if form not in {"hex", "base64"}:
            raise BadRequestError('unsupported encoding format; must be "hex" or "base64"')
        digest = hashlib.new(_HASHES[algorithm], value).digest()
        return Response({"sum": digest.hex() if form == "hex" else base64.b64encode(digest).decode()})
