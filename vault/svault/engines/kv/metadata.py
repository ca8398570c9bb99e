"""What is kept about secrets of KV version 2, beside their values: the paths `config`, `metadata` and `detailed-metadata`."""

from svault.engines.kv.merge_patch import require_merge_patch
from svault.engines.kv.rules import Rules, changed_config
from svault.engines.kv.store import KvStore
from svault.engines.kv.versions import KeyMetadata, KvConfig
from svault.engines.paths import folder_path, page, secret_path, written_path
from svault.errors import NotFoundError
from svault.logical import Engine, Mount, Operation, Request, Response, route


class MetadataPaths(Engine):
    """The part of a kv mount of version 2 that needs no value."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self._store = KvStore(mount.view)
        self._config = KvConfig()

    async def start(self) -> None:
        """Read the mount's rules, and take over what version 1 left."""
        self._config = await self._store.config()
        await self._store.take_over_version_1(self.mount.clock.time())

    @route("config", Operation.READ)
    async def read_config(self, _request: Request) -> Response:
        """The mount's rules."""
        return Response(data=self._config.shown())

    @route("config", Operation.UPDATE)
    async def write_config(self, request: Request) -> None:
        """Change the mount's rules that are sent."""
        async with self.mount.view.lock("config"):
            config = changed_config(self._config, request.fields)
            await self._store.write_config(config)
            self._config = config

    @route("metadata", Operation.LIST)
    @route("metadata/{path...}", Operation.LIST)
    async def list_metadata(self, request: Request) -> Response:
        """The names directly under a folder."""
        return Response(data={"keys": await self._listed(request)})

    @route("detailed-metadata", Operation.LIST)
    @route("detailed-metadata/{path...}", Operation.LIST)
    async def list_detailed_metadata(self, request: Request) -> Response:
        """The names directly under a folder, and the metadata of each secret among them."""
        names, folder = await self._listed(request), folder_path(request.args.get("path", ""))
        keys = {name: None if name.endswith("/") else await self._store.metadata(folder + name) for name in names}
        return Response(data={"keys": names, "key_info": {name: key.shown() if key else {} for name, key in keys.items()}})

    @route("metadata/{path...}", Operation.READ, pure=True)
    async def read_metadata(self, request: Request) -> Response:
        """A secret's versions and rules."""
        return Response(data=(await self._known(secret_path(request.args["path"]))).shown())

    @route("metadata/{path...}", Operation.CREATE, Operation.UPDATE)
    async def write_metadata(self, request: Request) -> Response | None:
        """Set the rules of a secret, which need not have a version yet."""
        path = written_path(request.args["path"])
        return await self._change_rules(path, Rules.sent(request.fields), creates=True)

    @route("metadata/{path...}", Operation.PATCH)
    async def patch_metadata(self, request: Request) -> Response | None:
        """Change the rules of a secret that exists; null takes the default."""
        require_merge_patch(request)
        path = written_path(request.args["path"])
        return await self._change_rules(path, Rules.patch(request.fields), creates=False)

    @route("metadata/{path...}", Operation.DELETE)
    async def delete_metadata(self, request: Request) -> None:
        """Remove a secret with all its versions for good."""
        path = request.args["path"]
        if path and not path.endswith("/"):
            async with self._store.lock(secret_path(path)):
                if key := await self._store.metadata(path):
                    await self._store.remove(path, key)

    async def _known(self, path: str) -> KeyMetadata:
        key = await self._store.metadata(path)
        if key is None:
            raise NotFoundError
        return key

    async def _listed(self, request: Request) -> list[str]:
        names = await self._store.names(folder_path(request.args.get("path", "")))
        if not names:
            raise NotFoundError
        return page(names, request.fields.text("after"), request.fields.integer("limit"))

    async def _change_rules(self, path: str, rules: Rules, *, creates: bool) -> Response | None:
        if not rules.changes:
            return None
        async with self._store.lock(path):
            now = self.mount.clock.time()
            key = await self._store.metadata(path)
            if key is None and not creates:
                raise NotFoundError
            rules.check(key, self._config)
            key = key or KeyMetadata(created=now, updated=now)
            rules.apply(key, now)
            await self._store.update(path, key)
        warnings = rules.warnings(self._config)
        return Response(warnings=warnings) if warnings else None
