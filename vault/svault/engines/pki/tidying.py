"""`tidy`, `tidy-status`, `tidy-cancel`, `config/auto-tidy`: forget certificates, revocations, issuers that expired long ago."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from svault.barrier.view import encoded
from svault.engines.pki.authorities import LOCK as AUTHORITIES_LOCK
from svault.engines.pki.crl import LOCK
from svault.engines.pki.fetching import FetchingPaths
from svault.engines.pki.pem import certificate_from_der
from svault.engines.pki.times import go_duration
from svault.errors import BadRequestError, VaultError
from svault.logical import Fields, Operation, Request, Response, parse_duration, rfc3339, route

OPERATIONS = (
    "tidy_cert_store",
    "tidy_revoked_certs",
    "tidy_invalid_certs",
    "tidy_revoked_cert_issuer_associations",
    "tidy_expired_issuers",
    "tidy_move_legacy_ca_bundle",
    "tidy_acme",
)
_BUFFERS = {
    "safety_buffer": 3 * 86400,
    "revoked_safety_buffer": 3 * 86400,
    "issuer_safety_buffer": 365 * 86400,
    "acme_account_safety_buffer": 30 * 86400,
}
_OTHERS: dict[str, Any] = {
    "pause_duration": "0s",
    "page_size": 1000,
    "maintain_stored_certificate_counts": False,
    "publish_stored_certificate_count_metrics": False,
}
DEFAULTS: dict[str, Any] = {
    "enabled": False,
    "interval_duration": 43200,
    **dict.fromkeys(OPERATIONS, False),
    **_BUFFERS,
    **_OTHERS,
}
_NOTHING_ASKED = f"Enable at least one tidy operation to be run ({' / '.join(OPERATIONS)})."
_COUNTS = ("cert_store_deleted_count", "revoked_cert_deleted_count", "missing_issuer_cert_count")
_NO_ACME = ("acme_account_deleted_count", "acme_account_revoked_count", "acme_orders_deleted_count", "total_acme_account_count")
_SHOWN = (*OPERATIONS, *_BUFFERS, "pause_duration", "page_size")


@dataclass
class TidyRun:
    """One run, as its status tells."""

    config: dict[str, Any]
    started: float
    state: str = "Running"
    finished: float = 0.0
    error: str | None = None
    message: str | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    is_cancelled: bool = False


class TidyingPaths(FetchingPaths):
    """Cleaning up, when asked and by the clock."""

    _run: TidyRun | None = None
    _last_finished: float = 0.0

    @route("tidy", Operation.UPDATE)
    async def tidy(self, request: Request) -> Response:
        """Start a run in the background."""
        config = read_tidy(request.fields, {**DEFAULTS})
        if not any(config[name] for name in OPERATIONS):
            return Response(status=202, warnings=[f"Manual tidy requested but no tidy operations were set. {_NOTHING_ASKED}"])
        if self._is_running():
            return Response(status=202, warnings=["Tidy operation already in progress."])
        self._begin(config)
        return Response(
            status=202,
            warnings=[
                "Tidy operation successfully started. Any information from the operation will be printed to the server's log."
            ],
        )

    @route("tidy-status", Operation.READ)
    async def tidy_status(self, request: Request) -> Response:
        """The last run, or the one that goes on."""
        return Response(data=self._status())

    @route("tidy-cancel", Operation.UPDATE)
    async def tidy_cancel(self, request: Request) -> Response:
        """Stop the run that goes on."""
        if self._run is None or not self._is_running():
            return Response(status=200, warnings=["Tidy operation cannot be cancelled as none is currently running."])
        self._run.is_cancelled, self._run.state = True, "Cancelling"
        return Response(data=self._status())

    @route("config/auto-tidy", Operation.READ)
    async def read_auto_tidy(self, request: Request) -> Response:
        """When runs start on their own, and what they do."""
        return Response(data={**DEFAULTS, **await self.config("auto-tidy")})

    @route("config/auto-tidy", Operation.UPDATE)
    async def write_auto_tidy(self, request: Request) -> Response:
        """Change what is sent."""
        values = request.fields
        async with self.mount.view.lock("config/auto-tidy"):
            config = read_tidy(values, {**DEFAULTS, **await self.config("auto-tidy")}, is_automatic=True)
            await self.mount.view.put("config/auto-tidy", encoded(config))
        return Response(data=config)

    async def tidy_when_due(self) -> None:
        """Start a run when the configured interval has passed since the last one."""
        config = {**DEFAULTS, **await self.config("auto-tidy")}
        if not config["enabled"] or self._is_running():
            return
        last = (await self.config("last-tidy")).get("finished", 0.0)
        if self.mount.clock.time() - last >= config["interval_duration"]:
            self._begin(config)

    def _is_running(self) -> bool:
        return self._run is not None and self._run.state in {"Running", "Cancelling"}

    def _begin(self, config: dict[str, Any]) -> None:
        self._run = TidyRun(config, self.mount.clock.time())
        self.mount.system.spawn(self._tidied(self._run), "pki tidy")

    async def _tidied(self, run: TidyRun) -> None:
        try:
            if run.config["tidy_cert_store"]:
                await self._tidy_certificates(run)
            if run.config["tidy_revoked_certs"] or run.config["tidy_invalid_certs"]:
                await self._tidy_revocations(run)
            if run.config["tidy_expired_issuers"]:
                await self._tidy_issuers(run)
            run.state = "Cancelled" if run.is_cancelled else "Finished"
        except VaultError as reason:
            run.state, run.error = "Error", str(reason)
        finally:
            run.finished = self.mount.clock.time()
            run.state = "Cancelled" if run.state in {"Running", "Cancelling"} else run.state
        await self.mount.view.put("config/last-tidy", encoded({"finished": run.finished}))

    async def _tidy_certificates(self, run: TidyRun) -> None:
        before = self.mount.clock.time() - run.config["safety_buffer"]
        pause = parse_duration(run.config["pause_duration"])
        for count, serial in enumerate(await self.mount.view.list("certs/"), 1):
            if run.is_cancelled:
                return
            if serial not in self.crls.revocations and await self._has_ended(serial, before):
                await self.mount.view.delete(f"certs/{serial}")
                run.counts["cert_store_deleted_count"] += 1
            if count % run.config["page_size"] == 0:
                await asyncio.sleep(pause)

    async def _tidy_revocations(self, run: TidyRun) -> None:
        before = self.mount.clock.time() - run.config["revoked_safety_buffer"]
        async with self.mount.view.lock(LOCK):
            gone = [serial for serial in self.crls.revocations if await self._has_ended(serial, before)]
            if gone and not run.is_cancelled:
                await self.crls.forgive(gone, {f"certs/{serial}": None for serial in gone})
                await self.crls.rebuild()
                run.counts["revoked_cert_deleted_count"] += len(gone)

    async def _tidy_issuers(self, run: TidyRun) -> None:
        before = self.mount.clock.time() - run.config["issuer_safety_buffer"]
        async with self.mount.view.lock(AUTHORITIES_LOCK), self.mount.view.lock(LOCK):
            default = self.authorities.default_issuer
            gone = [
                one.id
                for one in self.authorities.issuers.values()
                if one.id != default and one.certificate.not_valid_after_utc.timestamp() < before
            ]
            if gone and not run.is_cancelled:
                await self.authorities.save(gone=gone)
                await self.crls.rebuild()

    async def _has_ended(self, serial: str, before: float) -> bool:
        der = await self.stored_der(serial)
        return der is None or certificate_from_der(der).not_valid_after_utc.timestamp() < before

    def _status(self) -> dict[str, Any]:
        run = self._run
        data: dict[str, Any] = dict.fromkeys((*_NO_ACME, *_COUNTS, *_SHOWN))
        data |= {"current_cert_store_count": None, "current_revoked_cert_count": None, "internal_backend_uuid": self.mount.uuid}
        if run is None:
            return {**data, "state": "Inactive", "error": None, "message": None, "time_started": None, "time_finished": None}
        data |= {name: run.config[name] for name in _SHOWN} | run.counts | dict.fromkeys(_NO_ACME, 0)
        data |= {"state": run.state, "error": run.error, "message": run.message}
        data |= {"time_started": rfc3339(run.started), "time_finished": rfc3339(run.finished) if run.finished else None}
        return {**data, "last_auto_tidy_finished": rfc3339(run.finished)}


def read_tidy(values: Fields, base: dict[str, Any], *, is_automatic: bool = False) -> dict[str, Any]:
    """The fields of a run over those that were there. Raises BadRequestError."""
    config = {**base, **{name: values.boolean(name) for name in OPERATIONS if name in values}}
    for name in _BUFFERS:
        if name in values:
            config[name] = values.duration(name)
            if config[name] < 1:
                least = f"given {name} must be at least one second; got: {config[name]}"
                raise BadRequestError(least if is_automatic else f"{name} must be greater than zero")
    if "safety_buffer" in values and "revoked_safety_buffer" not in values:
        config["revoked_safety_buffer"] = config["safety_buffer"]
    if "pause_duration" in values:
        try:
            config["pause_duration"] = go_duration(max(0, parse_duration(values.raw["pause_duration"])))
        except BadRequestError:
            raise BadRequestError("unable to parse given pause_duration: time: invalid duration") from None
    if "page_size" in values:
        config["page_size"] = values.integer("page_size")
        if config["page_size"] < 5:
            raise BadRequestError("page_size must be at least 5")
    if is_automatic:
        config["enabled"] = values.boolean("enabled", config["enabled"])
        config["interval_duration"] = values.duration("interval_duration", config["interval_duration"])
        if config["interval_duration"] < 1:
            raise BadRequestError(f"given interval_duration must be at least one second; got: {config['interval_duration']}")
        for name in ("maintain_stored_certificate_counts", "publish_stored_certificate_count_metrics"):
            config[name] = values.boolean(name, config[name])
        if config["enabled"] and not any(config[name] for name in OPERATIONS):
            raise BadRequestError(f"Auto-tidy enabled but no tidy operations were requested. {_NOTHING_ASKED}")
    return config
