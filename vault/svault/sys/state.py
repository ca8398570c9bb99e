"""The state of the vault: seal, rotate, key status, what it is made of. Source: Vault's API pages of the same names."""

import socket

from svault.barrier.barrier import ROTATE_AFTER
from svault.core.kinds import AUTH_KINDS, SECRET_KINDS
from svault.errors import BadRequestError
from svault.logical.clock import rfc3339
from svault.logical.request import Operation, Request, Response
from svault.logical.routes import route
from svault.sys.base import SystemPart
from svault.version import VERSION

_READ, _UPDATE, _LIST = Operation.READ, Operation.UPDATE, Operation.LIST


class StatePaths(SystemPart):
    """What operators ask and do."""

    @route("seal", _UPDATE, sudo=True)
    async def seal(self, request: Request) -> None:
        """Seal the vault after this answer."""
        self._active.core.seal_soon()

    @route("step-down", _UPDATE, sudo=True)
    async def step_down(self, request: Request) -> None:
        """Let another server become the active one."""
        self._active.core.step_down()

    @route("key-status", _READ)
    async def key_status(self, request: Request) -> Response:
        """The term that encrypts."""
        term = self._active.core.barrier.active_term
        data = {"encryptions": term.encryptions, "install_time": rfc3339(term.installed), "term": term.number}
        return Response(data, is_flat=True)

    @route("ha-status", _READ)
    async def ha_status(self, request: Request) -> Response:
        """The active server. Those that stand by wait for its lock in the storage and tell it nothing: they are not listed."""
        core = self._active.core
        node = {
            "active_node": True,
            "api_address": core.settings.advertise,
            "cluster_address": "",
            "hostname": socket.gethostname(),
            "last_echo": None,
            "version": VERSION,
        }
        return Response({"nodes": [node]}, is_flat=True)

    @route("rotate", _UPDATE, sudo=True)
    @route("rotate/keyring", _UPDATE, sudo=True)
    async def rotate(self, request: Request) -> None:
        """Begin a new term."""
        await self._active.core.barrier.rotate()

    @route("rekey/backup", _READ, sudo=True)
    @route("rekey/recovery-key-backup", _READ, sudo=True)
    async def read_backup_keys(self, request: Request) -> None:
        """New shares are never kept: they would have to be encrypted with PGP, which is not offered here."""
        raise BadRequestError("no backed-up keys found")

    @route("rotate/config", _READ)
    @route("rotate/keyring/config", _READ)
    async def read_rotate_config(self, request: Request) -> Response:
        """When a new term begins by itself."""
        return Response({"enabled": True, "interval": 0, "max_operations": ROTATE_AFTER})

    @route("config/state/sanitized", _READ, sudo=True)
    async def sanitized(self, request: Request) -> Response:
        """The settings, without secrets."""
        settings = self._active.core.settings
        data = {
            "cluster_name": settings.cluster_name,
            "default_lease_ttl": settings.default_lease_ttl,
            "log_level": settings.log_level,
            "max_lease_ttl": settings.max_lease_ttl,
            "storage": {"type": settings.storage_type},
            "crypto_backend": self._active.core.crypto.name,
        }
        return Response(data)

    @route("version-history", _LIST)
    async def version_history(self, request: Request) -> Response:
        """The version that runs."""
        return Response({"keys": [VERSION], "key_info": {VERSION: {"previous_version": None}}})

    @route("plugins/catalog", _READ, sudo=True)
    async def plugins(self, request: Request) -> Response:
        """The kinds of engines that there are; all are built in."""
        data = {"auth": sorted(AUTH_KINDS), "database": ["postgresql-database-plugin"], "secret": sorted(SECRET_KINDS)}
        return Response(data, is_flat=True)

    @route("metrics", _READ)
    async def metrics(self, request: Request) -> Response:
        """The metrics, in Prometheus' text form."""
        wanted = request.fields.text("format", "prometheus")
        if wanted not in {"prometheus", ""}:
            raise BadRequestError('the format is "prometheus"')
        body, content_type = self._active.core.metrics.exposition()
        return Response(raw=body, content_type=content_type)
