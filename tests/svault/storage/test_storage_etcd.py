"""The etcd storage on real nodes: one without protection, and three with TLS, client certificates and a password."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from aetcd import rpc
from tests.svault.storage.storage_contract import DurableContract

from etcd_servers import Authority, EtcdCluster, etcd_cluster
from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Write
from svault.storage.etcd import EtcdStorage
from svault.storage.etcd.cluster import UnknownOutcomeError

pytestmark = pytest.mark.anyio
PREFIXES = (f"/prefix-{number}/" for number in itertools.count())
PASSWORD = "canary-password"


@pytest.fixture(scope="module")
def single() -> Iterator[EtcdCluster]:
    with etcd_cluster() as running:
        yield running


@pytest.fixture
def connect(single: EtcdCluster) -> Callable[[], EtcdStorage]:
    prefix = next(PREFIXES)
    return lambda: EtcdStorage(single.endpoints, prefix=prefix)


@pytest.fixture
async def storage(connect: Callable[[], EtcdStorage]) -> AsyncIterator[EtcdStorage]:
    made = connect()
    await made.open()
    yield made
    await made.aclose()


class TestEtcd(DurableContract):
    LARGEST_VALUE = 1 << 20  # etcd takes requests of at most 1.5 MiB


async def test_a_value_that_etcd_does_not_take_is_refused_with_its_limit(storage: EtcdStorage):
    await storage.commit([Write("a", b"1")])
    for size in (2 << 20, 32 << 20):
        with pytest.raises(StorageError, match="does not take a commit of") as refused:
            await storage.commit([Write("a", b"x" * size), Write("b", b"2")])
        assert "--max-request-bytes" in refused.value.hint
    assert await storage.list("") == ["a"]


@pytest.mark.parametrize("count", [128, 129, 4096])
async def test_a_commit_of_many_writes_is_one_atomic_commit(storage: EtcdStorage, count: int):
    writes = [Write(f"many/{number}", b"%d" % number) for number in range(count)]
    with pytest.raises(CommitConflictError) as refused:
        await storage.commit(writes, {"guard": 7})
    assert refused.value.key == "guard"
    assert await storage.list("") == []
    versions = await storage.commit(writes, {"guard": ABSENT})
    assert len(set(versions.values())) == 1
    assert len(await storage.list("many/")) == count
    assert await storage.commit([Write(write.key, None) for write in writes], dict(list(versions.items())[:64])) == {}
    assert await storage.list("") == []


@pytest.mark.parametrize(("writes", "conditions"), [(4097, 0), (1, 129), (140, 128), (0, 200), (2000, 120)])
async def test_a_commit_that_is_too_large_for_one_transaction_is_refused_with_the_limit(
    storage: EtcdStorage, writes: int, conditions: int
):
    with pytest.raises(StorageError, match=f"{writes} writes with {conditions} conditions") as refused:
        await storage.commit(
            [Write(f"many/{number}", b"1") for number in range(writes)],
            {f"other/{number}": ABSENT for number in range(conditions)},
        )
    assert "--max-txn-ops" in refused.value.hint
    assert await storage.list("") == []


async def test_a_list_reads_no_more_than_a_page_of_each_large_folder(storage: EtcdStorage):
    for folder in ("a", "b"):
        await storage.commit([Write(f"{folder}/{number}", b"1") for number in range(3000)])
    await storage.commit([Write(f"leaf-{number:04}", b"1") for number in range(2500)])
    pages = await _requests_of(storage, storage.list(""))
    assert [len(page.kvs) for page in pages] == [1000, 1000, 1000, 1000, 500]


async def _requests_of(storage: EtcdStorage, listing: Any) -> list[Any]:
    answers, ask = [], storage._cluster.ask

    async def counted(attempt: Any) -> Any:
        answers.append(await ask(attempt))
        return answers[-1]

    storage._cluster.ask = counted  # the real request, and a look at its answer
    assert await listing == ["a/", "b/", *(f"leaf-{number:04}" for number in range(2500))]
    return answers


async def test_stores_with_different_prefixes_do_not_see_each_other(single: EtcdCluster):
    stores = [EtcdStorage(single.endpoints, prefix=prefix) for prefix in ("/team/a", "/team/a/b/", "/team/", "")]
    for number, store in enumerate(stores):
        await store.open()
        await store.commit([Write("same", b"%d" % number)], {"same": ABSENT})
    for number, store in enumerate(stores):
        entry = await store.get("same")
        assert entry is not None
        assert entry.value == b"%d" % number
        assert await store.list("") == ["same"]
        await store.aclose()


async def test_a_node_that_was_killed_and_started_again_is_used_again(single: EtcdCluster):
    storage = EtcdStorage(single.endpoints, prefix=next(PREFIXES), timeout=1.5)
    await storage.open()
    versions = await storage.commit([Write("a", b"1")])
    single.nodes[0].kill()
    for request in (storage.get("a"), storage.list(""), storage.commit([Write("a", b"2")])):
        with pytest.raises(StorageError):
            await request
    single.repair()
    assert (await storage.commit([Write("a", b"3")], versions))["a"] > versions["a"]
    await storage.aclose()


async def test_a_write_that_a_frozen_node_got_is_told_as_unknown(single: EtcdCluster):
    storage = EtcdStorage(single.endpoints, prefix=next(PREFIXES), timeout=1.5)
    await storage.open()
    process = single.nodes[0].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(StorageError):
            await storage.commit([Write("a", b"1")])
        with pytest.raises(StorageError):
            await storage.get("a")
    finally:
        process.send_signal(signal.SIGCONT)
    assert await storage.list("") in (["a"], [])
    await storage.aclose()


async def test_a_cluster_without_space_refuses_writes_and_still_reads():
    with etcd_cluster(arguments=(f"--quota-backend-bytes={4 << 20}",)) as full:
        storage = EtcdStorage(full.endpoints)
        await storage.open()
        written: list[str] = []

        async def fill() -> None:
            for number in range(100):
                await storage.commit([Write(f"k/{number}", b"x" * (1 << 20))])
                written.append(str(number))

        with pytest.raises(StorageError, match="space exceeded"):
            await fill()
        assert await storage.list("k/") == sorted(written)
        assert await storage.get("k/0") is not None
        await storage.aclose()


@pytest.mark.parametrize(
    "endpoint",
    ["ftp://h:1", "h:2379", "http://user:canary-password@h:2379", "http://h:canary-password", "https://", "http://[::1", ""],
)
async def test_an_endpoint_that_cannot_be_read_is_refused_without_a_password_in_it(endpoint: str):
    storage = EtcdStorage([endpoint])
    with pytest.raises(StorageError, match="etcd endpoint") as refused:
        await storage.open()
    assert "canary" not in f"{refused.value!r} {refused.value}"


async def test_a_client_certificate_without_its_key_is_refused():
    with pytest.raises(StorageError, match="certificate and its key"):
        EtcdStorage(["https://127.0.0.1:2379"], client_cert="client.pem")
    with pytest.raises(StorageError, match="at least one endpoint"):
        EtcdStorage([])


# Three nodes with TLS, client certificates and a password.


@pytest.fixture(scope="module")
def secured() -> Iterator[EtcdCluster]:
    with etcd_cluster(3, has_tls=True) as running:
        asyncio.run(_demand_passwords(running))
        yield running


async def _demand_passwords(cluster: EtcdCluster) -> None:
    storage = EtcdStorage(cluster.endpoints, **_certificates(cluster))
    await storage.open()
    auth = storage._cluster._endpoints[0].auth
    for name in ("root", "svault"):
        await auth.UserAdd(rpc.AuthUserAddRequest(name=name, password=PASSWORD))
        await auth.RoleAdd(rpc.AuthRoleAddRequest(name=name))
        await auth.UserGrantRole(rpc.AuthUserGrantRoleRequest(user=name, role=name))
    permission = rpc.Permission(permType=rpc.Permission.READWRITE, key=b"/prefix-", range_end=b"/prefix.")
    await auth.RoleGrantPermission(rpc.AuthRoleGrantPermissionRequest(name="svault", perm=permission))
    await auth.AuthEnable(rpc.AuthEnableRequest())
    await storage.aclose()


def _certificates(cluster: EtcdCluster, authority: Authority | None = None) -> dict[str, Any]:
    assert cluster.authority is not None
    own = authority or cluster.authority
    return {"ca_cert": own.file("ca"), "client_cert": own.file("client"), "client_key": own.file("client-key")}


@pytest.fixture
def access(secured: EtcdCluster) -> Iterator[dict[str, Any]]:
    """The options of a storage that is let in; what a test killed is started again."""
    yield {**_certificates(secured), "username": "svault", "password": PASSWORD, "prefix": next(PREFIXES)}
    secured.repair()


async def test_three_nodes_with_tls_and_a_password_keep_entries(secured: EtcdCluster, access: dict[str, Any]):
    storage = EtcdStorage(secured.endpoints, **access)
    await storage.open()
    versions = await storage.commit([Write("a/b", b"1")], {"a/b": ABSENT})
    with pytest.raises(CommitConflictError):
        await storage.commit([Write("a/b", b"2")], {"a/b": ABSENT})
    await storage.aclose()
    for endpoint in secured.endpoints:
        other = EtcdStorage([endpoint], **access)
        await other.open()
        entry = await other.get("a/b")
        assert entry is not None
        assert entry.version == versions["a/b"]
        await other.aclose()


@pytest.mark.parametrize("victim", ["leader", "endpoint"])
async def test_nothing_acknowledged_is_lost_and_writes_go_on_when_a_node_is_killed(
    secured: EtcdCluster, access: dict[str, Any], victim: str
):
    leader = secured.leader()
    first = leader if victim == "leader" else next(node for node in secured.nodes if node is not leader)
    ports = [first.client_port, *(node.client_port for node in secured.nodes if node is not first)]
    storage = EtcdStorage([f"https://127.0.0.1:{port}" for port in ports], **access)
    await storage.open()
    acknowledged: list[str] = []
    unknown: list[StorageError] = []
    reached = {count: asyncio.Event() for count in (60, 200)}

    async def write(writer: int) -> None:
        for number in itertools.count():
            key = f"n/{writer}-{number}"
            try:
                await storage.commit([Write(key, key.encode())])
            except UnknownOutcomeError as error:
                unknown.append(error)
                continue
            acknowledged.append(key)
            if event := reached.get(len(acknowledged)):
                event.set()
            if reached[200].is_set():
                return

    writers = asyncio.gather(*(write(writer) for writer in range(8)))
    await reached[60].wait()
    first.kill()
    async with asyncio.timeout(60):
        await writers
    assert len(unknown) <= 8, "only what was under way can be unknown"
    kept = set(await storage.list("n/"))
    assert {key.removeprefix("n/") for key in acknowledged} <= kept
    await storage.aclose()


async def test_two_nodes_away_is_an_error_and_not_a_wait_without_end(secured: EtcdCluster, access: dict[str, Any]):
    storage = EtcdStorage(secured.endpoints, **access, timeout=3)
    await storage.open()
    await storage.commit([Write("a", b"1")])
    for node in secured.nodes[:2]:
        node.kill()
    with pytest.raises(StorageError):
        await storage.get("a")
    with pytest.raises(StorageError):
        await storage.commit([Write("a", b"2")])
    secured.repair()
    entry = await storage.get("a")
    assert entry is not None
    await storage.commit([Write("a", b"3")], {"a": entry.version})
    await storage.aclose()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "canary-wrong"}, "invalid user ID or password"),
        ({"username": "", "password": ""}, "permission denied"),  # etcd takes the certificate's name instead
        ({"prefix": "/elsewhere/"}, "permission denied"),
        ({"client_cert": None, "client_key": None}, "no etcd endpoint answers"),
        ({"ca_cert": "/nowhere/ca.pem"}, "cannot read /nowhere/ca.pem"),
    ],
    ids=["wrong password", "no password", "another prefix", "no client certificate", "no such file"],
)
async def test_who_is_not_let_in_gets_an_error_that_says_why(
    secured: EtcdCluster, access: dict[str, Any], change: dict[str, Any], message: str
):
    storage = EtcdStorage(secured.endpoints, **{**access, "timeout": 2, **change})
    with pytest.raises(StorageError, match=message) as refused:
        await storage.open()
    assert "canary" not in f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"


async def test_servers_of_an_unknown_authority_are_not_trusted(secured: EtcdCluster, access: dict[str, Any], tmp_path):
    stranger = Authority(tmp_path / "stranger")
    stranger.issue("client")
    storage = EtcdStorage(secured.endpoints, **{**access, "timeout": 2, "ca_cert": stranger.file("ca")})
    with pytest.raises(StorageError, match="CERTIFICATE_VERIFY_FAILED"):
        await storage.open()
    storage = EtcdStorage(
        secured.endpoints, **{**access, **_certificates(secured, stranger), "timeout": 2, "ca_cert": access["ca_cert"]}
    )
    with pytest.raises(StorageError, match="no etcd endpoint answers"):
        await storage.open()


async def test_a_server_without_tls_is_not_talked_to_over_https(
    single: EtcdCluster, secured: EtcdCluster, access: dict[str, Any]
):
    storage = EtcdStorage([url.replace("http:", "https:") for url in single.endpoints], **{**access, "timeout": 2})
    with pytest.raises(StorageError, match="no etcd endpoint answers"):
        await storage.open()


@pytest.fixture
async def with_tokens(tmp_path, request: pytest.FixtureRequest) -> AsyncIterator[EtcdStorage]:
    """A storage at a node whose tokens last as long as the test's parameter says."""
    keys = Authority(tmp_path / "keys")
    keys.issue("client")
    files = f"pub-key={keys.file('client')},priv-key={keys.file('client-key')}"
    with etcd_cluster(arguments=(f"--auth-token=jwt,{files},sign-method=ES256,ttl={request.param}",)) as cluster:
        await _demand_root(cluster)
        storage = EtcdStorage(cluster.endpoints, username="root", password=PASSWORD)
        await storage.open()
        yield storage
        await storage.aclose()


