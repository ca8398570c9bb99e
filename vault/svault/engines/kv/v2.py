"""KV version 2: every write is a new version, kept until it is destroyed or too many.

Source: Vault's API, "KV Secrets Engine - Version 2", and what OpenBao adds: metadata_cas, pages of lists, detailed-metadata.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from svault.engines.kv.merge_patch import merged, require_merge_patch
from svault.engines.kv.metadata import MetadataPaths
from svault.engines.kv.versions import KeyMetadata, Version
from svault.engines.paths import secret_path, written_path
from svault.engines.values import check_depth
from svault.errors import BadRequestError, NotFoundError
from svault.logical import Fields, Operation, Request, Response, route

SECRET_PATHS = ("data", "metadata", "delete", "undelete", "destroy", "subkeys", "detailed-metadata")
_COMMANDS = {Operation.READ: "get", Operation.LIST: "list", Operation.PATCH: "patch", Operation.DELETE: "delete"}


class KvV2Engine(MetadataPaths):
    """A kv mount of version 2."""

    kind: ClassVar[str] = "kv"

    async def exists(self, request: Request) -> bool | None:
        """Whether the secret is known, also when its newest version is deleted."""
        kind, _, path = request.path.partition("/")
        if kind not in {"data", "metadata"}:
            return None
        try:
            return await self._store.metadata(secret_path(path)) is not None
        except NotFoundError:  # no such path: the handler says so
            return None

    @route("data/{path...}", Operation.READ, pure=True)
    async def read(self, request: Request) -> Response:
        """A version's value with its facts; a deleted or destroyed one is 404 with its facts alone."""
        path = secret_path(request.args["path"])
        key, number, version = await self._version(path, request)
        facts = key.facts(number, version)
        warnings = _ignored(request, "version")
        if not version.is_readable(self.mount.clock.time()):
            return Response(data={"data": None, "metadata": facts}, warnings=warnings, status=404)
        return Response(data={"data": await self._store.value(path, number), "metadata": facts}, warnings=warnings)

    @route("data/{path...}", Operation.CREATE, Operation.UPDATE)
    async def write(self, request: Request) -> Response:
        """A new version with the value that is sent."""
        path = written_path(request.args["path"])
        data, cas = _sent(request)
        async with self._store.lock(path):
            now = self.mount.clock.time()
            key = await self._store.metadata(path) or KeyMetadata(created=now, updated=now)
            self._check(cas, key)
            return await self._add(path, key, data, request)

    @route("data/{path...}", Operation.PATCH)
    async def patch(self, request: Request) -> Response:
        """A new version with the newest value, changed by a JSON merge patch."""
        require_merge_patch(request)
        path = written_path(request.args["path"])
        data, cas = _sent(request)
        async with self._store.lock(path):
            key = await self._store.metadata(path)
            version = key.version(key.current) if key else None
            if key is None or version is None:
                raise NotFoundError
            self._check(cas, key)
            if not version.is_readable(self.mount.clock.time()):
                return Response(data=key.facts(key.current, version), status=404)
            return await self._add(path, key, merged(await self._store.value(path, key.current), data), request)

    @route("data/{path...}", Operation.DELETE)
    async def delete(self, request: Request) -> None:
        """Delete the newest version; it can be undeleted."""
        path = request.args["path"]
        if path and not path.endswith("/"):
            await self._change(secret_path(path), deletes=True)

    @route("delete/{path...}", Operation.CREATE, Operation.UPDATE)
    async def delete_versions(self, request: Request) -> None:
        """Delete versions; they can be undeleted."""
        numbers = _numbers(request, "No version number provided")
        await self._change(written_path(request.args["path"]), numbers, deletes=True)

    @route("undelete/{path...}", Operation.CREATE, Operation.UPDATE)
    async def undelete_versions(self, request: Request) -> None:
        """Make deleted versions readable again."""
        numbers = _numbers(request, "No version number provided")
        await self._change(written_path(request.args["path"]), numbers, deletes=False)

    @route("destroy/{path...}", Operation.CREATE, Operation.UPDATE)
    async def destroy_versions(self, request: Request) -> None:
        """Remove the values of versions for good."""
        numbers = _numbers(request, "no version number provided")
        path = written_path(request.args["path"])
        async with self._store.lock(path):
            key = await self._store.metadata(path)
            if key is None:
                return
            known = {number: version for number in numbers if (version := key.version(number)) and not version.is_destroyed}
            for number, version in known.items():
                key.keep(number, version._replace(is_destroyed=True))
            if known:
                await self._store.update(path, key, map(str, known))

    @route("subkeys/{path...}", Operation.READ, pure=True)
    async def subkeys(self, request: Request) -> Response:
        """The names inside a version's value, without the values; `depth` 0 goes all the way down."""
        path = secret_path(request.args["path"])
        depth = request.fields.integer("depth")
        key, number, version = await self._version(path, request)
        facts = key.facts(number, version)
        if not version.is_readable(self.mount.clock.time()):
            return Response(data={"subkeys": None, "metadata": facts}, status=404)
        value = await self._store.value(path, number)
        return Response(data={"subkeys": _names_within(value, depth), "metadata": facts})

    @route(f"{{path:(?!config/?$|(?:{'|'.join(SECRET_PATHS)})/).*}}", *Operation)
    async def other(self, request: Request) -> Response:
        """Say that the path is no path of version 2, which a client of version 1 gets to see."""
        if request.path in SECRET_PATHS:
            warning = "Non-listing operations on the root of a K/V v2 mount are not supported."
        else:
            warning = (
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. "
                f"If using the command line, use 'svault kv {_COMMANDS.get(request.operation, 'put')}' for this operation."
            )
        return Response(warnings=[warning], status=404)

    async def _version(self, path: str, request: Request) -> tuple[KeyMetadata, int, Version]:
        wanted = request.fields.integer("version")
        key = await self._known(path)
        number = wanted if wanted > 0 else key.current
        version = key.version(number)
        if version is None:
            raise NotFoundError
        return key, number, version

    def _check(self, cas: int | None, key: KeyMetadata) -> None:
        if cas is None:
            if key.cas_required or self._config.cas_required:
                raise BadRequestError("check-and-set parameter required for this call")
        elif cas != key.current:
            raise BadRequestError("check-and-set parameter did not match the current version")

    async def _add(self, path: str, key: KeyMetadata, data: dict[str, Any], request: Request) -> Response:
        dropped = key.add(self.mount.clock.time(), self._config)
        await self._store.add(path, key, data, dropped)
        version = key.version(key.current)
        assert version is not None
        return Response(data=key.facts(key.current, version), warnings=_ignored(request, "data", "options", "version"))

    async def _change(self, path: str, numbers: Iterable[int] | None = None, *, deletes: bool) -> None:
        """Delete or undelete versions, None for the newest; destroyed, unknown and already deleted ones stay as they are."""
        now = self.mount.clock.time()
        async with self._store.lock(path):
            key = await self._store.metadata(path)
            if key is None:
                return
            wanted = [key.current] if numbers is None else numbers
            known = {number: version for number in wanted if (version := key.version(number)) and not version.is_destroyed}
            changed = {number: version for number, version in known.items() if not deletes or version.is_readable(now)}
            ends = now if deletes else key.ends(now, self._config)
            for number, version in changed.items():
                key.keep(number, version._replace(deleted=ends))
            if changed:
                await self._store.update(path, key)


