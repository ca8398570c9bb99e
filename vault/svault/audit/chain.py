"""A signed hash chain in append-only files of JSON lines: who appends, signs and rotates. `records` says what a line looks like.

Appending never waits for a signature: a thread signs the head that it finds, and appends the signature behind whatever has been
appended meanwhile. Vault's file device writes such a chain, and so does the audit of tool calls.
"""

import logging
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from svault.audit import files, records
from svault.audit.files import AuditFileError
from svault.audit.records import BEFORE_ALL, Head
from svault.crypto.base import CryptoBackend
from svault.errors import VaultError
from svault.logical.clock import Clock

_log = logging.getLogger(__name__)
_DAY = 86400.0
_RETRY = 5.0
"""Seconds until the thread tries again what failed (a full disk)."""
_PATIENCE = 5.0
"""Seconds that one of several processes waits for the lock of another: an append takes microseconds."""
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """How a chain is kept. The thread signs after `sign_lines` lines, or `sign_seconds` after the first unsigned one."""

    mode: int = 0o600
    shared: bool = False
    """Whether several processes append to the same file; each append then takes the file's lock."""
    sign_lines: int = 4000
    sign_seconds: float = 60.0
    rotate_bytes: int = 64 * 1024 * 1024
    rotate_days: float = 30.0
    retention_days: float = 2555.0
    """How long a rotated file is kept, from its last line to the beginning of the file that is rotated now."""
    context: bytes = records.CONTEXT


