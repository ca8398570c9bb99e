"""The provider itself: which part of it a call is for."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from provisioning.errors import ProviderError
from provisioning.providers.base import Account, Calls, Catalogue, Check
from provisioning.providers.local import servers, volumes
from provisioning.providers.local.access import Access
from provisioning.providers.local.backups import Backups
from provisioning.providers.local.checks import checks
from provisioning.providers.local.daemon import Daemon, socket_of
from provisioning.providers.local.image import Images
from provisioning.providers.local.networks import Networks
from provisioning.resource import Found, Recorded, Wanted

REGION: Final = "local"
OPTIONS: Final[Mapping[str, str]] = {
    "pool": "LXD storage pool for disks and volumes; the default profile's, or the only one, when left out",
    "project": "LXD project to work in; default when left out",
    "nat": "false keeps networks from reaching the outside through this machine",
    "image_server": "address of an image server (simplestreams over https); empty for none",
    "image.FAMILY/VERSION": "alias of the image for an operating system, such as image.debian/12",
    "mirror": "archive that debootstrap builds images from, instead of the distributor's",
    "build_folder": "folder with room for a system while its image is built; the system's temporary one when left out",
}
"""What an account's `options` may say."""


class LocalProvider:
    """Containers of one LXD daemon (`Account.endpoint`: its socket or folder; else LXD_DIR, the snap's or the package's)."""

    name: ClassVar[str] = "local"
    version: ClassVar[str] = "1"
    kinds: ClassVar[frozenset[str]] = frozenset({"vpc", "subnet", "server", "volume"})

    def __init__(self, account: Account) -> None:
        self.account = account
        self.daemon = Daemon(socket_of(account.endpoint), account.options.get("project", ""))
        self._images = Images(self.daemon, account.options)
        self._networks = Networks(self.daemon, nat=account.options.get("nat", "true") != "false")
        self._servers = servers.Servers(self.daemon, self._images, self._pool)
        self._volumes = volumes.Volumes(self.daemon, self._pool)
        self._backups = Backups(self.daemon, self._volumes)

    def test(self) -> Sequence[Check]:
        """What is missing before it can work: the socket, the daemon, a storage pool, a network, limits, an image."""
        return checks(self.daemon, self._images, self._pool)

    def catalogue(self, region: str = "") -> Catalogue:  # noqa: ARG002 - the protocol's
        """The one place that there is, and the systems that a server can have."""
        return Catalogue((REGION,), (), (), tuple(self._images.usable()))

    def read(self, one: Recorded) -> Found | None:
        """A recorded resource as it is now."""
        match one.kind:
            case "server":
                return self._servers.read(one)
            case "volume":
                return self._volumes.read(one)
            case "vpc" | "subnet":
                return self._networks.read(one)
        raise _refused(one.address, one.kind)

    def read_all(self, ones: Sequence[Recorded]) -> Mapping[str, Found | None]:
        """Many at once: LXD is asked once for each kind of object."""
        seen = {(found.kind, found.id): found for found in self._everything(frozenset(one.kind for one in ones))}
        return {one.address: seen.get((one.kind, one.id)) for one in ones}

    def find_by_tag(self, tags: Mapping[str, str], region: str = "", kinds: frozenset[str] | None = None) -> Sequence[Found]:  # noqa: ARG002 - the protocol's
        """What carries all of these tags."""
        every = self._everything(self.kinds if kinds is None else kinds)
        return [found for found in every if tags.items() <= found.tags.items()]

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """Make it, or complete what an earlier attempt began."""
        match wanted.kind:
            case "server":
                return self._servers.create(wanted, calls)
            case "volume":
                return self._volumes.create(wanted, calls)
            case "vpc":
                return self._networks.create_vpc(wanted, calls)
            case "subnet":
                return self._networks.create_subnet(wanted, calls)
        raise _refused(wanted.address, wanted.kind)

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """Bring it to the wanted values, in place."""
        match one.kind:
            case "server":
                return self._servers.update(one, wanted, paths, calls)
            case "volume":
                return self._volumes.update(one, wanted, calls)
            case "vpc":
                return self._networks.update_vpc(one, wanted, calls)
            case "subnet":
                return self._networks.update_subnet(one, wanted, calls)
        raise _refused(one.address, one.kind)

    def delete(self, one: Recorded, calls: Calls) -> None:
        """Remove it; what is gone already is no error."""
        match one.kind:
            case "server":
                self._servers.delete(one, calls)
            case "volume":
                self._volumes.delete(one, calls)
            case "vpc":
                self._networks.delete_vpc(one, calls)
            case "subnet":
                self._networks.delete_subnet(one, calls)
            case _:
                raise _refused(one.address, one.kind)

    def back_up(self, one: Recorded, label: str, calls: Calls) -> str:
        """Copy its data to a place of its own; answers the copy's id."""
        return self._backups.make(one, label, calls)

    def restore(self, one: Recorded, backup: str, calls: Calls) -> Found:
        """Put a backup of a server or volume in its place; a server is started."""
        self._backups.restore(one, backup, calls)
        if one.kind == "server":
            return self._servers.start(one, calls)
        restored = self.read(one)
        assert restored is not None
        return restored

    def access(self, name: str) -> Access:
        """The way into a container, by its id."""
        return Access(self.daemon, name)

    def _everything(self, kinds: frozenset[str]) -> list[Found]:
        bridges = self._networks.all() if kinds & {"vpc", "subnet", "server"} else []
        found = self._networks.found(bridges)
        if "server" in kinds:
            found += [servers.found(instance, bridges) for instance in self._servers.all()]
        if "volume" in kinds:
            instances = self._volumes.instances()
            found += [volumes.found(volume, instances) for volume in self._volumes.all()]
        return [one for one in found if one.kind in kinds]

    def _pool(self) -> str:
        """The pool for disks. Raises ProviderError when there is none, or nobody said which."""
        pools = [pool["name"] for pool in self.daemon.get("storage-pools", recursion=1)]
        root = (self.daemon.find("profiles/default") or {"devices": {}})["devices"].get("root", {})
        named = self.account.options.get("pool") or root.get("pool") or (pools[0] if len(pools) == 1 else "")
        if named in pools:
            return str(named)
        if named:
            raise ProviderError(f"LXD has no storage pool {named}", hint=f"it has: {', '.join(pools) or 'none'}")
        if pools:
            raise ProviderError(f"LXD has several storage pools: {', '.join(pools)}", hint="set the account's option pool=NAME")
        raise ProviderError(
            "LXD has no storage pool", hint="make one: `lxc storage create default dir`, or run `lxd init --minimal`"
        )


def _refused(address: str, kind: str) -> ProviderError:
    return ProviderError(
        f"{address}: the provider local makes no {kind}", hint=f"it makes: {', '.join(sorted(LocalProvider.kinds))}"
    )
