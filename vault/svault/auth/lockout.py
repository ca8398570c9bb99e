"""Who fails to log in too often is locked out for a while. Source: Vault's page "User lockout".

Failures are counted in memory; who is locked out is stored, so that neither a restart nor another active server lets them in.
"""

import uuid
from collections import OrderedDict
from dataclasses import dataclass

from svault.errors import PermissionDeniedError
from svault.logical.engine import Mount

_LOCKED = "locked/"
MAX_UNKNOWN = 10_000
"""Names that nobody has are counted too, up to so many: answers must not tell that nobody has them."""


@dataclass(slots=True)
class _Failures:
    """How often one failed in a row, when last (seconds since the epoch), and the key under which the lock is stored."""

    count: int = 0
    last: float = 0.0
    stored: str = ""


class Lockout:
    """Failed logins at one mount, by the alias that logs in. Its limits are the mount's `user_lockout_config`.

    Ask `check` first; then say `failed` or `succeeded`, which refuse as `check` does when others have failed meanwhile: guesses
    that are made at once learn no more than those made one by one.
    """

    def __init__(self, mount: Mount) -> None:
        self._mount = mount
        self._known: dict[str, _Failures] = {}
        self._unknown: OrderedDict[str, _Failures] = OrderedDict()

    async def start(self) -> None:
        """Load who is locked out."""
        for name in await self._mount.view.list(_LOCKED):
            found = await self._mount.view.read(_LOCKED + name)
            if found is not None:
                self._known[found["alias"]] = _Failures(found["count"], found["last"], _LOCKED + name)

    def check(self, alias: str) -> None:
        """Raises PermissionDeniedError while an alias is locked out."""
        if self._is_locked(self._known.get(alias) or self._unknown.get(alias)):
            raise PermissionDeniedError

    async def failed(self, alias: str, *, is_known: bool = True) -> None:
        """Its password or secret was wrong; `is_known` says whether anybody has that name. Raises PermissionDeniedError."""
        self.check(alias)
        limits, now = self._mount.tuned.lockout, self._mount.clock.time()
        if limits.is_disabled:
            return
        among = self._known if is_known else self._unknown
        found = among.setdefault(alias, _Failures())
        is_over = found.count >= limits.threshold or now - found.last > limits.counter_reset
        found.count, found.last = 1 if is_over else found.count + 1, now
        if not is_known:
            self._unknown.move_to_end(alias)
            if len(self._unknown) > MAX_UNKNOWN:
                self._unknown.popitem(last=False)
        elif self._is_locked(found):
            found.stored = found.stored or _LOCKED + uuid.uuid4().hex
            await self._mount.view.write(found.stored, {"alias": alias, "count": found.count, "last": found.last})

    async def succeeded(self, alias: str) -> None:
        """Its password or secret was right: count from nothing again. Raises PermissionDeniedError."""
        self.check(alias)
        await self.unlock(alias)

    async def unlock(self, alias: str) -> None:
        """Let an alias log in again; one that is not locked out is no error."""
        self._unknown.pop(alias, None)
        found = self._known.pop(alias, None)
        if found is not None and found.stored:
            await self._mount.view.delete(found.stored)

    def locked(self) -> list[str]:
        """The aliases that are locked out now, sorted; without names that nobody has."""
        return sorted(alias for alias, found in self._known.items() if self._is_locked(found))

    def _is_locked(self, found: _Failures | None) -> bool:
        limits = self._mount.tuned.lockout
        if found is None or limits.is_disabled or found.count < limits.threshold:
            return False
        return self._mount.clock.time() - found.last < limits.duration
