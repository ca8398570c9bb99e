"""The process that keeps an opened approver key for a few minutes, for one terminal.

It is handed the key through a pipe and writes it nowhere. It signs approvals and nothing else, and only for a process that sits
where the one sat that opened the key: the kernel says which process asks. It ends with its time, the session, or when told to.
Run as `python -I -m prov_server.approval.agent`.
"""

import base64
import json
import os
import select
import signal
import socket
import stat
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prov_server.approval.places import Place, keep_memory_private, keep_out_of_swap, place_of, stat_of
from provisioning.approval.document import CONTEXT, ApprovalDocument
from provisioning.approval.keys import ApproverKey

READY = b"ready\n"
LONGEST_SECONDS = 300.0
MOST_BYTES = 64 * 1024
_PATIENCE_SECONDS = 2.0
_FRESH_SECONDS = 60.0
"""A document's time must be about now: nobody collects signatures for later."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What the agent is given when it begins."""

    socket: str
    place: Place
    seconds: float
    name: str
    seeds: bytes = field(repr=False)

    def encoded(self) -> bytes:
        """As one line."""
        place = {name: getattr(self.place, name) for name in Place.__dataclass_fields__}
        seeds = base64.b64encode(self.seeds).decode("ascii")
        members = {"socket": self.socket, "place": place, "seconds": self.seconds, "name": self.name, "seeds": seeds}
        return json.dumps(members).encode("ascii") + b"\n"

    @classmethod
    def decoded(cls, line: bytes) -> "Handover":
        """The inverse of `encoded`."""
        found = json.loads(line)
        seeds = base64.b64decode(found["seeds"], validate=True)
        return cls(found["socket"], Place(**found["place"]), found["seconds"], found["name"], seeds)


class Agent:
    """Answers one line of JSON for another, one caller at a time, until its time is over."""

    def __init__(self, key: ApproverKey, place: Place, seconds: float) -> None:
        self._key, self._public, self._place = key, key.public, place
        self._ends = _steady() + min(seconds, LONGEST_SECONDS)
        self._is_over = False

    def serve(self, listener: socket.socket) -> None:
        """Answer until the time is over, the session ends, or somebody says forget."""
        try:
            leader: int = os.pidfd_open(self._place.session)
            if stat_of(self._place.session).start != self._place.session_start:
                return
        except OSError:
            return
        while not self._is_over and (left := self._ends - _steady()) > 0:
            ready, _, _ = select.select([listener.fileno(), leader], [], [], left)
            if leader in ready:
                return
            if ready:
                with suppress(OSError), listener.accept()[0] as caller:
                    caller.settimeout(_PATIENCE_SECONDS)
                    caller.sendall(json.dumps(self._answer(caller)).encode("ascii") + b"\n")

    def _answer(self, caller: socket.socket) -> dict[str, Any]:
        pid, uid, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        if uid != self._place.uid:
            return {"error": "another user"}
        try:
            request = json.loads(read_line(caller))
            wish = request["wish"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"error": "not understood"}
        if wish == "forget":
            self._is_over = True
            return {"forgotten": True}
        if not self._sits_here(pid, uid):
            return {"error": "another terminal, session or shell"}
        if wish == "about":
            return {"key": self._public.id, "seconds": self._ends - _steady()}
        document = self._document(request.get("document"))
        if wish != "sign" or document is None:
            return {"error": "not an approval of now"}
        signature = self._key.sign(document, CONTEXT)
        # Whoever asked is still the same process: a number can be given to another one while we look.
        return {"signature": base64.b64encode(signature).decode("ascii")} if self._sits_here(pid, uid) else {"error": "gone"}

    def _sits_here(self, pid: int, uid: int) -> bool:
        try:
            return stat_of(pid).is_in_foreground and place_of(pid, uid) == self._place
        except (OSError, ValueError):
            return False

    def _document(self, text: Any) -> bytes | None:
        """An approval that this key may sign now, or None."""
        try:
            body = base64.b64decode(text, validate=True)
            document = ApprovalDocument.of_body(body)
        except (ValueError, TypeError):
            return None
        is_own = (document.key, document.approver, document.way) == (self._public.id, self._key.name, "signature")
        return body if is_own and abs(document.made_at - time.time()) <= _FRESH_SECONDS else None


def read_line(caller: socket.socket) -> bytes:
    """One line of at most 64 KiB. Raises ValueError, OSError."""
    data = bytearray()
    while not data.endswith(b"\n"):
        more = caller.recv(4096)
        if not more or len(data) > MOST_BYTES:
            raise ValueError("no line")
        data += more
    return bytes(data)


def require_private(folder: Path) -> None:
    """Raises PermissionError unless only we can enter the folder."""
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
        raise PermissionError(f"{folder} must be a folder of yours alone (0700)")


def main() -> None:
    """Take the key from standard input, say that we are ready, and serve in the background."""
    keep_memory_private()
    keep_out_of_swap()
    handed = Handover.decoded(sys.stdin.buffer.readline())
    agent = Agent(ApproverKey(handed.name, handed.seeds), handed.place, handed.seconds)
    path = Path(handed.socket)
    os.chdir(path.parent)  # the address of a socket is short, a folder's path need not be
    require_private(Path())
    os.umask(0o177)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path.name)
        own = Path(path.name).lstat().st_ino
        listener.listen(4)
        if os.fork():
            os._exit(0)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, _end)
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        try:
            agent.serve(listener)
        finally:
            with suppress(OSError):  # a later agent may have the name now
                if Path(path.name).lstat().st_ino == own:
                    Path(path.name).unlink()


def _end(*_: object) -> None:
    raise SystemExit(0)


def _steady() -> float:
    """Seconds of a clock that does not jump and counts on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


if __name__ == "__main__":
    main()
