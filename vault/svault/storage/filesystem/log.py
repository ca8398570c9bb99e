"""The growing end of the log. Used by one thread at a time, which may block."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from svault.storage.filesystem.committed import CommittedFile, Mark
from svault.storage.filesystem.durable import sync_folder, write_all
from svault.storage.filesystem.folder import segment_name
from svault.storage.filesystem.manifest import Manifest
from svault.storage.filesystem.segment import HEADER_SIZE, Segment, create_segment


class Rotation(NamedTuple):
    """What `rotate` did: the sealed segment's number and length, a free number between the two, and the new segment."""

    sealed: int
    length: int
    free: int
    active: Segment


class Log:
    """Appends to the active segment; what it has said to be written is durable."""

    def __init__(self, folder: Path, sealed: Sequence[tuple[int, int]], mark: Mark, next_number: int) -> None:
        """Take up the log at its end. `mark` names the active segment, its good bytes and the last sequence. Raises OSError."""
        self._folder = folder
        self._sealed = list(sealed)
        self._mark = mark
        self._next_number = next_number
        self._has_ragged_end = True
        self._owes_folder_sync = True
        self._handle = os.open(folder / segment_name(mark.segment), os.O_RDWR)
        try:
            self._committed = CommittedFile(folder)
        except OSError:
            os.close(self._handle)
            raise

    @property
    def path(self) -> Path:
        """The active segment's file."""
        return self._folder / segment_name(self._mark.segment)

    def settle(self) -> None:
        """Cut off what lies behind the last good record and make the rest durable. Raises OSError."""
        self._repair()
        self._committed.settle(self._mark)

    def append(self, data: bytes, sequence: int) -> tuple[int, int]:
        """Write records whose last has this sequence, and sync; returns the segment and the offset where they begin.

        Raises OSError: nothing was written then, and the next call tries again.
        """
        segment, begin, _ = self._mark
        mark = Mark(segment, begin + len(data), sequence)
        try:
            self._repair()
            if data:
                self._has_ragged_end = True
                write_all(self._handle, data, begin)
                os.fdatasync(self._handle)
                self._require_name()
                self._committed.write(mark)
                self._has_ragged_end = False
        except OSError:
            self._repair_if_possible()
            raise
        if data:
            self._mark = mark
        return segment, begin

    def _require_name(self) -> None:
        if not os.fstat(self._handle).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "somebody removed the file")

    def _repair(self) -> None:
        if self._has_ragged_end:
            os.ftruncate(self._handle, self._mark.length)
            os.fdatasync(self._handle)
            self._has_ragged_end = False
        if self._owes_folder_sync:
            sync_folder(self._folder)
            self._owes_folder_sync = False

    def _repair_if_possible(self) -> None:
        try:
            self._repair()
        except OSError:
            # What made the write fail may also forbid this; it is owed then, and done before the next write.
            self._has_ragged_end = True

    def rotate(self) -> Rotation:
        """Seal the active segment and begin another. Raises OSError, and then nothing has changed."""
        self._repair()
        free, number = self._next_number, self._next_number + 1
        self._next_number += 2
        segment, length, sequence = self._mark
        sealed = [*self._sealed, (segment, length)]
        handle = create_segment(self._folder, number)
        active: Segment | None = None
        try:
            active = Segment(self._folder, number, HEADER_SIZE)
            sync_folder(self._folder)
            Manifest(sealed, number, sequence).write(self._folder)
        except OSError:
            os.close(handle)
            if active:
                active.retire()
            (self._folder / segment_name(number)).unlink(missing_ok=True)
            raise
        # From here on the new manifest may be what a restart finds: the switch stands, and no write is answered before the sync.
        self._owes_folder_sync = True
        os.close(self._handle)
        self._handle, self._sealed, self._mark = handle, sealed, Mark(number, HEADER_SIZE, sequence)
        return Rotation(segment, length, free, active)

    def replace_sealed(self, merged: tuple[int, int] | None) -> bool:
        """Let one segment (or none) stand for all sealed ones; it is synced already.

        Returns whether that is durable, so that the old files may go. Raises OSError, and then nothing has changed.
        """
        sealed = [merged] if merged else []
        sync_folder(self._folder)
        Manifest(sealed, self._mark.segment, self._mark.sequence).write(self._folder)
        self._sealed = sealed
        self._owes_folder_sync = True
        self._repair_if_possible()
        return not self._owes_folder_sync

    def close(self) -> None:
        """Sync how far the log goes and release the files. Raises OSError."""
        try:
            self._committed.settle(self._mark)
        finally:
            self.release()

    def release(self) -> None:
        """Release the files as they are."""
        self._committed.close()
        os.close(self._handle)
