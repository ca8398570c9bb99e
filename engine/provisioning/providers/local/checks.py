"""What is missing before containers can be made here, each with how to get it."""

from collections.abc import Callable, Mapping

from provisioning.errors import ProviderError
from provisioning.providers.base import Check
from provisioning.providers.local.daemon import INSTALL_HINT, Daemon, Json
from provisioning.providers.local.image import Images, missing

_KEEPS_NO_SIZES = frozenset({"dir"})
"""Pools that take a disk's size and, on most file systems, do not hold to it."""


def checks(daemon: Daemon, images: Images, pool: Callable[[], str]) -> list[Check]:
    """Ask in the order in which things build on each other; after the first failure only what can still be told."""
    try:
        daemon.check_socket()
    except ProviderError as error:
        return [Check("socket", "failed", error.message, error.hint), _images(images, is_daemon_there=False)]
    found = [Check("socket", "ok", f"{daemon.socket} can be used")]
    try:
        host = daemon.host()
    except ProviderError as error:
        return [
            *found,
            Check("daemon", "failed", error.message, error.hint or INSTALL_HINT),
            _images(images, is_daemon_there=False),
        ]
    environment = host["environment"]
    found.append(Check("daemon", "ok", f"LXD {environment['server_version']} on {environment['kernel_version']} answers"))
    return [*found, *_storage(daemon, pool), _network(daemon), _limits(host), _images(images, is_daemon_there=True)]


def _storage(daemon: Daemon, pool: Callable[[], str]) -> list[Check]:
    try:
        name = pool()
        driver = daemon.get(f"storage-pools/{name}")["driver"]
    except ProviderError as error:
        return [Check("storage", "failed", error.message, error.hint)]
    found = [Check("storage", "ok", f"disks and volumes go into the pool {name} ({driver})")]
    if driver in _KEEPS_NO_SIZES:
        hint = "`lxc storage create NAME zfs`, then the account's option pool=NAME, holds them to it"
        found.append(
            Check("disk sizes", "warning", f"a pool of the kind {driver} notes sizes of disks and does not enforce them", hint)
        )
    return found


def _network(daemon: Daemon) -> Check:
    try:
        devices: Mapping[str, Json] = (daemon.find("profiles/default") or {"devices": {}})["devices"]
        bridges = [one["name"] for one in daemon.get("networks", recursion=1) if one["managed"]]
    except ProviderError as error:
        return Check("network", "failed", error.message, error.hint)
    if any(device["type"] == "nic" for device in devices.values()):
        return Check("network", "ok", "a server without a network gets the default profile's")
    said = "a server without a network of its configuration gets none: LXD's default profile has no interface"
    bridge = bridges[0] if bridges else "lxdbr0"
    first = "" if bridges else f"`lxc network create {bridge}`, then "
    hint = f"{first}`lxc profile device add default eth0 nic network={bridge} name=eth0`, or give the configuration a network"
    return Check("network", "warning", said, hint)


def _limits(host: Json) -> Check:
    kernel = host["environment"].get("lxc_features", {})
    if kernel.get("cgroup2") == "true":
        return Check("limits", "ok", "cores and memory of containers can be limited")
    return Check(
        "limits", "warning", "this kernel may not keep limits of cores and memory", "use a kernel with control groups v2"
    )


def _images(images: Images, *, is_daemon_there: bool) -> Check:
    if images.is_server_reachable():
        return Check("images", "ok", "images come from the image server")
    try:
        usable = images.usable() if is_daemon_there else []
    except ProviderError as error:
        return Check("images", "failed", error.message, error.hint)
    if usable:
        return Check("images", "ok", f"no image server can be reached; there are, or can be built: {', '.join(usable)}")
    lack = missing()
    if not lack:
        return Check("images", "ok", "no image server can be reached; Debian images can be built here")
    hint = "let this machine reach the image server, or import an image: `lxc image import FILE --alias debian/12`"
    return Check("images", "failed", f"there is no image: no image server can be reached, and {lack}", hint)
