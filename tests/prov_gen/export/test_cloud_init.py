"""cloud-init user data: what is set up, that it is honest, and that cloud-init's own schema takes it."""

import email
import fcntl
import os
import shutil
import subprocess
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import peers
from export_cases import EVERY_KIND, configurations, drawn, every_kind, examples, silent_losses
from prov_gen.export.cloud_init import export
from prov_gen.model.infrastructure import InfrastructureConfig

CHECK = """
import sys
from cloudinit.config.schema import get_schema, validate_cloudconfig_file
schema = get_schema()
for path in sys.argv[1:]:
    try:
        validate_cloudconfig_file(path, schema)
    except Exception as error:
        print(path, error)
print("checked", len(sys.argv) - 1)
"""


@pytest.fixture(scope="module")
def cloudinit() -> Path:
    """Folder of cloud-init's own Python modules: it is a package of Debian's, unpacked beside the peer's environment."""
    home = peers.environment("cloud-init")
    unpacked = home / "unpacked"
    with (home / "unpack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
                pytest.skip("cloud-init's schema comes in a Debian package, and this system has no apt-get")
            fresh = home / f"download-{os.getpid()}"
            fresh.mkdir()
            done = subprocess.run(["apt-get", "download", "cloud-init"], cwd=fresh, capture_output=True, text=True, check=False)
            found = list(fresh.glob("cloud-init_*.deb"))
            if done.returncode != 0 or not found:
                shutil.rmtree(fresh)
                pytest.skip(f"cloud-init's Debian package cannot be fetched: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
            subprocess.run(["dpkg-deb", "--extract", found[0], fresh / "tree"], check=True, capture_output=True)
            (fresh / "tree").rename(unpacked)
            shutil.rmtree(fresh)
    return unpacked / "usr" / "lib" / "python3" / "dist-packages"


def objections(cloudinit: Path, folder: Path, documents: dict[str, str]) -> str:
    for name, text in documents.items():
        (folder / name).write_text(text, encoding="utf-8")
    python = peers.environment("cloud-init") / "venv" / "bin" / "python"
    command = [python, "-c", CHECK, *(folder / name for name in documents)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(cloudinit)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.replace(f"checked {len(documents)}\n", "").strip()


def parts(text: str) -> list[Message]:
    return [part for part in email.message_from_string(text).walk() if not part.is_multipart()]


def ours(name: str, text: str) -> str:
    if name.endswith(".yaml"):
        return text
    payload = parts(text)[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def documents(configs: dict[str, InfrastructureConfig]) -> dict[str, str]:
    return {
        f"{prefix}-{name}.yaml": ours(name, text) for prefix, one in configs.items() for name, text in export(one).files.items()
    }


def config(**server: Any) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate({"servers": [{"name": "a", **server}]})


def reasons(made: InfrastructureConfig) -> dict[str, str]:
    return {".".join(map(str, one.path)): one.reason for one in export(made).not_carried}


def test_cloud_inits_schema_takes_the_examples_every_kind_and_drawn_servers(cloudinit: Path, tmp_path: Path) -> None:
    known = documents({"every": every_kind(), **examples()})
    assert len(known) == 5
    made = documents({str(number): one for number, one in enumerate(drawn(40, "servers", "taskservs", "security"))})
    assert len(made) > 20
    assert objections(cloudinit, tmp_path, known | made) == ""


def test_cloud_inits_schema_would_object_to_user_data_that_is_wrong(cloudinit: Path, tmp_path: Path) -> None:
    assert "packages" in objections(cloudinit, tmp_path, {"wrong.yaml": "#cloud-config\npackages: 1\n"})


def test_every_stated_value_changes_a_file_or_is_listed() -> None:
    assert silent_losses(export, EVERY_KIND) == []


@given(configurations("servers", "taskservs"))
@settings(max_examples=20, deadline=None)
def test_the_same_configuration_gives_the_same_files(made: InfrastructureConfig) -> None:
    assert export(made) == export(made.model_copy(deep=True))


@given(configurations("servers", "taskservs", "secrets"))
@settings(max_examples=20, deadline=None)
def test_no_handle_of_the_vault_gets_into_user_data(made: InfrastructureConfig) -> None:
    handles = {one.handle for one in made.secrets} | {text for one in made.taskservs for text in one.settings.values() if text}
    for name, text in export(made).files.items():
        assert not [handle for handle in handles if len(handle) > 8 and handle in ours(name, text)]


def test_a_script_of_the_users_stands_beside_ours() -> None:
    script = "#!/bin/sh\necho hello\n"
    (name, text), *_ = export(config(user_data=script)).files.items()
    assert name == "a.user-data.mime"
    assert [part.get_content_type() for part in parts(text)] == ["text/cloud-config", "text/x-shellscript"]
    assert parts(text)[1].get_payload(decode=True) == script.encode()


def test_the_users_own_cloud_config_is_added_to_ours_and_takes_nothing_away() -> None:
    (text,) = export(config(user_data="#cloud-config\nruncmd: [ls]\n")).files.values()
    assert parts(text)[1]["Merge-Type"] == "dict(recurse_dict,no_replace)+list(append)+str(no_replace)"


def test_user_data_that_cloud_init_would_not_know_is_listed() -> None:
    made = config(user_data="echo hello")
    assert list(export(made).files) == ["a.user-data.yaml"]
    assert "servers.0.user_data" in reasons(made)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"ssh": {"port": 2222}}, "Port 2222\n"),
        ({"ssh": {"root_login": True}}, "PermitRootLogin yes\n"),
        ({"ssh": {"password_auth": True}}, "ssh_pwauth: true\n"),
        ({"patching": {"window": "sun 23:00-01:30"}}, "OnCalendar=Sun *-*-* 23:00:00\n    RandomizedDelaySec=150min\n"),
        ({"patching": {"automatic": False}}, 'Unattended-Upgrade "0";\n'),
        ({"taskservs": ["nginx"]}, "- nginx\n"),
        ({"spec": {"os": {"family": "rocky"}}}, "- dnf-automatic\n"),
        ({"ssh": {"port": 2222}, "spec": {"os": {"family": "rocky"}}}, "ssh_port_t"),
    ],
)
def test_what_is_stated_is_set_up(server: dict[str, Any], expected: str) -> None:
    (text,) = export(config(**server)).files.values()
    assert expected in text


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ({"patching": {"window": "when it rains"}}, "servers.0.patching.window"),
        ({"taskservs": ["vapora"]}, "servers.0.taskservs.0"),
        ({"ssh": {"port": 2222}, "spec": {"os": {"family": "alpine"}}}, "servers.0.ssh.port"),
        ({"spec": {"os": {"family": "alpine"}}}, "servers.0.patching.automatic"),
        ({"plan": "t3.micro"}, "servers.0.plan"),
    ],
)
def test_what_cannot_be_set_up_from_inside_is_listed(server: dict[str, Any], path: str) -> None:
    assert path in reasons(config(**server))


def test_clocks_are_left_alone_where_the_configuration_says_so() -> None:
    made = InfrastructureConfig.model_validate({"servers": [{"name": "a"}], "security": {"time_sync": False}})
    (text,) = export(made).files.values()
    assert "ntp:\n  enabled: false\n" in text


def test_nobody_is_invented() -> None:
    for name, text in export(every_kind()).files.items():
        assert not {"users:", "ssh_authorized_keys:", "chpasswd:", "password:"} & set(ours(name, text).split())
