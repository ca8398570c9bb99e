"""What the core and an engine are to each other."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from svault.barrier.view import View
from svault.crypto.base import CryptoBackend
from svault.logical.clock import Clock
from svault.logical.request import Identity, Lease, Request, Response
from svault.logical.routes import Routes


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """A lease as the engine that issued it gets it back, to renew or revoke it."""

    id: str
    kind: str
    internal: Mapping[str, Any]
    issued: float
    expires: float


@dataclass(frozen=True, slots=True)
class LockoutLimits:
    """Failed logins in a row that lock one out, and for how long; a pause of `counter_reset` begins the count anew. Seconds."""

    threshold: int = 5
    duration: int = 900
    counter_reset: int = 900
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class MountOptions:
    """What can be tuned about a mount. Times are seconds, 0 is the system's."""

    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    lockout: LockoutLimits = LockoutLimits()


class System(Protocol):
    """What an engine may ask of the core."""

    async def intend_lease(self, request: Request, lease: Lease) -> Lease:
        """Write down that something is about to be created outside the vault; returns the lease with its id.

        Call it before creating. When the handler raises, or the server dies, `Engine.revoke` is called with the same `internal`.
        The handler returns the same lease in its Response, which activates it.
        """
        ...

    def default_lease_ttl(self) -> int:
        """Seconds that a lease of this mount lasts when nobody says otherwise."""
        ...

    def max_lease_ttl(self) -> int:
        """Seconds that a lease of this mount may last at most."""
        ...

    async def identity_of(self, entity_id: str) -> Identity | None:
        """An entity, or None."""
        ...

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """Do something in the background (a tidy); it is cancelled when the vault is sealed or the mount removed."""
        ...


@dataclass(slots=True)
class Mount:
    """An engine's place: its path (`secret/`), its entries, and what it may use."""

    path: str
    uuid: str
    accessor: str
    view: View
    clock: Clock
    crypto: CryptoBackend
    system: System
    tuned: MountOptions = field(default_factory=MountOptions)
    """Replaced as a whole when somebody tunes the mount; read it at each request."""


class Engine:
    """A secret or auth engine: subclass it, declare routes, keep everything in `self.mount.view`.

    One instance a mount. Handlers run concurrently on one event loop; serialise what must be with `view.lock(key)`.
    """

    kind: ClassVar[str]
    routes: ClassVar[Routes]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.routes = Routes(cls)

    def __init__(self, mount: Mount) -> None:
        self.mount = mount

    async def start(self) -> None:
        """Called after unseal or mount, before the first request."""

    async def stop(self) -> None:
        """Called at seal or unmount: drop caches, close connections."""

    async def exists(self, request: Request) -> bool | None:  # noqa: ARG002 - a hook of subclasses
        """Whether what an update would write is there already; None when create and update are the same to this engine."""
        return None

    async def handle(self, request: Request) -> Response | None:
        """Answer a request by its route. Raises VaultErrors."""
        _, method, args = request.found or self.routes.find(request.operation, request.path)
        request.args = args
        answer: Response | None = await getattr(self, method)(request)
        return answer

    async def renew(self, lease: LeaseRecord, increment: int) -> tuple[int, int]:  # noqa: ARG002 - a hook of subclasses
        """`(ttl, max_ttl)` in seconds of a renewed lease; 0 takes the mount's. Raises BadRequestError when that cannot be."""
        return increment, 0

    async def revoke(self, lease: LeaseRecord) -> None:
        """Undo what a lease stands for; idempotent, and from `internal` alone. Raises to be called again later."""

    async def tick(self) -> None:
        """Called about once a second on the active server: rotations and cleanups that are due by `mount.clock`."""
