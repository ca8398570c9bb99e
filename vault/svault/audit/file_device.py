"""The `file` device: a file with the signed hash chain, a plain file, standard output, or nowhere.

Options as in Vault (`file_path`, `mode`, `format`, `prefix`, `log_raw`, `hmac_accessor`, `elide_list_responses`), and ours:
`chain` (default true for a regular file without a prefix), `rotate_bytes`, `rotate_days`, `retention_days`, `sign_lines`,
`sign_seconds`.
"""

import asyncio
import os
import stat
from collections.abc import Awaitable, Sequence
from pathlib import Path

from svault.audit import files
from svault.audit.chain import Chain, ChainOptions
from svault.audit.device import Device, DeviceOptions
from svault.audit.files import AuditFileError
from svault.crypto.base import CryptoBackend
from svault.errors import BadRequestError
from svault.logical.clock import Clock

_STDOUT = 1
_WRITE_SECONDS = 2.0


def file_device(options: DeviceOptions, crypto: CryptoBackend, seed: bytes, clock: Clock) -> Device:
    """The device of these options, not yet open. Raises BadRequestError for options that cannot be."""
    options.require_json()
    path = options.text("file_path") or options.text("path")
    if not path:
        raise BadRequestError("file_path is required")
    if path.lower() == "discard":
        return Discard()
    if path.lower() == "stdout":
        return Stdout()
    mode = _mode(options.text("mode"))
    has_prefix = bool(options.text("prefix"))
    if has_prefix and options.flag("chain", default=False):
        raise BadRequestError(
            "a file with a prefix has no hash chain: its lines are no JSON; leave out prefix or set chain=false"
        )
    if not options.flag("chain", default=not has_prefix and not _is_special(path)):
        return PlainFile(Path(path), mode)
    defaults = ChainOptions()
    kept = ChainOptions(
        mode=mode,
        sign_lines=int(options.number("sign_lines", defaults.sign_lines, 1)),
        sign_seconds=options.number("sign_seconds", defaults.sign_seconds, 0.01),
        rotate_bytes=int(options.number("rotate_bytes", defaults.rotate_bytes, 4096)),
        rotate_days=options.number("rotate_days", defaults.rotate_days, 0.001),
        retention_days=options.number("retention_days", defaults.retention_days, 1),
    )
    return ChainedFile(Chain(Path(path), crypto, seed, clock, kept))


def _mode(text: str) -> int:
    """Permissions from octal text; 0 keeps those of a file that must be there."""
    try:
        mode = int(text or "0600", 8)
    except ValueError:
        mode = -1
    if mode < 0:
        raise BadRequestError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    return mode & 0o777


def _is_special(path: str) -> bool:
    try:
        kind = Path(path).stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def require_writable(path: Path, mode: int) -> None:
    """Make the folder if it is missing and try the file. Raises BadRequestError in Vault's words."""
    if mode == 0 and not path.exists():
        raise BadRequestError(f"stat {path}: no such file or directory")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequestError(
            f'sanity check failed; unable to open "{path}" for writing: mkdir {path.parent}: {files.said(error)}'
        ) from None
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600))
    except OSError as error:
        raise BadRequestError(
            f'sanity check failed; unable to open "{path}" for writing: open {path}: {files.said(error)}'
        ) from None


class ChainedFile:
    """A file of one JSON object a line, each linked to the one before."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self.chain.path

    @property
    def mode(self) -> int:
        """Its permissions; 0 keeps them."""
        return self.chain.options.mode

    async def open(self) -> None:
        """See Device."""
        await asyncio.to_thread(self.chain.open)

    def write(self, *entries: bytes) -> Awaitable[None] | None:
        """See Device."""
        self.chain.append(entries)
        return None

    async def reopen(self) -> None:
        """See Device."""
        await asyncio.to_thread(self.chain.reopen)

    async def close(self) -> None:
        """See Device."""
        await asyncio.to_thread(self.chain.close)


class PlainFile:
    """A file, pipe or terminal without a chain. A file that was removed is made again."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path, self.mode = path, mode
        self._descriptor = -1

    async def open(self) -> None:
        """See Device."""
        self._open()

    def write(self, *entries: bytes) -> Awaitable[None] | None:
        """See Device."""
        if self._descriptor < 0 or not os.fstat(self._descriptor).st_nlink:
            self._open()
        line = _lines(entries)
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise AuditFileError(f"write {self.path}: {files.said(error)}", path=str(self.path)) from None
        if written != len(line):
            self._withdraw(written)
            raise AuditFileError(f"write {self.path}: a part of the entry was written only", path=str(self.path))
        return None

    async def reopen(self) -> None:
        """See Device."""
        self._open()

    async def close(self) -> None:
        """See Device."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor = os.open(self.path, flags, self.mode or 0o600)
            status = os.fstat(self._descriptor)
            if self.mode and stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != self.mode:
                os.fchmod(self._descriptor, self.mode)
        except OSError as error:
            raise AuditFileError(f"open {self.path}: {files.said(error)}", path=str(self.path)) from None

    def _withdraw(self, written: int) -> None:
        """Take back what was written of a line, so that the next one does not continue it."""
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode):
            os.ftruncate(self._descriptor, status.st_size - written)


class Stdout:
    """Standard output. Whoever reads it may be slow, so it is written by a thread."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """See Device."""

    def write(self, *entries: bytes) -> Awaitable[None] | None:
        """See Device."""
        return self._write(_lines(entries))

    async def reopen(self) -> None:
        """See Device."""

    async def close(self) -> None:
        """See Device."""

    async def _write(self, line: bytes) -> None:
        try:
            async with asyncio.timeout(_WRITE_SECONDS), self._turn:
                await asyncio.to_thread(_write_all, line)
        except TimeoutError:
            raise AuditFileError("write stdout: nobody reads it") from None
        except OSError as error:
            raise AuditFileError(f"write stdout: {files.said(error)}") from None


def _lines(entries: Sequence[bytes]) -> bytes:
    return b"".join([entry + b"\n" for entry in entries])


def _write_all(line: bytes) -> None:
    while line:
        line = line[os.write(_STDOUT, line) :]


class Discard:
    """Nowhere; for trying out."""

    async def open(self) -> None:
        """See Device."""

    def write(self, *entries: bytes) -> Awaitable[None] | None:  # noqa: ARG002 - the protocol's parameter
        """See Device."""
        return None

    async def reopen(self) -> None:
        """See Device."""

    async def close(self) -> None:
        """See Device."""