async def _demand_root(cluster: EtcdCluster) -> None:
    storage = EtcdStorage(cluster.endpoints)
    await storage.open()
    auth = storage._cluster._endpoints[0].auth
    await auth.UserAdd(rpc.AuthUserAddRequest(name="root", password=PASSWORD))
    await auth.UserGrantRole(rpc.AuthUserGrantRoleRequest(user="root", role="root"))
    await auth.AuthEnable(rpc.AuthEnableRequest())
    await storage.aclose()


@pytest.mark.parametrize("with_tokens", ["1s"], indirect=True)
async def test_a_token_that_has_expired_is_renewed(with_tokens: EtcdStorage):
    first = with_tokens._cluster._token
    async with asyncio.timeout(10):
        while with_tokens._cluster._token == first:
            await with_tokens.commit([Write("a", b"1")])


@pytest.mark.parametrize("with_tokens", ["1h"], indirect=True)
async def test_a_token_from_before_a_change_of_the_users_is_renewed(with_tokens: EtcdStorage):
    cluster = with_tokens._cluster
    first = cluster._token
    await cluster._endpoints[0].auth.RoleAdd(rpc.AuthRoleAddRequest(name="another"), metadata=(("token", first),))
    await asyncio.gather(*(with_tokens.commit([Write(f"b/{number}", b"2")]) for number in range(20)))
    assert cluster._token != first