class Chain:
    """An open chain. Methods may be called from several threads and raise AuditFileError; lines that raised are not in the file.

    `seed` is the ML-DSA-65 seed that signs. One process one file, unless the options say `shared`.
    """

    def __init__(self, path: Path, crypto: CryptoBackend, seed: bytes, clock: Clock, options: ChainOptions | None = None) -> None:
        self.path = path
        self.options = options or ChainOptions()
        self._crypto, self._seed, self._clock = crypto, seed, clock
        self.public_key = crypto.dsa_public(seed)
        self.key_id = records.key_id(self.public_key)
        self._due = threading.Condition(threading.Lock())
        self._descriptor = -1
        self._head = BEFORE_ALL
        self._size = _UNKNOWN
        self._began = 0.0
        self._first = 0
        self._unsigned = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"Chain({str(self.path)!r}, head={self._head})"

    @property
    def head(self) -> Head:
        """The last line that this process appended or saw."""
        return self._head

    def open(self) -> None:
        """Open the file, or begin it: go on behind its last whole line, mark a torn one, sign what is unsigned."""
        with self._file():
            pass
        self._sign_unsigned()
        self._thread = threading.Thread(target=self._run, name="audit-chain", daemon=True)
        self._thread.start()

    def append(self, bodies: Sequence[bytes]) -> Head:
        """Append JSON objects (each not empty, on one line, without a member `chain`) in one write; returns the new head."""
        if self._is_closed:
            raise AuditFileError(f"write {self.path}: the chain is closed", path=str(self.path))
        with self._due:
            try:
                self._ready()
                self._write(bodies)
            finally:
                self._released()
            before, self._unsigned = self._unsigned, self._unsigned + len(bodies)
            if not before or self._unsigned >= self.options.sign_lines > before or self._is_full():
                self._due.notify()
            return self._head

    def sign(self) -> None:
        """Sign the head as it is now."""
        with self._file():
            head, covered = self._head, self._unsigned
        signature = self._crypto.dsa_sign(self._seed, records.signed_message(head), self.options.context)
        with self._file():
            self._write_record(
                "signed", {"seq": head.seq, "hash": head.hash, "key_id": self.key_id, "signature": records.encoded(signature)}
            )
            self._unsigned -= covered

    def rotate(self, *, if_full: bool = False) -> None:
        """Begin a new file, whatever the size and age of this one; then remove what the retention no longer keeps."""
        self._sign_unsigned()
        with self._file():
            if if_full and not self._is_full():
                return  # another process did
            keep_from = self._began - self.options.retention_days * _DAY
            old = os.dup(self._descriptor)
            try:
                self._put_away()
                self._attach("rotated")
            except AuditFileError:
                os.close(old)
                raise
        try:
            os.fsync(old)  # outside the lock: appending does not wait for the disk
        finally:
            os.close(old)
        self._sign_unsigned()
        self._expire(keep_from)

    def reopen(self) -> None:
        """Open the file of this name again, after somebody renamed it; the chain runs on in the new file."""
        with self._due:
            self._detach()
        with self._file():
            pass
        self._sign_unsigned()

    def close(self) -> None:
        """Sign what is unsigned, make it durable and let the file go."""
        with self._due:
            self._is_closed = True
            self._due.notify_all()
        if self._thread is not None:
            self._thread.join()
        try:
            if self._descriptor >= 0:
                self._sign_unsigned()
                os.fsync(self._descriptor)
        finally:
            with self._due:
                self._detach()

    @contextmanager
    def _file(self) -> Iterator[None]:
        """Hold the lock, with the file of this name open, ours alone, and `_head` its end."""
        with self._due:
            try:
                self._ready()
                yield
            finally:
                self._released()

    # Everything below but `_sign_unsigned`, `_expire` and `_run` is called with the lock held.

    def _ready(self) -> None:
        if self._descriptor < 0:
            self._attach("reopened")
        else:
            self._recheck()

    def _released(self) -> None:
        if self.options.shared and self._descriptor >= 0:
            files.unlock(self._descriptor)

    def _recheck(self) -> None:
        if self.options.shared:
            files.lock(self._descriptor, self.path, _PATIENCE)
        status = os.fstat(self._descriptor)
        is_ours = files.is_current(self._descriptor, self.path) if self.options.shared else status.st_nlink > 0
        if not is_ours:
            self._attach("reopened" if self.options.shared else "removed")
        elif status.st_size != self._size:
            self._settle("emptied")

    def _attach(self, reason: str) -> None:
        self._detach()
        self._descriptor = files.opened(self.path, self.options.mode, _PATIENCE if self.options.shared else 0.0)
        self._settle(reason)
        began = records.record_of(os.pread(self._descriptor, files.MAX_FIRST_LINE, 0).partition(b"\n")[0])
        if began.get("event") == "start" and began.get("key_id") != self.key_id:
            self._put_away()
            self._attach("key changed")

    def _detach(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size = -1, _UNKNOWN

    def _settle(self, reason: str) -> None:
        """Find the end of a file that we have just opened, or that is not as we left it."""
        is_new, self._size = self._size == _UNKNOWN, _UNKNOWN
        size = os.fstat(self._descriptor).st_size
        last, stray = files.end_of(self._descriptor, size)
        if stray and not stray.endswith(b"\n"):
            size += self._put(b"\n")
            stray += b"\n"
        if last is not None and last.seq > self._head.seq:
            self._head = last.head
        if last is not None and is_new:
            self._first, self._began = files.beginning(self._descriptor)
            self._unsigned += not last.is_signature
        self._size = size
        try:
            if last is None:
                self._begin(reason, stray)
            elif stray:
                self._write_record("marked", {"stray": records.stray(stray)})
                self._unsigned += 1
        except AuditFileError:
            self._size = _UNKNOWN  # look again at the next append
            raise

    def _begin(self, reason: str, stray: bytes) -> None:
        if self._head == BEFORE_ALL:
            self._head = files.newest_head(self.path) or BEFORE_ALL
        self._first, self._began = self._head.seq + 1, self._clock.time()
        follows = None if self._head == BEFORE_ALL else {"seq": self._head.seq, "hash": self._head.hash}
        about: dict[str, Any] = {
            "version": 1,
            "reason": reason if follows else "created",
            "nonce": secrets.token_hex(16),
            "follows": follows,
            "algorithm": "ML-DSA-65",
            "context": self.options.context.decode("ascii"),
            "sign_lines": self.options.sign_lines,
            "key_id": self.key_id,
            "public_key": records.encoded(self.public_key),
        }
        self._write_record("start", {**about, "stray": records.stray(stray)} if stray else about)
        self._unsigned += 1

    def _write_record(self, event: str, members: Mapping[str, Any]) -> None:
        self._write([records.record(event, self._clock.time(), members)])

    def _write(self, bodies: Sequence[bytes]) -> None:
        head, lines = self._head, []
        for body in bodies:
            line, head = records.linked(body, head)
            lines.append(line)
        self._size += self._put(b"".join(lines))
        self._head = head

    def _put(self, data: bytes) -> int:
        try:
            written = os.write(self._descriptor, data)
            if written == len(data):
                return written
            what = "the disk took a part of it only"
        except OSError as error:
            what = files.said(error)
        if self._size != _UNKNOWN:
            try:
                os.ftruncate(self._descriptor, self._size)
            except OSError as error:  # the torn line is marked by the next who appends
                what += f", and the torn line stays: {files.said(error)}"
        raise AuditFileError(f"write {self.path}: {what}", path=str(self.path))

    def _put_away(self) -> None:
        try:
            self.path.rename(files.rotated_name(self.path, self._clock.time(), self._first))
        except OSError as error:
            raise AuditFileError(f"rename {self.path}: {files.said(error)}", path=str(self.path)) from None

    def _is_full(self) -> bool:
        return self._size >= self.options.rotate_bytes or self._clock.time() - self._began >= self.options.rotate_days * _DAY

    def _sign_unsigned(self) -> None:
        if self._unsigned:
            self.sign()

    def _expire(self, keep_from: float) -> None:
        gone: list[Path] = []
        until = BEFORE_ALL
        for path in files.rotated(self.path):
            head, written = files.end_of_file(path)
            if written >= keep_from:
                break
            gone, until = [*gone, path], head
        if not gone:
            return
        with self._file():
            self._write_record("expired", {"files": [path.name for path in gone], "seq": until.seq, "hash": until.hash})
        self.sign()
        for path in gone:
            path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            with self._due:
                self._due.wait_for(lambda: self._is_closed or self._unsigned)
                self._due.wait_for(self._is_due, self.options.sign_seconds)
                if self._is_closed:
                    return
                is_full = self._is_full()
            try:
                if is_full:
                    self.rotate(if_full=True)
                else:
                    self.sign()
            except (VaultError, OSError) as error:
                said = str(error) if isinstance(error, VaultError) else files.said(error)
                _log.warning("an audit chain could not be signed or rotated: %s", said)
                with self._due:
                    self._due.wait_for(lambda: self._is_closed, _RETRY)

    def _is_due(self) -> bool:
        return self._is_closed or self._unsigned >= self.options.sign_lines or self._is_full()
