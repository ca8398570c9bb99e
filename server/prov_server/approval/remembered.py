"""A key that was opened a moment ago, as the command that wants to use it again sees it: handed over, asked, forgotten."""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prov_server.approval.agent import LONGEST_SECONDS, READY, Handover, read_line, require_private
from prov_server.approval.places import Place, place_of
from provisioning.approval.document import CONTEXT
from provisioning.approval.key_files import PRODUCT
from provisioning.approval.keys import ApproverKey, PublicKey
from stratumops.errors import UnavailableError

_PATIENCE_SECONDS = 5.0
_START_SECONDS = 20.0
_LONGEST_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class RememberedKey:
    """Signs through the process that holds the key. A `Signer`."""

    name: str
    public: PublicKey
    socket: Path

    def sign(self, message: bytes, context: bytes) -> bytes:
        """The signature of an approval. Raises UnavailableError when the key is remembered no longer."""
        text = base64.b64encode(message).decode("ascii")
        answer = _asked(self.socket, {"wish": "sign", "document": text}) if context == CONTEXT else {}
        try:
            signature = base64.b64decode(answer["signature"], validate=True)
        except (KeyError, ValueError, TypeError):
            signature = b""
        if not self.public.verifies(message, signature, context):
            raise UnavailableError("the key is remembered no longer", hint="type the passphrase")
        return signature


def runtime_folder(environment: Mapping[str, str]) -> Path:
    """Where sockets lie: in the user's runtime folder (XDG), else in the user's cache folder."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        with suppress(OSError):
            require_private(Path(runtime))
            return Path(runtime) / PRODUCT
    cache = environment.get("XDG_CACHE_HOME", "")
    home = environment.get("HOME") or os.fspath(Path.home())
    return (Path(cache) if cache.startswith("/") else Path(home) / ".cache") / PRODUCT / "run"


def remember(key: ApproverKey, folder: Path, seconds: float = LONGEST_SECONDS) -> bool:
    """Hand an opened key to a process that keeps it for this terminal; False when it could not be, and nothing is remembered."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        require_private(folder)
        place = place_of(os.getpid(), os.getuid())
        path = _socket(folder, place, key.public)
        _forget(path)
        handover = Handover(os.fspath(path.absolute()), place, seconds, key.name, key.seeds)
        # Isolated: neither the folder we are in nor a variable chooses what the process imports.
        command = [sys.executable, "-I", "-m", "prov_server.approval.agent"]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )
    except OSError:
        return False
    with process:
        try:
            out, _ = process.communicate(handover.encoded(), timeout=_START_SECONDS)
        except (subprocess.TimeoutExpired, OSError):
            process.kill()
            return False
    return out == READY


def recall(name: str, public: PublicKey, folder: Path) -> RememberedKey | None:
    """The key of that approver, if it is remembered for this terminal."""
    try:
        require_private(folder)
        path = _socket(folder, place_of(os.getpid(), os.getuid()), public)
    except OSError:
        return None
    answer = _asked(path, {"wish": "about"})
    return RememberedKey(name, public, path) if answer.get("key") == public.id else None


def forget(folder: Path) -> int:
    """Let every remembered key of this user go; how many there were."""
    try:
        require_private(folder)
        return sum(_forget(path) for path in folder.glob("*.sock"))
    except OSError:
        return 0


def _forget(path: Path) -> bool:
    was_there = bool(_asked(path, {"wish": "forget"}).get("forgotten"))
    path.unlink(missing_ok=True)
    return was_there


def _socket(folder: Path, place: Place, public: PublicKey) -> Path:
    return folder / f"{place.session}-{place.session_start}-{public.id}.sock"


def _asked(path: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the process behind a socket answers; nothing when there is none, or it is not ours."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            address = os.fspath(path)
            if len(os.fsencode(address)) > _LONGEST_ADDRESS:
                address = f"/proc/self/fd/{folder}/{path.name}"
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
                caller.settimeout(_PATIENCE_SECONDS)
                caller.connect(address)
                peer = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                if struct.unpack("3i", peer)[1] != os.getuid():
                    return {}
                caller.sendall(json.dumps(request).encode("ascii") + b"\n")
                found = json.loads(read_line(caller))
        finally:
            os.close(folder)
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
