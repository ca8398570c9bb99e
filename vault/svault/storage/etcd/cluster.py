"""Requests to an etcd cluster: several endpoints with failover, TLS with client certificates, and tokens that are renewed.

The messages are those of `aetcd`, whose own client has one endpoint and no TLS. API: etcd.io/docs/v3.5/learning/api.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped] # grpcio ships no types
from aetcd import rpc  # type: ignore[import-untyped] # aetcd ships no types
from grpc import aio

from svault.errors import StorageError

Metadata = tuple[tuple[str, str], ...]
Attempt = Callable[["Endpoint", Metadata, float], Awaitable[Any]]
"""One try of a request: at an endpoint, with metadata, within seconds."""

ATTEMPTS = 2
"""At least so many endpoints are tried within the time of one operation."""

PAUSE = 0.05
"""Seconds between two rounds over all endpoints, for example while the cluster chooses a leader."""

# A node that is cut off from the others answers with an error instead of waiting for them.
NEEDS_LEADER = ("hasleader", "true")

AWAY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}

# A write that fills etcd's space is done, and answered with an error all the same.
UNCERTAIN = {*AWAY, grpc.StatusCode.RESOURCE_EXHAUSTED}

# etcd gives this one no status of its own: the users were changed after the token was made.
OLD_TOKEN = "etcdserver: revision of auth store is old"  # noqa: S105 # an error message of etcd

CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]


class UnknownOutcomeError(StorageError):
    """The connection broke after a write was sent: it may or may not have been done."""

    code = "vault_storage_outcome_unknown"


class Endpoint:
    """One member of the cluster."""

    def __init__(self, url: str, credentials: Any) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 2379
        except ValueError:
            parts, host, port = urlsplit(""), "", 0
        if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
            # What is written there instead may be a password: it is not repeated.
            raise StorageError("an etcd endpoint is written http://HOST:PORT or https://HOST:PORT")
        self.name = f"{host}:{port}"
        target = f"[{host}]:{port}" if ":" in host else self.name
        if parts.scheme == "https":
            self.channel = aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)
        else:
            self.channel = aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        self.kv = rpc.KVStub(self.channel)
        self.lease = rpc.LeaseStub(self.channel)
        self.watch = rpc.WatchStub(self.channel)
        self.auth = rpc.AuthStub(self.channel)

    async def is_connected(self, limit: float) -> bool:
        """Connect when there is no connection; whether there is one within `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while (state := self.channel.get_state(try_to_connect=True)) != grpc.ChannelConnectivity.READY:
                    if state in {grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN}:
                        return False
                    await self.channel.wait_for_state_change(state)
        except TimeoutError:
            return False
        return True


class EtcdCluster:
    """The endpoints, used one at a time: the next one when it does not answer. Belongs to one event loop.

    `timeout` bounds each request, over all endpoints that it tries, in seconds.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        ca_cert: Path | None,
        client_cert: Path | None,
        client_key: Path | None,
        username: str,
        password: str,
        timeout: float,
    ) -> None:
        if not endpoints:
            raise StorageError("the etcd storage needs at least one endpoint")
        if (client_cert is None) != (client_key is None):
            raise StorageError("the etcd storage needs the client's certificate and its key, or neither")
        self._urls = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        self._files = (ca_cert, client_key, client_cert)
        self._user = (username, password)
        self._token = ""
        self._authenticating = asyncio.Lock()
        self._timeout = timeout
        self._endpoints: list[Endpoint] = []
        self._current = 0
        self.revision = 0
        """The cluster's revision in the last answer that told one."""

    def open(self) -> None:
        """Make the channels; the first request connects. Raises StorageError when a file cannot be read."""
        credentials = None
        if any(url.startswith("https:") for url in self._urls):
            try:
                ca, key, chain = [file.read_bytes() if file else None for file in self._files]
            except OSError as error:
                raise StorageError(f"the etcd storage cannot read {error.filename}: {error.strerror}") from error
            credentials = grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=chain)
        for url in self._urls:
            self._endpoints.append(Endpoint(url, credentials))

    async def aclose(self) -> None:
        """Close the channels."""
        endpoints, self._endpoints, self._token = self._endpoints, [], ""
        for endpoint in endpoints:
            await endpoint.channel.close()

    async def ask(self, attempt: Attempt) -> Any:
        """Make a request that may be repeated: a read, or a write that does the same when it is done twice."""
        return await self._try_all(attempt, is_repeatable=True)

    async def tell(self, attempt: Attempt) -> Any:
        """Make a request at most once. Raises UnknownOutcomeError when nobody can say whether it was done."""
        return await self._try_all(attempt, is_repeatable=False)

    async def _try_all(self, attempt: Attempt, *, is_repeatable: bool) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        tried, problem, failure = 0, "it did not answer in time", None
        while (left := deadline - loop.time()) > 0 and self._endpoints:
            endpoint = self._endpoints[self._current]
            limit = min(left, self._timeout / ATTEMPTS)
            tried += 1
            try:
                # Sent only over a connection that stands: so a refused connection is no unknown outcome.
                if is_repeatable or await endpoint.is_connected(limit):
                    return await self._try_one(endpoint, attempt, limit, is_repeatable=is_repeatable)
            except UnknownOutcomeError:
                self._leave(endpoint)
                raise
            except aio.AioRpcError as error:
                if error.code() not in AWAY:
                    raise StorageError(f"etcd refused the request: {error.details()}") from error
                problem, failure = f"{endpoint.name}: {error.details()}", error
            self._leave(endpoint)
            if tried % len(self._urls) == 0:
                await asyncio.sleep(PAUSE)
        if not self._endpoints:
            raise StorageError("the etcd storage is not open")
        raise StorageError(f"no etcd endpoint answers; the last one: {problem}") from failure

    def _leave(self, endpoint: Endpoint) -> None:
        """Use the next endpoint from now on, unless another request has left this one already."""
        if self._endpoints and self._endpoints[self._current] is endpoint:
            self._current = (self._current + 1) % len(self._endpoints)

    async def _try_one(self, endpoint: Endpoint, attempt: Attempt, limit: float, *, is_repeatable: bool) -> Any:
        for is_last in (False, True):
            if self._user[0]:
                await self._authenticate(endpoint, limit)
            token = self._token
            try:
                answer = await attempt(endpoint, self._metadata(), limit)
            except aio.AioRpcError as error:
                is_refused = error.code() == grpc.StatusCode.UNAUTHENTICATED or error.details() == OLD_TOKEN
                if token and is_refused and not is_last:
                    # Another request may have got a new one meanwhile.
                    self._token = "" if self._token == token else self._token
                    continue
                if error.code() in UNCERTAIN and not is_repeatable:
                    raise UnknownOutcomeError(f"etcd may or may not have done the write: {error.details()}") from error
                raise
            self.revision = max(self.revision, answer.header.revision)
            return answer
        raise AssertionError

    def _metadata(self) -> Metadata:
        return (NEEDS_LEADER, ("token", self._token)) if self._token else (NEEDS_LEADER,)

    async def _authenticate(self, endpoint: Endpoint, limit: float) -> None:
        """Get a token when there is none, one for all requests that need it: etcd checks passwords slowly, on purpose."""
        name, password = self._user
        async with self._authenticating:
            if not self._token:
                request = rpc.AuthenticateRequest(name=name, password=password)
                self._token = (await endpoint.auth.Authenticate(request, timeout=limit)).token
