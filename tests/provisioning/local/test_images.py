"""Where images come from, and how they are built: debootstrap is a stub that makes a few files and says what it was asked."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.provisioning.local.conftest import local
from tests.provisioning.local.fake_lxd import FakeLxd
from tests.provisioning.worlds import Journal

from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.base import Account, Check, NoCalls
from provisioning.providers.local import image
from provisioning.providers.local.provider import LocalProvider


def by_name(checks: list[Check]) -> dict[str, Check]:
    """Checks by name."""
    return {check.name: check for check in checks}


def test_an_image_comes_from_the_daemon_by_option_alias_or_code_name(fake: FakeLxd, tmp_path: Path):
    fake.aliases |= {"debian/bookworm": "a" * 64, "mine": "b" * 64}
    debian = {"family": "debian", "version": "12"}
    assert local(tmp_path)._images.source(debian, NoCalls())["alias"] == "debian/bookworm"
    chosen = local(tmp_path, **{"image.debian/12": "mine"})
    assert chosen._images.source(debian, NoCalls())["alias"] == "mine"


def test_an_image_comes_from_a_server_that_can_be_reached(fake: FakeLxd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def head(url: str, **_: Any) -> httpx2.Response:
        asked.append(url)
        if "down" in url:
            raise httpx2.ConnectError("no way")
        return httpx2.Response(200, request=httpx2.Request("HEAD", url))

    monkeypatch.setattr(httpx2, "head", head)
    provider = LocalProvider(Account("here", "local", endpoint=str(tmp_path)))
    source = provider._images.source({"family": "rocky", "version": "9"}, NoCalls())
    assert source["alias"] == "rockylinux/9"
    assert source["server"].startswith("https://")
    assert asked[0].endswith("/streams/v1/index.json")
    assert "ubuntu/24.04" in provider.catalogue().images
    assert by_name(list(provider.test()))["images"].verdict == "ok"
    down = local(tmp_path, image_server="https://down.example")
    with pytest.raises(ProviderError, match="cannot be reached"):
        down._images.source({"family": "rocky", "version": "9"}, NoCalls())


def test_an_image_that_nobody_has_is_refused_with_every_way_that_is_closed(at_fake: LocalProvider):
    with pytest.raises(ProviderError, match=r"LXD has none.*no image server.*debootstrap builds no rocky") as caught:
        at_fake._images.source({"family": "rocky", "version": "9"}, NoCalls())
    assert "prov/rocky/9" in caught.value.hint


STUB = """#!/bin/sh
echo "$@" > "$STUB_LOG"
while [ "${1#-}" != "$1" ]; do shift; done
echo "I: Retrieving Release"; echo "I: Extracting dpkg"; echo "I: Extracting tar"; echo "W: odd"
[ -z "$STUB_FAILS" ] || { echo "E: no such suite"; exit 1; }
[ -z "$STUB_HANGS" ] || exec sleep 60
mkdir -p "$2/etc/ssh" && echo host > "$2/etc/hostname" && echo key > "$2/etc/ssh/ssh_host_key"
"""


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stubs of debootstrap, and of unshare, which not every container may call; the file says what debootstrap was asked."""
    programs, log = tmp_path / "bin", tmp_path / "asked"
    programs.mkdir()
    for name, text in {"debootstrap": STUB, "unshare": '#!/bin/sh\nshift 3; exec "$@"\n'}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("STUB_LOG", str(log))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return log


def debian(tmp_path: Path, version: str = "12") -> image.Recipe:
    """A recipe whose keyring is there."""
    recipe = image.recipe("debian", version)
    assert recipe is not None
    keyring = tmp_path / "keyring"
    keyring.touch()
    return replace(recipe, keyring=keyring)


