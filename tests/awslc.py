"""AWS-LC's libcrypto for the tests, built once from the source distribution of `awscrt`, or a skip that says why not.

The built library lives in the user's cache folder under a name that contains a hash of what it is built from, so that every
clone shares it. A build takes one to three minutes; tests that ask meanwhile wait for it.
"""

import fcntl
import functools
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from peers import ROOT, environment

SOURCE = ROOT / "requirements" / "peers" / "awscrt" / "source.txt"
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DBUILD_TESTING=OFF",
    "-DBUILD_TOOL=OFF",
    "-DBUILD_LIBSSL=OFF",
    "-DDISABLE_GO=ON",
    "-DDISABLE_PERL=ON",
)
BUILD_LIMIT = 900  # seconds


class CannotBuildError(Exception):
    """Something that the build needs is not here; the message says what."""


def libcrypto() -> Path:
    """Return the path of AWS-LC's libcrypto.so, built when it was missing."""
    found = _libcrypto()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@functools.cache
def _libcrypto() -> Path | str:
    """Return the library's path, or why there is none: that is asked once, because a registry that is away answers slowly."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stratumops" / "envs"
    digest = hashlib.sha256(f"{platform.machine()} {OPTIONS}".encode() + SOURCE.read_bytes()).hexdigest()[:16]
    library = base / f"awslc-{digest}" / "libcrypto.so"
    if not library.exists():
        if shutil.which("cc") is None:
            return "AWS-LC is built with a C compiler, and this machine has no cc"
        tools = environment("awscrt") / "venv" / "bin"
        library.parent.mkdir(parents=True, exist_ok=True)
        with library.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not library.exists():
                try:
                    _build(tools, library)
                except CannotBuildError as error:
                    return str(error)
    return library


def _build(tools: Path, library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as name:
        folder = Path(name)
        # The pip of this environment, or of the Python that it was made with, run by the one that has the build's tools.
        pip = sys.executable if importlib.util.find_spec("pip") else f"{sys.base_prefix}/bin/python3"
        download = [pip, "-m", "pip", "--python", tools / "python", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        fetched = _run([*download, "--no-binary", ":all:", "--require-hashes", "-r", SOURCE, "-d", folder], folder, tools)
        assert "DO NOT MATCH THE HASHES" not in fetched.stderr, "the source of AWS-LC is not the locked one"
        if fetched.returncode != 0:
            raise CannotBuildError(f"the source of AWS-LC cannot be fetched: {_last_lines(fetched)}")
        (archive,) = folder.glob("awscrt-*.tar.gz")
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        source = folder / archive.name.removesuffix(".tar.gz") / "crt" / "aws-lc"
        for step in (
            [tools / "cmake", "-G", "Ninja", "-S", source, "-B", folder / "build", *OPTIONS],
            [tools / "cmake", "--build", folder / "build", "--target", "crypto"],
        ):
            done = _run(step, folder, tools)
            assert done.returncode == 0, f"AWS-LC cannot be built: {_last_lines(done)}"
        shutil.copy(folder / "build" / "crypto" / "libcrypto.so", folder / "whole.so")
        (folder / "whole.so").replace(library)


def _run(command: list[str | Path], folder: Path, tools: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nice", *command],
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_LIMIT,
        check=False,
    )


def _last_lines(done: subprocess.CompletedProcess[str]) -> str:
    return "; ".join([line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-3:])