def _sent(request: Request) -> tuple[dict[str, Any], int | None]:
    """The value of a write, and the version that the secret must have: None for any."""
    if "data" not in request.data:
        raise BadRequestError("no data provided")
    check_depth(request.data["data"])
    options = request.fields.mapping("options")
    if "cas" not in options:
        return request.fields.mapping("data"), None
    try:
        return request.fields.mapping("data"), Fields(options).integer("cas")
    except BadRequestError:
        raise BadRequestError("error parsing check-and-set parameter") from None


def _numbers(request: Request, message: str) -> list[int]:
    numbers = [Fields({"versions": number}).integer("versions") for number in request.fields.strings("versions")]
    if not numbers:
        raise BadRequestError(message)
    return numbers


def _ignored(request: Request, *known: str) -> list[str]:
    names = sorted(request.data.keys() - {*known, "path"})
    warnings = [f"Endpoint ignored these unrecognized parameters: [{' '.join(names)}]"] if names else []
    if "path" in request.data:
        place = "the values captured from the endpoint's path: [path]"
        warnings.append(f"Endpoint replaced the value of these parameters with {place}")
    return warnings


def _names_within(value: Any, depth: int) -> dict[str, Any]:
    """An object's names, each with the names inside it; null where there are none, or where `depth` levels (0 for all) end."""
    is_last = depth == 1 or depth < 0
    return {
        name: _names_within(inner, max(depth - 1, 0)) if isinstance(inner, dict) and inner and not is_last else None
        for name, inner in value.items()
    }
