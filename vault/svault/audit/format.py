"""Audit entries as Vault writes them: one JSON object a line, string values as HMAC-SHA256 under the device's salt.

The members are those of Vault's audit log (https://developer.hashicorp.com/vault/docs/audit), in its order. Numbers, booleans and
names of keys stay readable, as in Vault.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from svault.audit.entry import AuditAuth, AuditRecord
from svault.audit.hashing import Hasher
from svault.audit.headers import RequestHeaders
from svault.logical.clock import rfc3339
from svault.logical.request import Operation, Response

_NAMESPACE = {"id": "root"}
_MAX_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Format:
    """Turns records into the lines of one device."""

    device: str
    hasher: Hasher
    headers: RequestHeaders
    prefix: str = ""
    elides_lists: bool = False
    _remembered: dict[str, tuple[AuditAuth, bytes]] = field(default_factory=dict, repr=False, compare=False)
    """The member `auth` by token: most requests of a token have the same."""

    def request(self, record: AuditRecord, now: float) -> bytes:
        """The request's entry, without the line break. Raises BadRequestError for a body that is nested too deeply."""
        auth, request = self._parts(record)
        return self._line(now, "request", auth, request, b"", record.error)

    def response(self, record: AuditRecord, now: float) -> bytes:
        """The response's entry, without the line break."""
        auth, request = self._parts(record)
        answered = (record.response.envelope or {}).get("auth") if record.response is not None else None
        made = self._answer_auth(answered, record.response) if answered else None
        if made is not None and not record.request.token:
            auth = _encode(made)
        response = _encode(self._response(record, made)) if record.response is not None or record.error else b""
        return self._line(now, "response", auth, request, response, record.error)

    def _line(self, now: float, kind: str, auth: bytes, request: bytes, response: bytes, error: str) -> bytes:
        start = f'{self.prefix}{{"time":"{rfc3339(now)}","type":"{kind}","auth":'.encode()
        response = b',"response":' + response if response else b""
        said = b',"error":' + _encode(error) if error else b""
        return b'%b%b,"request":%b%b%b}' % (start, auth, request, response, said)

    def _parts(self, record: AuditRecord) -> tuple[bytes, bytes]:
        """The members `auth` and `request`, which both entries of a record have."""
        known = record.encoded.get(self.device)
        if known is None:
            known = record.encoded[self.device] = self._encoded_auth(record.auth), _encode(self._request(record))
        return known

    def _encoded_auth(self, auth: AuditAuth) -> bytes:
        known = self._remembered.get(auth.client_token)
        if known is not None and known[0] == auth:
            return known[1]
        made = _encode(self._auth(auth))
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[auth.client_token] = auth, made
        return made

    def _auth(self, auth: AuditAuth) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if auth.client_token:
            found["client_token"] = self.hasher.token(auth.client_token)
        if auth.accessor:
            found["accessor"] = self.hasher.accessor(auth.accessor)
        for name, value in (
            ("display_name", auth.display_name),
            ("policies", auth.policies),
            ("token_policies", auth.token_policies),
            ("identity_policies", auth.identity_policies),
        ):
            if value:
                found[name] = value if isinstance(value, str) else list(value)
        if auth.allowed is not None:
            results: dict[str, Any] = {"allowed": auth.allowed}
            if auth.granting_policies:
                results["granting_policies"] = [
                    {"name": policy.name, "namespace_id": "root", "type": policy.kind} for policy in auth.granting_policies
                ]
            if auth.reason:
                results["reason"] = auth.reason
            found["policy_results"] = results
        if auth.remaining_uses:
            found["remaining_uses"] = auth.remaining_uses
        if auth.metadata:
            found["metadata"] = dict(auth.metadata)
        if auth.entity_id:
            found["entity_id"] = auth.entity_id
        found["token_type"] = auth.token_type
        if auth.token_ttl:
            found["token_ttl"] = auth.token_ttl
        if auth.token_issue_time:
            found["token_issue_time"] = rfc3339(int(auth.token_issue_time)).replace(".000000", "")
        return found

    def _request(self, record: AuditRecord) -> dict[str, Any]:
        request, mount = record.request, record.mount
        found: dict[str, Any] = {"id": request.id, "operation": request.operation.value, **_mount(record)}
        if request.token:
            found["client_token"] = self.hasher.token(request.token)
            if record.auth.accessor:
                found["client_token_accessor"] = self.hasher.accessor(record.auth.accessor)
        found |= {"namespace": _NAMESPACE, "path": record.path}
        if request.data:
            found["data"] = self.hasher.body(dict(request.data), mount.non_hmac_request_keys if mount else frozenset())
        if request.remote_address:
            found["remote_address"] = request.remote_address
        if record.remote_port:
            found["remote_port"] = record.remote_port
        if request.wrap_ttl:
            found["wrap_ttl"] = request.wrap_ttl
        if headers := self.headers.found(request.headers, self.hasher.text):
            found["headers"] = headers
        if request.client_certificate is not None:
            found["client_certificate_serial_number"] = _serial(request.client_certificate)
        return found

    def _response(self, record: AuditRecord, auth: dict[str, Any] | None) -> dict[str, Any]:
        response, mount = record.response, record.mount
        found: dict[str, Any] = {"auth": auth} if auth else {}
        found |= _mount(record)
        if response is None:
            return found
        envelope = response.envelope or {}
        lease = response.lease.id if response.lease else envelope.get("lease_id")
        if lease:
            found["secret"] = {"lease_id": lease}
        if wrapping := envelope.get("wrap_info"):
            found["wrap_info"] = self._wrapping(wrapping)
        elif response.raw is not None:
            found["data"] = self._raw(response)
        elif response.data is not None:
            plain = mount.non_hmac_response_keys if mount else frozenset()
            is_list = self.elides_lists and record.request.operation is Operation.LIST
            found["data"] = self.hasher.body(_elided(response.data) if is_list else response.data, plain)
        if response.warnings:
            found["warnings"] = list(response.warnings)
        return found

    def _raw(self, response: Response) -> dict[str, Any]:
        body = (response.raw or b"").decode("utf-8", "replace")
        shown = {"http_content_type": response.content_type, "http_raw_body": body}
        return {**self.hasher.body(shown, frozenset()), "http_status_code": response.status or 200}

    def _wrapping(self, wrapping: Mapping[str, Any]) -> dict[str, Any]:
        shown = {
            name: wrapping[name] for name in ("ttl", "token", "accessor", "creation_time", "creation_path") if name in wrapping
        }
        if wrapping.get("wrapped_accessor"):
            shown["wrapped_accessor"] = self.hasher.accessor(str(wrapping["wrapped_accessor"]))
        return {
            **shown,
            "token": self.hasher.token(str(shown.get("token", ""))),
            "accessor": self.hasher.accessor(str(shown.get("accessor", ""))),
        }

    def _answer_auth(self, auth: Mapping[str, Any], response: Response | None) -> dict[str, Any]:
        """What Vault shows of the token that an answer brings; `auth` has the members of the HTTP answer."""
        found: dict[str, Any] = {}
        if auth.get("client_token"):
            found["client_token"] = self.hasher.token(str(auth["client_token"]))
        if auth.get("accessor"):
            found["accessor"] = self.hasher.accessor(str(auth["accessor"]))
        display_name = auth.get("display_name") or (response.auth.display_name if response and response.auth else "")
        if display_name:
            found["display_name"] = display_name
        for name in ("policies", "token_policies", "identity_policies", "num_uses", "metadata", "entity_id"):
            if auth.get(name):
                found[name] = auth[name]
        found["token_type"] = auth.get("token_type") or "service"
        if auth.get("lease_duration"):
            found["token_ttl"] = auth["lease_duration"]
        return found


def _encode(value: Any) -> bytes:
    try:
        return to_json(value)
    except PydanticSerializationError:  # half a surrogate pair in a key, or deep nesting: slower, and escaped
        return json.dumps(value, separators=(",", ":")).encode()


def _mount(record: AuditRecord) -> dict[str, Any]:
    mount = record.mount
    if mount is None:
        return {}
    return {
        "mount_point": mount.path,
        "mount_type": mount.kind,
        "mount_accessor": mount.accessor,
        "mount_class": mount.mount_class,
    }


def _elided(data: Mapping[str, Any]) -> dict[str, Any]:
    """A list's answer with numbers in place of its `keys` and `key_info`."""
    return {
        name: len(value) if name in {"keys", "key_info"} and isinstance(value, list | tuple | Mapping) else value
        for name, value in data.items()
    }


def _serial(certificate: bytes) -> str:
    from cryptography import x509  # noqa: PLC0415 - only listeners with client certificates come here

    try:
        number = x509.load_der_x509_certificate(certificate).serial_number
    except ValueError:
        return ""
    text = f"{number:x}"
    return ":".join(f"{'0' * (len(text) % 2)}{text}"[at : at + 2] for at in range(0, len(text), 2))
