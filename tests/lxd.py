"""A throw-away LXD daemon for tests, with a folder, a storage pool and a bridge of its own; nothing is left of it.

It needs root, LXD's programs (installed from Debian when they are missing) and a kernel that lets containers start; where one of
these is not there, the test is skipped and says which. All workers of a test session share one daemon.

Two images are there: `tiny`, one megabyte of busybox that starts in a moment, under the alias `alpine/3.22`; and, where
`debian_image` is called, a real Debian with systemd that `provisioning` builds itself (kept in the user's cache folder).
"""

import contextlib
import fcntl
import hashlib
import inspect
import io
import json
import os
import platform
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from programs import program

PROGRAMS = {
    "lxd": "lxd",
    "lxc": "lxd-client",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "newuidmap": "uidmap",
    "busybox": "busybox-static",
}
TINY = "alpine/3.22"
READY_LIMIT = 60  # seconds
STOP_LIMIT = 60

_INIT = """#!/bin/sh
trap 'exit 0' TERM PWR INT
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -q -n -t 20 -T 1 -s /etc/lease &
while :; do sleep 3600 & wait $!; done
"""
_LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/$mask dev $interface
[ -z "$router" ] || ip route add default via $router
"""
_APPLETS = "sh cat ls ip udhcpc sleep id grep env timeout mkdir rm touch echo wc kill pwd nproc ping"


@dataclass(frozen=True, slots=True)
class Lxd:
    """A daemon that runs. `folder` is its LXD_DIR."""

    folder: Path
    bridge: str

    @property
    def socket(self) -> Path:
        """Its unix socket."""
        return self.folder / "unix.socket"

    def client(self, answer_limit: float = 120) -> Any:
        """A plain pylxd client."""
        import pylxd

        return pylxd.Client(endpoint=str(self.socket), timeout=(5, answer_limit))

    def run(self, *arguments: str, given: str = "") -> str:
        """Run LXD's own command line; its output."""
        environment = {**os.environ, "LXD_DIR": str(self.folder), "LXD_CONF": str(self.folder / "conf")}
        done = subprocess.run(arguments, env=environment, input=given, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done.stdout


@contextlib.contextmanager
def lxd_daemon() -> Iterator[Lxd]:
    """The session's daemon, started by who needs it first and stopped by who needs it last."""
    if os.geteuid() != 0:
        pytest.skip("LXD: only root can start a daemon of its own")
    for name, package in PROGRAMS.items():
        program(name, package=package)
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"pid-{os.getpid()}")
    register = Path(tempfile.gettempdir()) / f"stratumops-lxd-{hashlib.sha256(session.encode()).hexdigest()[:12]}.json"
    with _registered(register) as users:
        if not users.get("folder"):
            users |= {"users": [], **asdict_of(_start())}
        users["users"].append(os.getpid())
        lxd = Lxd(Path(users["folder"]), users["bridge"])
    try:
        yield lxd
    finally:
        with _registered(register) as users:
            users["users"] = [pid for pid in users["users"] if pid != os.getpid() and Path(f"/proc/{pid}").exists()]
            if not users["users"]:
                _stop(lxd)


def asdict_of(lxd: Lxd) -> dict[str, str]:
    """A daemon as JSON."""
    return {key: str(value) for key, value in asdict(lxd).items()}


