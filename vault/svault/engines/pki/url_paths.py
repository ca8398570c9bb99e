"""`config/urls` and `config/cluster`: what certificates say about where to find their issuer."""

from dataclasses import asdict
from typing import Any

from svault.barrier.view import encoded
from svault.engines.pki.base import PkiPaths
from svault.engines.pki.issuer_paths import read_urls, templating_warning
from svault.engines.pki.records import Urls
from svault.engines.pki.templating import filled_urls, is_url
from svault.errors import BadRequestError
from svault.logical import Operation, Request, Response, route


class UrlPaths(PkiPaths):
    """The URLs of the mount, for issuers that have none of their own."""

    @route("config/urls", Operation.READ)
    async def read_url_config(self, request: Request) -> Response:
        """The URLs."""
        return Response(data=_answered(Urls.of(await self.config("urls"))))

    @route("config/urls", Operation.UPDATE)
    async def write_url_config(self, request: Request) -> Response:
        """Set the URLs that are sent."""
        async with self.mount.view.lock("config/urls"):
            urls = read_urls(request.fields, Urls.of(await self.config("urls")), "enable_templating")
            await self.mount.view.put("config/urls", encoded(asdict(urls)))
        problem = filled_urls(urls, await self.config("cluster"), None)[0] if urls.enable_templating else ""
        return Response(data=_answered(urls), warnings=[templating_warning(problem)] if problem else [])

    @route("config/cluster", Operation.READ)
    async def read_cluster(self, request: Request) -> Response:
        """This cluster's addresses."""
        return Response(data={"path": "", "aia_path": "", **await self.config("cluster")})

    @route("config/cluster", Operation.UPDATE)
    async def write_cluster(self, request: Request) -> Response:
        """Set this cluster's addresses."""
        values = request.fields
        async with self.mount.view.lock("config/cluster"):
            config = {"path": "", "aia_path": "", **await self.config("cluster")}
            for name, what in (("path", "path"), ("aia_path", "aia_path")):
                if name in values:
                    config[name] = values.text(name)
                    if config[name] and not is_url(config[name]):
                        raise BadRequestError(f"invalid, non-URL {what} given to cluster: {config[name]}")
            await self.mount.view.put("config/cluster", encoded(config))
        return Response(data=config)


def _answered(urls: Urls) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(urls).items()}
