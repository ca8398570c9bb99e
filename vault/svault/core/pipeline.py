"""The way of a request through an unsealed vault: authenticate, authorise, audit, do, register, wrap, audit, answer."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from svault.audit.entry import AuditAuth, AuditMount, AuditRecord
from svault.auth.login import login
from svault.auth.token.entry import WRAPPING, Token
from svault.core.authorize import audit_auth, identity_of
from svault.core.call import Answer, Call
from svault.core.lifetimes import register_lease
from svault.core.mounts import Mounted
from svault.errors import (
    BadRequestError,
    InternalError,
    NoHandlerError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedMediaTypeError,
    UnsupportedOperationError,
    VaultError,
)
from svault.logical.help import help_of
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import Route

if TYPE_CHECKING:
    from svault.core.active import Active
    from svault.core.core import Core

MERGE_PATCH = "application/merge-patch+json"
_DENIED = "1 error occurred:\n\t* permission denied\n\n"


class Pipeline:
    """Handles every call that needs an unsealed vault. Raises VaultErrors."""

    def __init__(self, core: "Core") -> None:
        self._core = core

    async def handle(self, call: Call) -> Answer:
        """Answer a call."""
        active = self._core.running()
        active.begin()
        try:
            return await self._handle(active, call)
        finally:
            active.end()

    async def _handle(self, active: "Active", call: Call) -> Answer:
        if call.headers.get("x-vault-namespace", "").strip("/") not in {"", "root"}:
            raise BadRequestError("there are no namespaces here: leave out the header X-Vault-Namespace")
        operation = call.operation
        if operation is None:
            raise UnsupportedOperationError
        if operation == Operation.PATCH and call.content_type.partition(";")[0].strip() != MERGE_PATCH:
            sent = call.content_type or "none"
            raise UnsupportedMediaTypeError(f"PATCH requires Content-Type of {MERGE_PATCH}, provided {sent[:100]}")
        if call.path.endswith("/") and operation != Operation.LIST:
            # Another spelling of a path must not be another path to the policies.
            if operation != Operation.READ:
                raise BadRequestError("cannot write to a path ending in '/'")
            call.path = call.path.rstrip("/")
        mounted = active.mounts.find(call.path)
        request = request_of(call, operation, mounted)
        if request.found is not None and request.found[0].is_public:
            assert mounted is not None
            return await self._unauthenticated(active, call, request, mounted)
        token = await active.tokens.find(call.token)
        record = AuditRecord(request, call.path, mount=audit_mount(mounted), remote_port=call.remote_port)
        if token is None:
            await self._refused(active, record, "permission denied")
            raise PermissionDeniedError
        request.identity = identity_of(token)
        try:
            grant = await active.authorizer.grant(request, call.path, mounted, token)
            record.auth = audit_auth(call.token, token, grant)
            if grant.is_allowed and token.uses:
                await active.tokens.use(token)
        except VaultError as error:
            await self._refused(active, record, error.message)
            raise
        if not grant.is_allowed:
            await self._refused(active, record, "permission denied")
            raise PermissionDeniedError(_DENIED)
        try:
            return await self._do(active, call, record, mounted, token)
        finally:
            if token.uses < 0:
                await active.tokens.revoke(token)

    async def _refused(self, active: "Active", record: AuditRecord, why: str) -> None:
        record.error = why
        self._core.metrics.denied.inc()
        await active.audit.log_request(record)
        await active.audit.log_response(record)

    async def _unauthenticated(self, active: "Active", call: Call, request: Request, mounted: Mounted) -> Answer:
        token = await active.tokens.find(call.token) if call.token else None
        record = AuditRecord(request, call.path, AuditAuth(allowed=True), audit_mount(mounted), call.remote_port)
        if token is not None:
            request.identity = identity_of(token)
            record.auth = AuditAuth(
                client_token=call.token, accessor=token.accessor, display_name=token.display_name, allowed=True
            )
        return await self._do(active, call, record, mounted, token)

    async def _do(
        self, active: "Active", call: Call, record: AuditRecord, mounted: Mounted | None, token: Token | None
    ) -> Answer:
        request = record.request
        # Where nothing changes, the request's entry need not come before what is done: both are written before the answer.
        is_pure = is_pure_request(request)
        if is_pure:
            record.began = self._core.clock.time()
        else:
            await active.audit.log_request(record)
        log = active.audit.log_both if is_pure else active.audit.log_response
        try:
            response = await self._routed(active, call, request, mounted, token)
        except VaultError as error:
            record.error = error.message
            await log(record)
            raise
        except Exception:
            record.error = "internal error"
            await log(record)
            raise
        finally:
            # What was written down but not activated by an answer did not happen, or only half.
            for lease in active.intended.pop(request.id, ()):
                await active.leases.abandon(lease)
        record.response = response
        await log(record)
        return answer_of(response, request)

    async def _routed(
        self, active: "Active", call: Call, request: Request, mounted: Mounted | None, token: Token | None
    ) -> Response:
        if mounted is None or mounted.entry.is_tainted:
            raise NoHandlerError(call.path)
        if mounted.failure:
            raise InternalError(mounted.failure)
        if token is not None and token.policies == [WRAPPING] and call.path == "cubbyhole/response":
            # The way of old clients to what was wrapped.
            return Response({"response": json.dumps(await active.wrapping.unwrap(request.token))}, envelope={})
        if request.operation == Operation.READ and "help" in request.data:
            return Response(raw=json.dumps(help_of(mounted.engine, request.path)).encode())
        with mounted.in_use():
            found = await mounted.engine.handle(request)
            if found is None:
                if request.operation in {Operation.READ, Operation.LIST}:
                    raise NotFoundError
                return Response(status=204)
            return await self._completed(active, call, request, mounted, found, token)

    async def _completed(
        self, active: "Active", call: Call, request: Request, mounted: Mounted, found: Response, token: Token | None
    ) -> Response:
        """Register what an engine's answer brings: a lease, a login; and wrap it when that was asked for."""
        envelope: dict[str, Any] = found.envelope or {}
        if found.lease is not None:
            envelope |= await register_lease(active, request, mounted, found, token)
        if found.auth is not None:
            envelope["auth"] = await login(active, request, mounted, found.auth, found.warnings)
        found.envelope = envelope
        if request.wrap_ttl and found.raw is None and found.status < 400 and "wrap_info" not in envelope:
            if token is None and found.auth is None:
                raise BadRequestError("only the answer to a token or to a login can be wrapped")  # it is stored for whoever asks
            found = await self._wrapped(active, call, request, found)
        return found

    async def _wrapped(self, active: "Active", call: Call, request: Request, response: Response) -> Response:
        auth = (response.envelope or {}).get("auth") or {}
        accessor = auth.get("accessor") or (response.data or {}).get("secret_id_accessor", "")
        info = await active.wrapping.wrap(body_of(response, request), request.wrap_ttl, call.path, accessor)
        return Response(envelope={"request_id": "", "wrap_info": info})


