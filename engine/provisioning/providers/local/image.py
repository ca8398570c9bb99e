"""Where a container's image comes from: one that the daemon has, a remote server's, or one that debootstrap builds here."""

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from prov_corpus import catalogue
from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.local.daemon import Daemon, Json

PULL_LIMIT: Final = 1800  # seconds; an image may come from far away
BUILD_LIMIT: Final = 1200
SERVER_LIMIT: Final = 5
_ENOUGH = 3
NO_IMAGE_HINT: Final = (
    "import one: `lxc image import FILE --alias {alias}`; or as root, `apt-get install debootstrap zstd` lets it be built"
)

_NETWORK = "[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nUseDomains=yes\n"
_UNSAFE: Final = "etc/dpkg/dpkg.cfg.d/stratumops"
_building = threading.Lock()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build an image with debootstrap. `suite` is the code name, `script` debootstrap's own recipe for it."""

    family: str
    version: str
    suite: str
    mirror: str
    components: Sequence[str]
    script: str
    keyring: Path
    keyring_package: str
    packages: Sequence[str]


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files("provisioning.providers.local").joinpath("images.toml").read_text(encoding="utf-8"))


def recipe(family: str, version: str, mirror: str = "") -> Recipe | None:
    """How to build an operating system; None where debootstrap cannot. `mirror` is another archive than debootstrap's own."""
    table = _data().get(family) if family != "server" else None
    release = catalogue.os_version(family, version) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping) or release is None or not release.aliases:
        return None
    suite = release.aliases[0]
    packages = (*table["packages"], *table["further"].get(suite, ()))
    fields = {key: table[key] for key in ("components", "script", "keyring_package")}
    return Recipe(family, version, suite, mirror=mirror, keyring=Path(table["keyring"]), packages=packages, **fields)


def missing(wanted: Recipe | None = None) -> str:
    """What keeps this machine from building images, and "" when it can."""
    if os.geteuid() != 0:
        return "only root can build an image"
    absent = [program for program in ("debootstrap", "tar", "unshare") if shutil.which(program) is None]
    if absent:
        return f"{', '.join(absent)} not found (`apt-get install debootstrap zstd util-linux`)"
    if wanted and not wanted.keyring.exists():
        return f"{wanted.keyring} not found (`apt-get install {wanted.keyring_package}`)"
    return ""


def build(wanted: Recipe, target: Path, calls: Calls) -> None:
    """Build an image into a file that LXD imports: a minimal system with systemd, DHCP, Python and an SSH server.

    Takes one to three minutes. Raises ProviderError with debootstrap's last words, ProviderBusyError when it is cancelled.
    """
    if lack := missing(wanted):
        raise ProviderError(
            f"the image {wanted.family}/{wanted.version} cannot be built: {lack}", hint=NO_IMAGE_HINT.format(alias="ALIAS")
        )
    name = f"{wanted.family} {wanted.version}"
    with tempfile.TemporaryDirectory(prefix="stratumops-image-", dir=target.parent) as folder:
        root = Path(folder) / "rootfs"
        calls.report(f"building the image {name}" + (f" out of {wanted.mirror}" if wanted.mirror else ""))
        _spare_disk(root)
        # A mount namespace of its own: what debootstrap mounts is gone with it, however it ends.
        _run(["unshare", "--mount", "--propagation", "private", *_debootstrap(wanted, root)], name, calls)
        _settle(root)
        (Path(folder) / "metadata.yaml").write_text(_metadata(wanted), encoding="utf-8")
        calls.report(f"packing the image {name}")
        packed = Path(folder) / "packed"
        packer = "zstd -1 -T0" if shutil.which("zstd") else "gzip -1"
        what = ["--numeric-owner", "-C", folder, "-cf", str(packed), "metadata.yaml", "rootfs"]
        _run(["tar", f"--use-compress-program={packer}", *what], name, calls)
        packed.replace(target)


def _debootstrap(wanted: Recipe, root: Path) -> list[str]:
    options = ["--variant=minbase", f"--include={','.join(wanted.packages)}", f"--components={','.join(wanted.components)}"]
    known = Path("/usr/share/debootstrap/scripts") / wanted.suite
    script = [] if known.exists() else [wanted.script]
    # An empty mirror is the one that debootstrap knows for the suite.
    return ["debootstrap", f"--keyring={wanted.keyring}", *options, wanted.suite, str(root), wanted.mirror, *script]


def _spare_disk(root: Path) -> None:
    # What is built may be lost: dpkg need not wait for the disk after each file.
    (root / _UNSAFE).parent.mkdir(parents=True)
    (root / _UNSAFE).write_text("force-unsafe-io\n")


def _settle(root: Path) -> None:
    """What makes each container its own: a name and keys of its own, an address by DHCP."""
    for path in (
        root / _UNSAFE,
        root / "etc/hostname",
        *root.glob("etc/ssh/ssh_host_*"),
        *root.glob("var/cache/apt/archives/*.deb"),
    ):
        path.unlink(missing_ok=True)
    # Empty, systemd fills it at the first start; missing, it would take it for another kind of first start.
    (root / "etc/machine-id").write_text("")
    network = root / "etc/systemd/network/10-eth0.network"
    network.parent.mkdir(parents=True, exist_ok=True)
    network.write_text(_NETWORK)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")
    # The keys of the SSH server were taken away: each container makes its own before the server starts.
    keys = root / "etc/systemd/system/ssh.service.d/keys.conf"
    keys.parent.mkdir(parents=True, exist_ok=True)
    keys.write_text("[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n")


