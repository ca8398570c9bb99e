"""A server's SSH daemon: its port, passwords, root. Source: sshd_config(5), cloud-init's modules cc_ssh and cc_set_passwords."""

from typing import Any

from prov_gen.export.cloud_init.patching import Steps
from prov_gen.export.tracking import Ledger, path_of

DROP_IN = "/etc/ssh/sshd_config.d/10-prov.conf"
_SSH_PORT = 22
_NO_DROP_INS = {"rocky": ("8",), "alpine": None, "ubuntu": ("18.04",), "debian": ("10",)}
"""Releases whose sshd reads no drop-in files; None is a distribution of which that is not certain."""


def ssh_settings(ssh: Any) -> dict[str, Any]:
    """What cloud-init has keys of its own for."""
    return {"ssh_pwauth": ssh.password_auth, "disable_root": not ssh.root_login}


def ssh_steps(ssh: Any, family: str, version: str, ledger: Ledger) -> Steps:
    """The daemon's own settings, where its distribution reads drop-in files."""
    without = _NO_DROP_INS[family]
    if without is None or version in without:
        ledger.leave((*path_of(ssh), "port"), f"sshd of {family} {version} is not known to read drop-in files")
        return Steps()
    answers = {True: "yes", False: "no"}
    lines = [
        f"Port {ssh.port}",
        f"PasswordAuthentication {answers[ssh.password_auth]}",
        f"PermitRootLogin {answers[ssh.root_login]}",
    ]
    files = ((DROP_IN, "\n".join(lines) + "\n"),)
    if family == "rocky":
        if ssh.port == _SSH_PORT:
            return Steps(files=files, commands=(("systemctl", "restart", "sshd"),))
        # SELinux lets sshd listen on ports of its own type only.
        allow = ("semanage", "port", "-a", "-t", "ssh_port_t", "-p", "tcp", str(ssh.port))
        return Steps(("policycoreutils-python-utils",), files, (allow, ("systemctl", "restart", "sshd")))
    # Where systemd holds the socket (Ubuntu since 22.10), the port is read when units are.
    socket = ("sh", "-c", "if systemctl is-active --quiet ssh.socket; then systemctl restart ssh.socket; fi")
    return Steps(files=files, commands=(("systemctl", "daemon-reload"), socket, ("systemctl", "restart", "ssh")))