def is_pure_request(request: Request) -> bool:
    """Whether answering changes nothing, here or elsewhere."""
    found = request.found
    return found is not None and found[0].is_pure and not request.wrap_ttl and request.operation is not Operation.CREATE


def request_of(call: Call, operation: Operation, mounted: Mounted | None) -> Request:
    """The request that a call is to the engine of its mount."""
    mount_path = mounted.entry.path if mounted else ""
    path = call.path[len(mount_path) :]
    return Request(
        operation,
        path,
        call.data,
        id=_request_id(),
        mount_path=mount_path,
        remote_address=call.remote_address,
        headers=call.headers,
        token=call.token,
        wrap_ttl=call.wrap_ttl,
        content_type=call.content_type,
        client_certificate=call.client_certificate,
        found=_found(mounted, operation, path),
    )


def _found(mounted: Mounted | None, operation: Operation, path: str) -> tuple[Route, str, dict[str, str]] | None:
    try:
        return None if mounted is None else mounted.engine.routes.find(operation, path)
    except VaultError:  # refused by whoever handles it, once it is known who asks
        return None


def _request_id() -> str:
    """16 random bytes in the form of a UUID, as Vault's."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def audit_mount(mounted: Mounted | None) -> AuditMount | None:
    """What the audit says of a mount."""
    if mounted is None:
        return None
    entry = mounted.entry
    return AuditMount(
        entry.path,
        entry.kind,
        entry.accessor,
        "auth" if entry.is_auth else "secret",
        frozenset(entry.request_keys),
        frozenset(entry.response_keys),
    )


def body_of(response: Response, request: Request) -> dict[str, Any]:
    """The JSON body that a response becomes."""
    body: dict[str, Any] = {
        "request_id": request.id,
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": response.data,
        "wrap_info": None,
        "warnings": response.warnings or None,
        "auth": None,
        **(response.envelope or {}),
    }
    if response.is_flat and response.data:
        return {**_unshadowed(response.data), **body}
    return body


def _unshadowed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "data"}


def answer_of(response: Response, request: Request) -> Answer:
    if response.raw is not None:
        return Answer(response.status or (200 if response.raw else 204), raw=response.raw, content_type=response.content_type)
    if response.data is None and not response.envelope and not response.warnings:
        return Answer(response.status or 204)
    return Answer(response.status or 200, body_of(response, request))
