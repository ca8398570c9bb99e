"""A request to the vault in Cedar's words: principal, action, resource, context. The types are those of `vault.cedarschema`."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from svault.logical import Identity


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an entity, or a token without one."""

    identity: Identity
    groups: tuple[str, ...] = ()
    """The names of the groups that the entity belongs to, itself or through another group."""

    @property
    def uid(self) -> dict[str, str]:
        """The Cedar entity: `Vault::Entity::"<id>"` or `Vault::Token::"<accessor>"`."""
        if self.identity.entity_id:
            return {"type": "Vault::Entity", "id": self.identity.entity_id}
        return {"type": "Vault::Token", "id": self.identity.accessor}

    @property
    def key(self) -> str:
        """The same as one text."""
        return "{type}::{id}".format_map(self.uid)

    def entities(self) -> str:
        """What policies may ask about it, as Cedar's JSON of entities."""
        entity = {
            "uid": self.uid,
            "attrs": {
                "display_name": self.identity.display_name,
                "policies": list(self.identity.policies),
                "groups": list(self.groups),
            },
            "tags": dict(self.identity.metadata),
            "parents": [{"type": "Vault::Group", "id": name} for name in self.groups],
        }
        return json.dumps([entity])


@dataclass(frozen=True, slots=True)
class CedarRequest:
    """One question: may this principal do `action` (an operation, or `sudo`) on `path` (without `/v1/`)?

    `time` is seconds since the epoch; hour and weekday (Monday is 1) are taken from it in UTC. `wrap_ttl` is seconds.
    """

    principal: Principal
    action: str
    path: str
    mount: str = ""
    kind: str = ""
    time: float = 0
    remote_address: str = ""
    wrap_ttl: int = 0
    has_client_certificate: bool = False
    has_mfa: bool = field(default=False)

    def context(self) -> str:
        """The circumstances, as Cedar's JSON."""
        moment = datetime.fromtimestamp(self.time, UTC)
        context: dict[str, Any] = {
            "tls_client": self.has_client_certificate,
            "mfa": self.has_mfa,
            "hour": moment.hour,
            "weekday": moment.isoweekday(),
            "wrap_ttl": self.wrap_ttl,
        }
        if _is_address(self.remote_address):
            context["remote_address"] = {"__extn": {"fn": "ip", "arg": self.remote_address}}
        return json.dumps(context)

    def question(self, context: str) -> dict[str, Any]:
        """The request as cedarpy takes it; `context` is what `context()` returned."""
        return {
            "principal": self.principal.uid,
            "action": {"type": "Vault::Action", "id": self.action},
            "resource": {"type": "Vault::Path", "id": self.path},
            "context": context,
        }

    def resource(self) -> str:
        """The path, as Cedar's JSON of entities."""
        segments = self.path.strip("/").split("/")
        folders = ["/".join(segments[:count]) + "/" for count in range(1, len(segments))]
        resource = {
            "uid": {"type": "Vault::Path", "id": self.path},
            "attrs": {"path": self.path, "mount": self.mount, "kind": self.kind, "segments": segments},
            "parents": [{"type": "Vault::Path", "id": folder} for folder in folders],
        }
        return json.dumps([resource])


def _is_address(text: str) -> bool:
    try:
        return "%" not in str(ip_address(text))
    except ValueError:
        return False
