"""Which headers of a request stand in its audit entries (`sys/config/auditing/request-headers`). None by default."""

from collections.abc import Callable, Mapping

from svault.barrier.view import View
from svault.errors import BadRequestError

KEY = "headers"


class RequestHeaders:
    """The audited headers by lower-case name, and whether their values are hashed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._hashed: dict[str, bool] = {}

    async def load(self) -> None:
        """Read what was kept."""
        self._hashed = {name: entry["hmac"] for name, entry in (await self._view.read(KEY) or {}).items()}

    def use(self, hashed: Mapping[str, bool]) -> None:
        """Take what another process has read."""
        self._hashed = dict(hashed)

    def all(self) -> dict[str, dict[str, bool]]:
        """`{"x-forwarded-for": {"hmac": false}}`."""
        return {name: {"hmac": hashed} for name, hashed in sorted(self._hashed.items())}

    def get(self, name: str) -> dict[str, bool]:
        """One header's entry. Raises BadRequestError when it is not audited."""
        if name.lower() not in self._hashed:
            raise BadRequestError("Could not find header in config")
        return {"hmac": self._hashed[name.lower()]}

    async def put(self, name: str, *, hmac: bool) -> None:
        """Write a header from now on."""
        async with self._view.lock(KEY):
            await self._keep({**self._hashed, name.lower(): hmac})

    async def remove(self, name: str) -> None:
        """Write a header no longer; one that never was is no error."""
        async with self._view.lock(KEY):
            await self._keep({other: hashed for other, hashed in self._hashed.items() if other != name.lower()})

    def found(self, headers: Mapping[str, str], hashed: Callable[[str], str]) -> dict[str, list[str]]:
        """The audited ones among a request's headers, as the entry shows them."""
        if not self._hashed:
            return {}
        sent = {name.lower(): value for name, value in headers.items()}
        return {name: [hashed(sent[name]) if hmac else sent[name]] for name, hmac in self._hashed.items() if name in sent}

    async def _keep(self, entries: dict[str, bool]) -> None:
        await self._view.write(KEY, {name: {"hmac": hashed} for name, hashed in entries.items()})
        self._hashed = entries
