"""Server programs that tests start: where they are, installed from Debian when we may, or a skip that says why not."""

import fcntl
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

INSTALL_LIMIT = 240  # seconds
READY_LIMIT = 30  # seconds


def _apt_get(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The run level keeps Debian from starting the service: tests start their own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return subprocess.run(
        ["apt-get", "--quiet", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_LIMIT,
        check=False,
    )


def _install(package: str) -> str:
    """Install a Debian package; return what went wrong, or nothing."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "only root on Debian can install it"
    with (Path(tempfile.gettempdir()) / "stratumops-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install = ("install", "--yes", "--no-install-recommends", package)
        try:
            if (done := _apt_get(*install)).returncode != 0 and _apt_get("update").returncode == 0:
                done = _apt_get(*install)
        except subprocess.TimeoutExpired:
            return f"apt-get did not end within {INSTALL_LIMIT} seconds"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["apt-get failed"])[-1]


def _find(name: str, folder: str) -> Path | None:
    """Find a program in the path, or the newest one in a folder such as `/usr/lib/postgresql/*/bin`."""
    if folder:
        matches = [path / name for path in Path("/").glob(folder.lstrip("/")) if (path / name).exists()]
        return max(matches, key=lambda path: [int(part) for part in path.parts if part.isdigit()], default=None)
    found = shutil.which(name)
    return Path(found) if found else None


@functools.cache
def program(name: str, *, package: str, folder: str = "") -> Path:
    """Return the path of a program of a Debian package, installed when it was missing. Skips the test when it cannot be."""
    if found := _find(name, folder):
        return found
    problem = _install(package)
    found = _find(name, folder)
    if found is None:
        pytest.skip(f"the program {name!r} of the package {package!r} is not there: {problem or 'the package does not hold it'}")
    return found


@functools.cache
def font() -> None:
    """Make sure that a font is there, for pictures with letters. Skips the test when none can be."""
    if not any(Path("/usr/share/fonts").rglob("*.ttf")):
        problem = _install("fonts-dejavu-core")
        if not any(Path("/usr/share/fonts").rglob("*.ttf")):
            pytest.skip(f"this machine has no font: {problem or 'the package holds none'}")


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback address that are free now, each a different one."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Process(Protocol):
    """A process of which it is known whether it has ended."""

    def poll(self) -> int | None:
        """The exit code of one that has ended."""


def wait_until(is_ready: Callable[[], bool], process: Process, log: Path) -> None:
    """Wait until a server answers; raise AssertionError with the end of its log when it ends, or takes too long."""
    deadline = time.monotonic() + READY_LIMIT
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.02)
