"""Landlock through ctypes: from here on this process reads the given files and nothing else.

Source: `man 7 landlock` and include/uapi/linux/landlock.h; the three system calls have the same numbers on every
architecture. Everything fails closed: a rule that cannot be added is an error, never a wider sandbox.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _READ_FILE = 1 << 0, 1 << 2
_FS_ABI_1 = (1 << 13) - 1
_FS_REFER, _FS_TRUNCATE, _FS_IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_NET_BIND_AND_CONNECT = 0b11
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


class LandlockError(OSError):
    """The sandbox could not be closed; nothing of the caller's may run."""


_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int, meaning: str) -> None:
    if sys.platform != "linux":
        return
    if _libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise LandlockError(ctypes.get_errno(), f"prctl refused: {meaning}")


def abi() -> int:
    """The kernel's Landlock ABI; 0 when it has none or does not offer it to this process."""
    if sys.platform != "linux":
        return 0
    version = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION))
    return max(int(version), 0)


def die_with_parent(parent: int, signal: int) -> None:
    """Ask for `signal` when the parent ends; end now when it has ended already."""
    _prctl(_PR_SET_PDEATHSIG, signal, "die with the parent")
    if os.getppid() != parent:
        raise LandlockError("the parent process is gone")


def forbid_inspection_and_privileges() -> None:
    """No core dump, no ptrace by others of the same user, and no program that gains rights on exec."""
    _prctl(_PR_SET_DUMPABLE, 0, "not dumpable")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "no new privileges")


def _handled(version: int) -> bytes:
    """`struct landlock_ruleset_attr` for this ABI: every right that the kernel knows is denied unless allowed."""
    files = _FS_ABI_1
    files |= _FS_REFER if version >= 2 else 0
    files |= _FS_TRUNCATE if version >= 3 else 0
    files |= _FS_IOCTL_DEV if version >= 5 else 0
    if version >= 6:
        return struct.pack("=QQQ", files, _NET_BIND_AND_CONNECT, _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    if version >= 4:
        return struct.pack("=QQ", files, _NET_BIND_AND_CONNECT)
    return struct.pack("=Q", files)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        # Gone since it was listed: there is nothing to allow.
        return
    try:
        # A file that was swapped for a link or a folder, or is now reached through one, is not the file that was allowed.
        same = os.readlink(f"/proc/self/fd/{descriptor}") == path  # noqa: PTH115 - runs for thousands of files
        if not same or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, descriptor), 12)
        kind, flags = ctypes.c_int(_RULE_PATH_BENEATH), ctypes.c_uint32(0)
        if _libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), kind, rule, flags) < 0:
            raise LandlockError(ctypes.get_errno(), "landlock_add_rule refused")
    finally:
        os.close(descriptor)


def restrict(readable: Iterable[str], executable: Iterable[str] = ()) -> int:
    """Close the sandbox for good and answer with the ABI that holds it.

    `readable` and `executable` are real paths of single files (folders are never allowed). Denied are all other files,
    TCP (ABI 4), and abstract sockets and signals to processes outside (ABI 6). Raises LandlockError when the kernel
    has no Landlock, when a second thread runs (it would stay outside) or when any step fails.
    """
    version = abi()
    if version < 1:
        raise LandlockError("this kernel offers no Landlock")
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - the worker imports no pathlib
        raise LandlockError("a second thread is running, which Landlock would not cover")
    attributes = _handled(version)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = _libc.syscall(_CREATE_RULESET, buffer, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        raise LandlockError(ctypes.get_errno(), "landlock_create_ruleset refused")
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE)
        for path in executable:
            _allow(ruleset, path, _READ_FILE | _EXECUTE)
        if _libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) < 0:
            raise LandlockError(ctypes.get_errno(), "landlock_restrict_self refused")
    finally:
        os.close(ruleset)
    return version