def test_a_built_image_holds_a_system_that_is_nobody_yet(stub: Path, tmp_path: Path):
    target, journal = tmp_path / "image", Journal()
    image.build(debian(tmp_path), target, journal)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", str(target), "-C", str(unpacked)], check=True)
    root = unpacked / "rootfs"
    assert not (root / "etc/hostname").exists()
    assert list((root / "etc/ssh").iterdir()) == []
    assert (root / "etc/machine-id").read_text() == ""
    assert "DHCP=yes" in (root / "etc/systemd/network/10-eth0.network").read_text()
    assert not (root / "etc/dpkg/dpkg.cfg.d/stratumops").exists()
    metadata = (unpacked / "metadata.yaml").read_text()
    assert 'release: "12"' in metadata
    assert "os: debian" in metadata
    asked = stub.read_text()
    assert "udev" in asked
    assert " bookworm " in asked
    assert [words for words in journal.reports if "retrieving" in words or "extracting" in words] == [
        "building the image debian 12: retrieving", "building the image debian 12: extracting",
    ]  # fmt: skip
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("stratumops-image-")]


def test_a_build_that_fails_says_debootstraps_last_words(stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STUB_FAILS", "1")
    with pytest.raises(ProviderError, match="no such suite"):
        image.build(debian(tmp_path), tmp_path / "image", NoCalls())
    assert not (tmp_path / "image").exists()


def test_a_build_that_hangs_is_ended_by_its_limit(stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STUB_HANGS", "1")
    monkeypatch.setattr(image, "BUILD_LIMIT", 0.5)
    with pytest.raises(ProviderError, match="could not be built"):
        image.build(debian(tmp_path), tmp_path / "image", NoCalls())


class Cancelled(NoCalls):
    """A person cancelled."""

    def is_cancelled(self) -> bool:
        return True


def test_a_build_that_a_person_cancels_ends(stub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STUB_HANGS", "1")
    with pytest.raises(ProviderBusyError, match="cancelled"):
        image.build(debian(tmp_path), tmp_path / "image", Cancelled())


def test_a_server_whose_image_is_not_there_waits_until_it_is_built_and_given_to_lxd(
    stub: Path, fake: FakeLxd, at_fake: LocalProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe = debian(tmp_path)
    monkeypatch.setattr(image, "recipe", lambda family, version, _="": recipe if (family, version) == ("debian", "12") else None)
    journal = Journal()
    system = {"family": "debian", "version": "12"}
    assert at_fake._images.source(system, journal) == {"type": "image", "alias": "prov/debian/12"}
    assert journal.calls == ["ImportImage"]
    (fingerprint,) = fake.images
    assert fake.aliases["prov/debian/12"] == fingerprint
    # Once it is there, nothing is built.
    stub.unlink()
    at_fake._images.source(system, journal)
    assert not stub.exists()
    assert "debian/12" in at_fake.catalogue().images


def test_giving_an_image_twice_keeps_the_first(fake: FakeLxd, at_fake: LocalProvider, tmp_path: Path):
    packed = tmp_path / "packed"
    packed.write_bytes(b"image")
    assert image.load(at_fake.daemon, packed, "mine") == image.load(at_fake.daemon, packed, "mine")
    assert len(fake.images) == 1


@pytest.mark.parametrize(
    ("family", "version", "suite", "script"),
    [("debian", "13", "trixie", "sid"), ("ubuntu", "24.04", "noble", "gutsy"), ("debian", "12", "bookworm", "sid")],
)
def test_what_debootstrap_can_build_is_known(family: str, version: str, suite: str, script: str):
    recipe = image.recipe(family, version, "http://mirror.example/archive")
    assert recipe is not None
    assert (recipe.suite, recipe.script, recipe.mirror) == (suite, script, "http://mirror.example/archive")
    assert "systemd-resolved" in recipe.packages
    unknown = replace(recipe, suite="no-such-suite")
    assert image._debootstrap(unknown, Path("/root"))[-1] == script


@pytest.mark.parametrize(("family", "version"), [("rocky", "9"), ("alpine", "3.22"), ("server", "1"), ("debian", "99")])
def test_what_debootstrap_cannot_build_is_none(family: str, version: str):
    assert image.recipe(family, version) is None


def test_what_keeps_a_machine_from_building_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in image.missing()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install debootstrap" in image.missing()
    for name in ("debootstrap", "tar", "unshare"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    recipe = image.recipe("ubuntu", "24.04")
    assert recipe is not None
    absent = replace(recipe, keyring=tmp_path / "none")
    assert "apt-get install ubuntu-keyring" in image.missing(absent)
    with pytest.raises(ProviderError, match="ubuntu-keyring"):
        image.build(absent, tmp_path / "image", NoCalls())