def _metadata(wanted: Recipe) -> str:
    lines = {"os": wanted.family, "release": f'"{wanted.version}"', "variant": "minimal"}
    lines["description"] = f"{wanted.family} {wanted.suite} (debootstrap)"
    properties = "".join(f"  {key}: {value}\n" for key, value in lines.items())
    return f"architecture: {platform.machine()}\ncreation_date: {int(time.time())}\nproperties:\n{properties}templates: {{}}\n"


def _run(command: Sequence[str], name: str, calls: Calls) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    last: list[str] = []
    phase = ""
    with subprocess.Popen(  # noqa: S603 - programs of this machine, arguments of the recipe
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        start_new_session=True, text=True, errors="replace",
    ) as process:  # fmt: skip
        # It may write nothing for long: the clock is kept beside.
        timer = threading.Timer(BUILD_LIMIT, lambda: _end(process))
        timer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                last = [*last[-4:], line.strip()]
                words = line.split()
                if line.startswith("I: ") and words[1] != phase:
                    phase = words[1]
                    calls.report(f"building the image {name}: {phase.lower()}")
                if calls.is_cancelled():
                    raise ProviderBusyError(f"cancelled while building the image {name}", hint="start it again")
            code = process.wait()
        finally:
            timer.cancel()
            _end(process)
    if code != 0:
        raise ProviderError(
            f"the image {name} could not be built: {' / '.join(last) or command[0]}", hint="run it by hand, as root"
        )


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


class Images:
    """The images of one daemon. `options` are those of the account: `image_server`, `mirror`, `image.FAMILY/VERSION`."""

    def __init__(self, daemon: Daemon, options: Mapping[str, str]) -> None:
        self._daemon = daemon
        self._options = options
        self._url = options.get("image_server", _data()["server"]["url"])

    def source(self, system: Mapping[str, str], calls: Calls) -> Json:
        """What a new container is made of (LXD's `source`). Builds an image and imports it where there is none.

        Raises ProviderError when there is no way to one; it names each way and why it is closed.
        """
        family, version = system["family"], system["version"]
        if alias := self.own(family, version):
            return {"type": "image", "alias": alias}
        if self.is_server_reachable():
            remote = f"{_data()['server']['families'].get(family, family)}/{version}"
            calls.report(f"taking the image {remote} from {self._url}")
            return {"type": "image", "mode": "pull", "server": self._url, "protocol": "simplestreams", "alias": remote}
        wanted = recipe(family, version, self._options.get("mirror", ""))
        alias = f"prov/{family}/{version}"
        lack = missing(wanted) if wanted else f"debootstrap builds no {family}"
        if wanted is None or lack:
            raise ProviderError(
                f"there is no image {family}/{version}: LXD has none, {self._url or 'no image server'} cannot be reached, {lack}",
                hint=NO_IMAGE_HINT.format(alias=alias),
            )
        with _building:
            if not self.own(family, version):
                self._import(wanted, alias, calls)
        return {"type": "image", "alias": alias}

    def own(self, family: str, version: str) -> str | None:
        """The alias of an image that the daemon has already."""
        release = catalogue.os_version(family, version) if family in catalogue.images() else None
        versions = (version, *(release.aliases if release else ()))
        named = (f"{prefix}{family}/{one}" for prefix in ("prov/", "") for one in versions)
        here = {one["name"] for one in self._daemon.get("images/aliases", recursion=1)}
        wished = self._options.get(f"image.{family}/{version}")
        return next((alias for alias in (wished, *named) if alias in here), None)

    def usable(self) -> list[str]:
        """The operating systems, as `family/version`, that a server can have here."""
        every = [(family, version) for family, one in catalogue.images().items() for version in one.versions]
        if self.is_server_reachable():
            return [f"{family}/{version}" for family, version in every]
        return [
            f"{family}/{version}" for family, version in every if self.own(family, version) or self._can_build(family, version)
        ]

    def is_server_reachable(self) -> bool:
        """Whether the image server answers this machine; the daemon is on the same one."""
        if not self._url.startswith("https://"):
            return False
        import httpx2  # noqa: PLC0415 - only where an image is looked for

        try:
            return httpx2.head(f"{self._url}/streams/v1/index.json", timeout=SERVER_LIMIT, follow_redirects=True).is_success
        except httpx2.HTTPError:
            return False

    def _can_build(self, family: str, version: str) -> bool:
        wanted = recipe(family, version)
        return wanted is not None and not missing(wanted)

    def _import(self, wanted: Recipe, alias: str, calls: Calls) -> None:
        with tempfile.TemporaryDirectory(prefix="stratumops-image-", dir=self._options.get("build_folder")) as folder:
            target = Path(folder) / "image"
            build(wanted, target, calls)
            calls.report(f"giving the image {alias} to LXD")
            calls.run("ImportImage", lambda: load(self._daemon, target, alias))


def load(daemon: Daemon, packed: Path, alias: str) -> str:
    """Give a packed image to the daemon under an alias; answers its fingerprint. An image that it has keeps its place."""
    fingerprint = _sha256(packed)
    if daemon.find(f"images/{fingerprint}") is None:
        with packed.open("rb") as data:
            fingerprint = daemon.upload("images", data, {}).get("fingerprint", fingerprint)
    if not any(one["name"] == alias for one in daemon.get("images/aliases", recursion=1)):
        daemon.post("images/aliases", {"name": alias, "target": fingerprint, "type": "container"})
    return fingerprint


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
