"""The enabled audit devices, and the rule that nothing happens unaudited."""

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from svault.audit.device import Device, DeviceOptions
from svault.audit.entry import AuditRecord
from svault.audit.file_device import ChainedFile, PlainFile, file_device, require_writable
from svault.audit.format import Format
from svault.audit.hashing import Hasher
from svault.audit.headers import RequestHeaders
from svault.audit.socket_device import SocketDevice
from svault.barrier.view import View, encoded
from svault.crypto.base import CryptoBackend
from svault.errors import BadRequestError, InternalError, VaultError
from svault.logical.clock import Clock
from svault.logical.request import Operation, Request

_log = logging.getLogger(__name__)
TABLE, SALTS = "table", "salt/"
_AWAY_SECONDS = 5.0
FormatParts = tuple[str, bytes, Mapping[str, str]]
"""A device's path, salt and options."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """An enabled device as `sys/audit` lists it."""

    path: str
    """Ends in `/`."""
    kind: str
    description: str
    options: Mapping[str, str]
    local: bool
    uuid: str = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """What `GET sys/audit` shows of it."""
        return {
            "description": self.description,
            "local": self.local,
            "options": dict(self.options),
            "path": self.path,
            "type": self.kind,
        }


@dataclass(slots=True)
class _Enabled:
    info: DeviceInfo
    device: Device
    format: Format
    salt: bytes = field(repr=False)
    is_open: bool = False
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    away_until: float = 0.0
    """On the monotonic clock: a socket that has just failed is left alone until then, if another device takes the entry."""


class AuditBroker:
    """Hands each entry to all devices. With devices enabled, at least one must take it: else InternalError (500).

    No device: everything passes. Belongs to one event loop. `view` is `core/audit/`.
    """

    headers: RequestHeaders
    """Which request headers are written (`sys/config/auditing/request-headers`)."""
    generation: int = 0
    """Grows whenever the devices change."""

    def __init__(self, view: View, clock: Clock, crypto: CryptoBackend) -> None:
        self.headers = RequestHeaders(view)
        self._view, self._clock, self._crypto = view, clock, crypto
        self._seed = b""
        self._enabled: dict[str, _Enabled] = {}
        """By path; the files first, which never wait."""

    def __repr__(self) -> str:
        return f"AuditBroker({sorted(self._enabled)})"

    async def start(self, chain_seed: bytes) -> None:
        """After unseal: open the devices again. `chain_seed` (32 bytes) is the ML-DSA-65 seed that signs the files' hash chains.

        A device that cannot be opened stays enabled and takes no entries until it can; each entry tries it again.
        """
        self._seed = chain_seed
        await self.headers.load()
        for entry in (await self._view.read(TABLE) or {}).values():
            info = DeviceInfo(**entry)
            enabled = await self._made(info)
            self._add(enabled)
            try:
                await self._open(enabled)
            except VaultError as error:
                _log.error("the audit device %s cannot be opened: %s", info.path, error)

    async def stop(self) -> None:
        """At seal: close the devices (a file gets its last signature) and forget salts and seed."""
        enabled, self._enabled, self._seed = self._enabled, {}, b""
        self.generation += 1
        for one in enabled.values():
            await _close(one)

    async def reopen(self) -> None:
        """On SIGHUP: open the files again by their names, after somebody renamed them."""
        for one in self._enabled.values():
            try:
                await one.device.reopen()
            except VaultError as error:
                _log.error("the audit device %s cannot be opened again: %s", one.info.path, error)

    async def log_request(self, record: AuditRecord) -> None:
        """Write the request entry, before anything is done. Raises InternalError when no device took it."""
        if self._enabled:
            now = self._clock.time()
            await self._log(lambda one: (one.format.request(record, now),), "request")

    async def log_response(self, record: AuditRecord) -> None:
        """Write the response entry, before anything is answered. Raises InternalError when no device took it."""
        if self._enabled:
            now = self._clock.time()
            await self._log(lambda one: (one.format.response(record, now),), "response")

    async def log_both(self, record: AuditRecord) -> None:
        """Write both entries of a request that changed nothing, before anything is answered. Raises InternalError likewise."""
        if self._enabled:
            now = self._clock.time()
            await self._log(lambda one: (one.format.request(record, record.began), one.format.response(record, now)), "two")

    async def log_lines(self, lines: Mapping[str, Sequence[bytes]]) -> None:
        """Write whole lines by device path, which another process made as `formats` says. Raises InternalError likewise."""
        if self._enabled:
            await self._log(lambda one: lines[one.info.path], "worker's")

    def formats(self) -> list[FormatParts]:
        """What the formats of all devices are made of, for `format_of` in another process."""
        return [(one.info.path, one.salt, dict(one.info.options)) for one in self._enabled.values()]

    def devices(self) -> dict[str, DeviceInfo]:
        """The enabled devices by path (`file/`), sorted."""
        return {path: one.info for path, one in sorted(self._enabled.items())}

    async def enable(self, path: str, kind: str, description: str, options: Mapping[str, str], local: bool) -> None:
        """Open a device, write a test entry to it, keep it. Raises BadRequestError: path in use, wrong option, not writable."""
        path = path.strip("/") + "/"
        async with self._view.lock(TABLE):
            if any(path.startswith(other) or other.startswith(path) for other in self._enabled):
                raise BadRequestError("path already in use")
            texts = {str(name): str(value) for name, value in options.items()}
            info = DeviceInfo(path, kind, description, texts, local, str(uuid.uuid4()))
            salt = os.urandom(32)
            enabled = self._with_salt(info, salt)
            if isinstance(enabled.device, ChainedFile | PlainFile):
                require_writable(enabled.device.path, enabled.device.mode)
            try:
                await self._open(enabled)
                await self._test(enabled)
            except VaultError as error:
                await _close(enabled)
                raise BadRequestError(f"audit backend failed test message: {error}") from None
            table = {one.info.path: asdict(one.info) for one in self._enabled.values()} | {path: asdict(info)}
            try:
                await self._view.commit({TABLE: encoded(table), SALTS + info.uuid: salt})
            except VaultError:
                await _close(enabled)
                raise
            self._add(enabled)

    async def disable(self, path: str) -> None:
        """Close and forget a device; one that is not there is no error. Its files stay."""
        path = path.strip("/") + "/"
        async with self._view.lock(TABLE):
            gone = self._enabled.get(path)
            if gone is None:
                return
            table = {one.info.path: asdict(one.info) for one in self._enabled.values() if one is not gone}
            await self._view.commit({TABLE: encoded(table), SALTS + gone.info.uuid: None})
            del self._enabled[path]
            self.generation += 1
            await _close(gone)

    def hash(self, path: str, text: str) -> str:
        """What the device writes for a text: `hmac-sha256:...`. Raises BadRequestError for an unknown device."""
        path = path.strip("/") + "/"
        if path not in self._enabled:
            raise BadRequestError(f'unknown audit backend "{path}"')
        return self._enabled[path].format.hasher.text(text)

    def _add(self, enabled: _Enabled) -> None:
        self.generation += 1
        everyone = [*self._enabled.values(), enabled]
        self._enabled = {one.info.path: one for one in sorted(everyone, key=lambda one: one.info.kind)}

    async def _made(self, info: DeviceInfo) -> _Enabled:
        salt = await self._view.get(SALTS + info.uuid)
        if salt is None:
            raise InternalError(f"the salt of the audit device {info.path} is missing")
        return self._with_salt(info, salt)

    def _with_salt(self, info: DeviceInfo, salt: bytes) -> _Enabled:
        """A device by its entry, not open. Raises BadRequestError for a kind or option that cannot be."""
        options = DeviceOptions(info.options)
        device: Device
        match info.kind:
            case "file":
                device = file_device(options, self._crypto, self._seed, self._clock)
            case "socket":
                device = SocketDevice(options)
            case _:
                raise BadRequestError(f'unknown backend type: "{info.kind}"')
        return _Enabled(info, device, format_of((info.path, salt, info.options), self.headers), salt)

    async def _open(self, enabled: _Enabled) -> None:
        async with enabled.opening:
            if not enabled.is_open:
                await enabled.device.open()
                enabled.is_open = True

    async def _test(self, enabled: _Enabled) -> None:
        record = AuditRecord(Request(Operation.UPDATE, "audit/test", id=str(uuid.uuid4())), "sys/audit/test")
        waiting = enabled.device.write(enabled.format.request(record, self._clock.time()))
        if waiting is not None:
            await waiting

    async def _log(self, entries: Callable[[_Enabled], Sequence[bytes]], what: str) -> None:
        has_succeeded = False
        waiting: list[tuple[_Enabled, Awaitable[None]]] = []
        for one in tuple(self._enabled.values()):
            if has_succeeded and one.away_until > self._clock.monotonic():
                continue
            lines = entries(one)
            try:
                if not one.is_open:
                    await self._open(one)
                later = one.device.write(*lines)
            except VaultError as error:
                _failed(one, error)
                continue
            if later is None:
                has_succeeded = True
            else:
                waiting.append((one, later))
        if waiting:
            results = await asyncio.gather(*(later for _, later in waiting), return_exceptions=True)
            for (one, _), result in zip(waiting, results, strict=True):
                if isinstance(result, VaultError):
                    _failed(one, result)
                    one.away_until = self._clock.monotonic() + _AWAY_SECONDS
                elif isinstance(result, BaseException):
                    raise result
                else:
                    has_succeeded = True
        if not has_succeeded:
            _log.error("no audit device took a request's %s entries", what)
            raise InternalError


def format_of(parts: FormatParts, headers: RequestHeaders) -> Format:
    """The format of a device. Raises BadRequestError for an option that cannot be."""
    path, salt, given = parts
    options = DeviceOptions(given)
    hasher = Hasher(
        salt, log_raw=options.flag("log_raw", default=False), hmac_accessor=options.flag("hmac_accessor", default=True)
    )
    elides = options.flag("elide_list_responses", default=False)
    return Format(path, hasher, headers, options.text("prefix"), elides)


def _failed(one: _Enabled, error: VaultError) -> None:
    _log.error("the audit device %s took no entry: %s", one.info.path, error)


async def _close(one: _Enabled) -> None:
    with suppress(VaultError, OSError):  # what could not be signed any more is signed by whoever opens the file next
        await one.device.close()
