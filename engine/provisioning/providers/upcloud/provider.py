"""The provider `upcloud`: one account, its kinds, what it can use and whether it works."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ClassVar, ParamSpec, TypeVar

from provisioning.errors import ProviderError, ProviderSilentError
from provisioning.providers.base import Account, Calls, Catalogue, Check
from provisioning.providers.upcloud import disks
from provisioning.providers.upcloud.api import Api
from provisioning.providers.upcloud.balancers import LoadBalancers
from provisioning.providers.upcloud.cloud import Cloud, Maker, Pace
from provisioning.providers.upcloud.groups import SecurityGroups
from provisioning.providers.upcloud.images import templates
from provisioning.providers.upcloud.networks import Subnets, Vpcs
from provisioning.providers.upcloud.servers import Servers
from provisioning.providers.upcloud.volumes import Volumes
from provisioning.resource import Found, Recorded, Wanted

_MAKERS: tuple[type[Maker], ...] = (Vpcs, Subnets, SecurityGroups, Servers, LoadBalancers, Volumes)
_LISTED_IN_FULL = frozenset({"vpc", "security_group", "load_balancer"})
"""Kinds whose lists tell all that one object tells."""
_RIGHTS = {
    "servers": "/server", "storage": "/storage/private", "networks": "/network", "routers": "/router",
    "server groups": "/server-group", "load balancers": "/load-balancer",
}  # fmt: skip


Params = ParamSpec("Params")
Answer = TypeVar("Answer")


def understood(method: Callable[Params, Answer]) -> Callable[Params, Answer]:
    """A method that says so when an answer lacks what was always in it; what was asked for may have been done."""

    @wraps(method)
    def wrapped(*args: Params.args, **kwargs: Params.kwargs) -> Answer:
        try:
            return method(*args, **kwargs)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ProviderSilentError(
                f"UpCloud answered something that is not understood ({type(error).__name__})",
                hint="it is looked up again; if it stays so, see https://status.upcloud.com and update this program",
            ) from error

    return wrapped


class UpCloud:
    """One account at UpCloud.

    `account.secrets` are `token`, or `username` and `password`; `account.options` may have `ssh_keys`, public keys one a line,
    that servers take for root. `account.endpoint` replaces https://api.upcloud.com.
    """

    name: ClassVar[str] = "upcloud"
    version: ClassVar[str] = "1"
    kinds: ClassVar[frozenset[str]] = frozenset(maker.kind for maker in _MAKERS)

    def __init__(self, account: Account, *, pace: Pace | None = None, timeout_seconds: float = 60.0) -> None:
        self._cloud = Cloud(Api(account, timeout_seconds), account, pace or Pace())
        self._servers = Servers(self._cloud)
        self._makers = {maker.kind: maker(self._cloud) for maker in _MAKERS} | {"server": self._servers}

    def close(self) -> None:
        """End its connections; it can be used again."""
        self._cloud.api.close()

    def test(self) -> Sequence[Check]:
        """As `Provider.test`."""
        checks = [self._check("account", self._account)]
        if checks[0].verdict == "failed":
            return checks
        if self._cloud.account.region:
            checks.append(self._check("region", self._region))
        return [*checks, *(self._check(name, self._lister(path)) for name, path in _RIGHTS.items())]

    @understood
    def catalogue(self, region: str = "") -> Catalogue:
        """As `Provider.catalogue`. A region of UpCloud is one zone."""
        zones = self._zones()
        plans = self._cloud.api.get("/plan")["plans"]["plan"]
        return Catalogue(
            zones, tuple(zone for zone in zones if not region or zone == region), tuple(sorted(one["name"] for one in plans)),
            tuple(sorted(templates(self._cloud))),
        )  # fmt: skip

    @understood
    def read(self, one: Recorded) -> Found | None:
        """As `Provider.read`."""
        maker = self._maker(one.kind)
        row = maker.get(one.id)
        return None if row is None else maker.found(row, one.values)

    @understood
    def read_all(self, ones: Sequence[Recorded]) -> Mapping[str, Found | None]:
        """As `Provider.read_all`: a list for each kind; what lists tell half of (servers, volumes) or not at all, one by one."""
        found: dict[str, Found | None] = {}
        for kind in sorted({one.kind for one in ones}):
            maker = self._maker(kind)
            rows = {row["uuid"]: row for row in maker.rows({})} if kind in _LISTED_IN_FULL else {}
            for one in ones:
                if one.kind != kind:
                    continue
                row = rows.get(one.id) if kind in _LISTED_IN_FULL else None
                found[one.address] = maker.found(row, one.values) if row else self.read(one)
        return found

    @understood
    def find_by_tag(self, tags: Mapping[str, str], region: str = "", kinds: frozenset[str] | None = None) -> Sequence[Found]:
        """As `Provider.find_by_tag`."""
        found = []
        for kind, maker in self._makers.items():
            if kinds is not None and kind not in kinds:
                continue
            for row in maker.rows(tags):
                if not region or row.get("zone", region) == region:
                    full = row if kind in _LISTED_IN_FULL else maker.get(row["uuid"])
                    found += [] if full is None else [maker.found(full, {})]
        return found

    @understood
    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """As `Provider.create`."""
        return self._maker(wanted.kind).create(wanted, calls)

    @understood
    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """As `Provider.update`."""
        return self._maker(one.kind).update(one, wanted, paths, calls)

    @understood
    def delete(self, one: Recorded, calls: Calls) -> None:
        """As `Provider.delete`."""
        self._maker(one.kind).delete(one, calls)

    @understood
    def back_up(self, one: Recorded, label: str, calls: Calls) -> str:
        """As `Provider.back_up`: of a volume, or of a server's own disk."""
        storages = [one.id] if one.kind == "volume" else self._servers.disks(one) if one.kind == "server" else []
        if not storages:
            raise ProviderError(
                f"{one.address} has nothing that UpCloud could back up", hint="only servers and volumes have data"
            )
        return disks.back_up(self._cloud, storages[0], label, calls)

    def _maker(self, kind: str) -> Maker:
        if kind not in self._makers:
            raise ProviderError(
                f"UpCloud's provider makes no {kind}",
                hint=f"it makes {', '.join(sorted(self.kinds))}; leave the others to people",
            )
        return self._makers[kind]

    def _check(self, name: str, look: Callable[[], Check]) -> Check:
        try:
            return understood(look)()
        except ProviderError as error:
            return Check(name, "failed", error.message, error.hint or "see https://status.upcloud.com")

    def _account(self) -> Check:
        account = self._cloud.api.get("/account")["account"]
        said, credit = f"{account.get('username', 'the account')} is reached", account.get("credits")
        # An account that pays by invoice, or a sub-account that may not see it, tells no credits.
        if credit is not None and float(credit) <= 0:
            return Check("account", "warning", f"{said} and has no credits left", "add credits at hub.upcloud.com, under Billing")
        return Check("account", "ok", said)

    def _region(self) -> Check:
        region, zones = self._cloud.account.region, self._zones()
        if region in zones:
            return Check("region", "ok", f"{region} is there")
        return Check("region", "failed", f"UpCloud has no zone {region}", f"choose one of {', '.join(zones)}")

    def _zones(self) -> tuple[str, ...]:
        rows = self._cloud.api.get("/zone")["zones"]["zone"]
        return tuple(sorted(row["id"] for row in rows if row.get("public", "yes") == "yes"))

    def _lister(self, path: str) -> Callable[[], Check]:
        def look() -> Check:
            self._cloud.api.get(path)
            return Check(name, "ok", f"{name} can be listed")

        name = next(name for name, known in _RIGHTS.items() if known == path)
        return look