@contextlib.contextmanager
def _registered(register: Path) -> Iterator[dict[str, Any]]:
    with (register.parent / "stratumops-lxd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        users: dict[str, Any] = json.loads(register.read_text()) if register.exists() else {}
        yield users
        if users.get("users"):
            register.write_text(json.dumps(users))
        else:
            register.unlink(missing_ok=True)


def _start() -> Lxd:
    folder = Path(tempfile.mkdtemp(prefix="lxd-"))
    # The container's root is nobody here, and must get through to its files.
    folder.chmod(0o711)
    bridge = f"pvt{secrets.token_hex(4)}"
    lxd = Lxd(folder, bridge)
    # Its own session, and no child of ours: it outlives the worker that started it while another one uses it.
    start = 'echo $$ > "$LXD_DIR/pid"; exec lxd --group root > "$LXD_DIR/daemon.log" 2>&1'
    lxd.run("setsid", "--fork", "sh", "-c", start)
    try:
        lxd.run("lxd", "waitready", f"--timeout={READY_LIMIT}")
        lxd.run("lxd", "init", "--preseed", given=json.dumps(_preseed(bridge)))
        client = lxd.client()
        image = client.images.create(_tiny_image(), wait=True)
        image.add_alias(TINY, "busybox")
        _try(client)
    except BaseException as error:
        words = str(error)
        with contextlib.suppress(Exception):
            _stop(lxd)
        if isinstance(error, Exception):
            pytest.skip(f"LXD does not run here: {words[-500:]}")
        raise
    return lxd


def _preseed(bridge: str) -> dict[str, Any]:
    config = {"ipv4.address": _free_range(), "ipv4.nat": "true", "ipv6.address": "none"}
    network = {"name": bridge, "type": "bridge", "config": config}
    root = {"type": "disk", "path": "/", "pool": "default"}
    nic = {"type": "nic", "network": bridge, "name": "eth0"}
    return {
        "storage_pools": [{"name": "default", "driver": "dir"}],
        "networks": [network],
        "profiles": [{"name": "default", "devices": {"root": root, "eth0": nic}}],
    }


def _free_range() -> str:
    """Addresses for the bridge that no interface of this machine has."""
    used = subprocess.run(["ip", "-o", "-4", "address"], capture_output=True, text=True, check=True).stdout
    numbers = [number for number in range(256) if f" 10.219.{number}." not in used]
    return f"10.219.{secrets.choice(numbers)}.1/24"


def _try(client: Any) -> None:
    """Whether this kernel lets a container start at all."""
    name = f"try-{secrets.token_hex(4)}"
    instance = client.instances.create({"name": name, "source": {"type": "image", "alias": TINY}}, wait=True)
    instance.start(wait=True)
    instance.stop(force=True, wait=True)
    instance.delete(wait=True)


def _stop(lxd: Lxd) -> None:
    """Take everything away, as LXD wants it: first what uses, then what is used. The daemon ends in any case."""
    try:
        if lxd.socket.exists():
            _clear(lxd)
    finally:
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            lxd.run("lxd", "shutdown", f"--timeout={STOP_LIMIT}")
        _end(int((lxd.folder / "pid").read_text()))
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if f"{lxd.folder}/" in line]
        for path in sorted(mounted, reverse=True):
            subprocess.run(["umount", "--lazy", path], check=False, capture_output=True)
        shutil.rmtree(lxd.folder)


def _clear(lxd: Lxd) -> None:
    client = lxd.client()
    for instance in client.instances.all():
        with contextlib.suppress(Exception):
            instance.stop(force=True, wait=True)
        instance.delete(wait=True)
    for pool in client.storage_pools.all():
        for volume in client.api.storage_pools[pool.name].volumes.custom.get(params={"recursion": 1}).json()["metadata"]:
            if "/" not in volume["name"]:
                client.api.storage_pools[pool.name].volumes.custom[volume["name"]].delete()
    profile = client.profiles.get("default")
    profile.devices = {}
    profile.save()
    for network in client.networks.all():
        if network.managed:
            network.delete()


def _end(pid: int) -> None:
    deadline = time.monotonic() + STOP_LIMIT
    while _runs(pid):
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            deadline += STOP_LIMIT
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _tiny_image() -> bytes:
    busybox = Path(shutil.which("busybox") or "/bin/busybox").resolve()
    metadata = f"architecture: {platform.machine()}\ncreation_date: 1795416000\nproperties: {{os: alpine, release: '3.22'}}\n"
    files = {
        "metadata.yaml": (metadata.encode(), 0o644),
        "rootfs/bin/busybox": (busybox.read_bytes(), 0o755),
        "rootfs/sbin/init": (_INIT.encode(), 0o755),
        "rootfs/etc/lease": (_LEASE.encode(), 0o755),
        "rootfs/etc/passwd": (b"root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/tmp:/bin/sh\n", 0o644),
        "rootfs/etc/group": (b"root:x:0:\nweb:x:1000:\n", 0o644),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        for folder in ("", "bin", "sbin", "etc", "proc", "sys", "dev", "tmp", "root", "run", "srv", "var", "mnt"):
            entry = tarfile.TarInfo(f"rootfs/{folder}".rstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
        for applet in _APPLETS.split():
            entry = tarfile.TarInfo(f"rootfs/bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
    return packed.getvalue()


def debian_image(version: str = "12") -> Path:
    """A packed Debian, built once for each recipe and kept in the user's cache folder. Skips where it cannot be built."""
    from provisioning.errors import ProviderError
    from provisioning.providers.base import NoCalls
    from provisioning.providers.local import image

    recipe = image.recipe("debian", version)
    assert recipe is not None
    for name, package in {"debootstrap": "debootstrap", "zstd": "zstd"}.items():
        program(name, package=package)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stratumops" / "lxd"
    cache.mkdir(parents=True, exist_ok=True)
    words = f"{recipe}{platform.machine()}{inspect.getsource(image._settle)}{image._NETWORK}"
    packed = cache / f"debian-{version}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"
    with packed.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not packed.exists():
            try:
                image.build(recipe, packed, NoCalls())
            except ProviderError as error:
                pytest.skip(f"a Debian image cannot be built: {error.message}")
    return packed
