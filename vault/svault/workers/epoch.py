"""A number that the active process raises with each change, in memory that all processes share.

Whoever reads it before a request knows whether it has heard of everything that was answered before: no message is waited for.
Beside it stands how long the active process vouches for being the active one: one that hangs may no longer be.
"""

import mmap
import os

_BYTES = 8
VALID_SECONDS = 2.0
"""Much less than the lease of an election (see the storages)."""


class Epoch:
    """The number, by the descriptor of its memory."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, mmap.PAGESIZE)
        self._number = memoryview(self._memory)[:_BYTES].cast("Q")
        self._until = memoryview(self._memory)[_BYTES : 2 * _BYTES].cast("d")

    @classmethod
    def new(cls) -> "Epoch":
        """A number in memory of its own, which only inherited descriptors reach. Raises OSError."""
        descriptor = os.memfd_create("svault epoch", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, mmap.PAGESIZE)
        return cls(descriptor)

    @property
    def value(self) -> int:
        """The number now."""
        return self._number[0]

    def raised(self) -> int:
        """Raise it by one; the active process alone does."""
        self._number[0] += 1
        return self._number[0]

    @property
    def valid_until(self) -> float:
        """The time, by the clock that never jumps, from which on only the active process answers."""
        return self._until[0]

    def vouch(self, now: float) -> None:
        """Say that the active process is alive."""
        self._until[0] = now + VALID_SECONDS

    def close(self) -> None:
        """Let the memory go."""
        self._number.release()
        self._until.release()
        self._memory.close()
        os.close(self.descriptor)
