"""Where the audit is written: one chain a workspace, by one thread, in order. Nothing is opened before the first line."""

import stat
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from prov_tools.call_log import FILE, FOLDER
from stratumops.errors import PermissionDeniedError, StratumError, UnavailableError
from stratumops.settings import FILE_NAME
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from svault.audit.chain import Chain

Body = Callable[[bytes], bytes]
"""Makes a line of the chain with the workspace's key for digests."""


class Trail:
    """The chain of a workspace, which several processes may write at once."""

    def __init__(self, workspace: Workspace, retention_days: int) -> None:
        self._workspace, self._retention_days = workspace, retention_days
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
        self._chain: Chain | None = None
        self._digest_key = b""

    @property
    def folder(self) -> Path:
        """`.prov/audit/` of the workspace."""
        return self._workspace.own / FOLDER

    @property
    def is_in_workspace(self) -> bool:
        """Whether the folder is somebody's workspace, and not one in which a command was tried out."""
        return self._workspace.own.is_dir() or (self._workspace.root / FILE_NAME).is_file()

    def append(self, body: Body) -> "Future[None]":
        """Append a line; it is in the file when the future is done, which else raises UnavailableError."""
        try:
            return self._writer.submit(self._append, body)
        except RuntimeError:  # a call that ends after the server
            refused: Future[None] = Future()
            refused.set_exception(_unwritable("it is closed", ""))
            return refused

    def close(self) -> None:
        """Sign what is unsigned and let the file go, after everything that was appended has been written. Twice is no error."""
        self._writer.shutdown(wait=True)
        if self._chain is not None:
            chain, self._chain = self._chain, None
            chain.close()

    def _append(self, body: Body) -> None:
        try:
            chain = self._chain or self._open()
            chain.append([body(self._digest_key)])
        except StratumError as error:
            raise _unwritable(error.message, error.hint) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _unwritable(f"{where}{error.strerror}", "") from None

    def _open(self) -> "Chain":
        from prov_server.audit.keys import keep_public, read_or_make_key, write_once  # noqa: PLC0415 - only the first call pays
        from svault.audit.chain import Chain, ChainOptions  # noqa: PLC0415 - as above
        from svault.crypto.choice import backend  # noqa: PLC0415 - as above
        from svault.logical.clock import SystemClock  # noqa: PLC0415 - as above

        folder = self._make_folder()
        key = read_or_make_key(folder)
        options = ChainOptions(shared=True, retention_days=float(self._retention_days))
        chain = Chain(folder / FILE, backend("openssl"), key.seed, SystemClock(), options)
        keep_public(folder, chain.public_key)
        # The folder may lie in a repository whose owner has never heard of it.
        write_once(folder / ".gitignore", "*\n")
        chain.open()
        self._chain, self._digest_key = chain, key.digest
        return chain

    def _make_folder(self) -> Path:
        self._workspace.make_own()
        folder = self.folder
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or stat.S_IMODE(info.st_mode) & 0o077:
            raise PermissionDeniedError(f"{folder} must be a folder that only you can look into", hint=f"chmod 700 {folder}")
        return folder


def _unwritable(why: str, hint: str) -> UnavailableError:
    return UnavailableError(f"the audit cannot be written: {why}", hint=hint or "make room, or let it be written there again")
