"""Where a forwarded request came from: what a standby tells the active server, signed with a key that only unsealed servers have.

Bound networks, Cedar policies and the audit go by the client's address and certificate; neither is believed of anybody else.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

from svault.core.call import Call
from svault.core.core import Core
from svault.errors import SealedError

HEADER = "x-svault-forwarded"
VALID_SECONDS = 60.0


def _key(core: Core) -> bytes:
    return hmac.digest(core.barrier.root_key, b"svault forwarded origin", hashlib.sha256)


def signed(core: Core, call: Call) -> str:
    """The header that tells where a call came from, for this call alone."""
    certificate = base64.b64encode(call.client_certificate).decode() if call.client_certificate else None
    told = [call.method, call.path, core.clock.time(), call.remote_address, call.remote_port, certificate]
    body = base64.urlsafe_b64encode(json.dumps(told).encode())
    return f"{body.decode()}.{hmac.digest(_key(core), body, hashlib.sha256).hex()}"


def with_origin(core: Core, call: Call) -> Call:
    """The call as its client sent it; a header that no server of this vault signed is dropped."""
    text = call.headers.get(HEADER)
    if text is None:
        return call
    headers = {name: value for name, value in call.headers.items() if name != HEADER}
    told = _verified(core, call, text)
    if told is None:
        return replace(call, headers=headers)
    address, port, certificate = told
    return replace(
        call, headers={**headers, HEADER: "1"}, remote_address=address, remote_port=port, client_certificate=certificate
    )


def _verified(core: Core, call: Call, text: str) -> tuple[str, int, bytes | None] | None:
    body, _, signature = text.partition(".")
    try:
        if not hmac.compare_digest(hmac.digest(_key(core), body.encode(), hashlib.sha256).hex().encode(), signature.encode()):
            return None
        method, path, time, address, port, certificate = told(body)
    except (SealedError, ValueError, binascii.Error):
        return None
    if (method, path) != (call.method, call.path) or abs(core.clock.time() - time) > VALID_SECONDS:
        return None
    return address, port, base64.b64decode(certificate) if certificate else None


def told(body: str) -> list[Any]:
    """What a header's body holds. Raises ValueError."""
    found: list[Any] = json.loads(base64.urlsafe_b64decode(body))
    return found
