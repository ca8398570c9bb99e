"""What a worker holds of the vault while nothing about it changes: mounts, policies, audit formats, and the engines it may ask.

All of it is thrown away as a whole when something changes that is no secret's value and no token.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from svault.audit.broker import format_of
from svault.audit.entry import AuditRecord
from svault.audit.headers import RequestHeaders
from svault.barrier.barrier import Barrier
from svault.barrier.view import KeyLocks, View
from svault.core import kinds
from svault.core.authorize import Authorizer, audit_auth
from svault.core.call import Answer, Call
from svault.core.mount_entry import MountEntry
from svault.core.mounts import Mounted, MountTable
from svault.core.pipeline import MERGE_PATCH, answer_of, audit_mount, is_pure_request, request_of
from svault.crypto.base import CryptoBackend
from svault.errors import VaultError
from svault.logical.clock import Clock
from svault.logical.engine import Engine, Mount
from svault.logical.request import Identity, Lease, Operation, Request
from svault.policy.cedar import CedarPolicies
from svault.policy.store import PolicyStore
from svault.policy.templates import TemplateValues
from svault.workers.facts import Facts, KnownEntity

if TYPE_CHECKING:
    from svault.core.active import Active
    from svault.identity.model import Entity

KINDS = {"kv", "transit"}
"""The engines whose pure routes read their own entries and nothing else."""
_DERIVED = {"transit"}
"""Those that keep what they have read."""
_MAX_ENTITIES = 10_000
Lines = dict[str, tuple[bytes, bytes]]


class ElsewhereError(VaultError):
    """Only the active process can do it. No client sees this."""

    code = "vault_elsewhere"


def snapshot(active: "Active") -> dict[str, Any]:
    """What a worker is told. It is taken in one step of the event loop, while nothing of it changes."""
    mounts = []
    for mounted in active.mounts:
        system = mounted.mount.system
        is_usable = not mounted.entry.is_tainted and not mounted.failure
        mounts.append((mounted.entry.stored(), is_usable, system.default_lease_ttl(), system.max_lease_ttl()))
    return {
        "terms": active.core.barrier.exported_terms(),
        "mounts": mounts,
        "generation": active.audit.generation,
        "formats": active.audit.formats(),
        "headers": {name: entry["hmac"] for name, entry in active.audit.headers.all().items()},
    }


class _Elsewhere(Engine):
    """An engine that is not here."""

    kind: ClassVar[str] = "elsewhere"


class _NoCrypto:
    """Stands for the post-quantum backend: a worker loads none."""

    def __getattr__(self, name: str) -> Any:
        raise ElsewhereError(name)


@dataclass(frozen=True, slots=True)
class _System:
    """The core, as far as a pure route asks it."""

    default_ttl: int
    max_ttl: int

    async def intend_lease(self, request: Request, lease: Lease) -> Lease:
        raise ElsewhereError("a lease")

    def default_lease_ttl(self) -> int:
        return self.default_ttl

    def max_lease_ttl(self) -> int:
        return self.max_ttl

    async def identity_of(self, entity_id: str) -> Identity | None:
        raise ElsewhereError("an entity")

    def spawn(self, work: Awaitable[None], name: str) -> None:
        raise ElsewhereError(name)


class _Identities:
    """The entities of the tokens that were asked about, in the place of the identity engine."""

    def __init__(self) -> None:
        self._known: dict[str, KnownEntity] = {}

    def keep(self, facts: Facts) -> None:
        if facts.entity is not None:
            if len(self._known) >= _MAX_ENTITIES:
                self._known.clear()
            self._known[facts.token.entity] = facts.entity

    def entity(self, identifier: str) -> "Entity | None":
        known = self._known.get(identifier)
        return None if known is None else known.entity

    def policies_of(self, identifier: str) -> tuple[list[str], list[str]]:
        return self._known[identifier].policies

    def group_names(self, identifier: str) -> tuple[str, ...]:
        return self._known[identifier].groups

    def template_values(self, identifier: str) -> TemplateValues | None:
        return self._known[identifier].values


@dataclass(slots=True)
class _Core:
    clock: Clock


class Replica:
    """One generation of it. `barrier` reads the active process's storage."""

    def __init__(self, barrier: Barrier, clock: Clock, told: Mapping[str, Any]) -> None:
        self.core = _Core(clock)
        self.generation: int = told["generation"]
        self._root = View(barrier, "", KeyLocks())
        self.identity = _Identities()
        self.policies = PolicyStore(self._root.within("sys/policy/"), clock)
        self.cedar = CedarPolicies(self._root.within("sys/cedar/"))
        self.mounts = MountTable(self._root, self._nothing)
        headers = RequestHeaders(self._root)
        headers.use(told["headers"])
        self._formats = [format_of(parts, headers) for parts in told["formats"]]
        self._systems: dict[str, _System] = {}
        for row, is_usable, default_ttl, max_ttl in told["mounts"]:
            entry = MountEntry.of(row)
            self._systems[entry.uuid] = _System(default_ttl, max_ttl)
            self.mounts.hold(self._made(entry, is_here=is_usable and entry.kind in KINDS and not entry.is_auth))
        self._authorizer = Authorizer(cast("Active", self))

    async def start(self) -> None:
        """Read the Cedar policies."""
        await self.cedar.start()

    @staticmethod
    def _nothing(entry: MountEntry) -> Mounted:
        raise ElsewhereError(entry.path)

    def _made(self, entry: MountEntry, *, is_here: bool) -> Mounted:
        mount = Mount(
            path=entry.path,
            uuid=entry.uuid,
            accessor=entry.accessor,
            view=self._root.within(entry.prefix),
            clock=self.core.clock,
            crypto=cast("CryptoBackend", _NoCrypto()),
            system=self._systems[entry.uuid],
            tuned=entry.tuned(),
        )
        return Mounted(entry, mount, kinds.make(entry.kind, mount, is_auth=False) if is_here else _Elsewhere(mount))

    def takes_change(self, key: str) -> bool:
        """Whether an entry is one of an engine that is here; then what was derived from it is forgotten."""
        folder, _, rest = key.partition("/")
        mounted = self.mounts.by_uuid(rest.partition("/")[0]) if folder == "logical" else None
        if mounted is None or isinstance(mounted.engine, _Elsewhere):
            return False
        if mounted.entry.kind in _DERIVED:
            self.mounts.hold(self._made(mounted.entry, is_here=True))
        return True

    def request(self, call: Call) -> tuple[Request, Mounted] | None:
        """The request that a call is, when it may be answered here."""
        operation = call.operation
        if operation is None or operation is Operation.LIST or not call.token or call.path.endswith("/"):
            return None
        if call.headers.get("x-vault-namespace") or call.content_type == MERGE_PATCH:
            return None
        mounted = self.mounts.find(call.path)
        if mounted is None:
            return None
        request = request_of(call, operation, mounted)
        return (request, mounted) if is_pure_request(request) else None

    async def answer(self, call: Call, request: Request, mounted: Mounted, facts: Facts) -> tuple[Answer, Lines] | None:
        """An answer and its audit lines by device; None when the active process is to decide. Raises what the engine raises."""
        token = facts.token
        self.identity.keep(facts)
        request.identity = facts.identity
        began = self.core.clock.time()
        grant = await self._authorizer.grant(request, call.path, mounted, token)
        if not grant.is_allowed or not is_pure_request(request):
            return None
        response = await mounted.engine.handle(request)
        if response is None or response.lease is not None or response.auth is not None:
            return None
        response.envelope = response.envelope or {}
        record = AuditRecord(
            request, call.path, audit_auth(call.token, token, grant), audit_mount(mounted), call.remote_port, response
        )
        now = self.core.clock.time()
        lines = {form.device: (form.request(record, began), form.response(record, now)) for form in self._formats}
        return answer_of(response, request), lines
