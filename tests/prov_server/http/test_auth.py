"""Who may call: tokens, scopes, and the file that holds the first token."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from prov_server.http.auth import SharedToken, TokenFile
from stratumops.errors import InvalidInputError, PermissionDeniedError
from stratumops.principal import METRICS, TOOLS, Principal

pytestmark = pytest.mark.anyio
PROTECTED = ["/api/v1/tools", "/api/v1/tools/echo", "/api/v1/openapi.json", "/metrics", "/mcp", "/nothing"]
PRINCIPALS = {
    "a" * 40: Principal("ada", frozenset({TOOLS})),
    "b" * 40: Principal("bob", frozenset({TOOLS})),
    "m" * 40: Principal("monitoring", frozenset({METRICS})),
}


class Several:
    """Another kind of authenticator, as later parts bring one."""

    async def verify(self, token):
        return PRINCIPALS.get(token)


def bearer(letter):
    return {"Authorization": "Bearer " + letter * 40}


async def test_everything_but_health_and_readiness_needs_the_token(start):
    async with start() as served:
        for path in PROTECTED:
            answer = await served.client.get(path, headers={"Authorization": ""})
            assert answer.status_code == 401, path
            assert answer.json()["error"]["code"] == "unauthenticated"
            assert answer.headers["www-authenticate"].startswith('Bearer realm="stratumops"')
        for path in ("/health", "/ready"):
            assert (await served.client.get(path, headers={"Authorization": ""})).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer wrong", "Bearer", "bearer", "Basic dXNlcjp0b2tlbg==", "Bearer prov_" + "t" * 42, "Bearer prov_" + "t" * 44,
     "prov_" + "t" * 43, "Bearer a b", "Bearer prov_" + "t" * 43 + ",", "Bearer " + "x" * 20_000],
    ids=lambda header: header[:20],
)  # fmt: skip
async def test_anything_but_the_very_token_is_refused(start, header):
    async with start() as served:
        answer = await served.client.post("/api/v1/tools/echo", headers={"Authorization": header}, json={"text": "x"})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "ttt" not in answer.text


async def test_the_scheme_is_read_in_any_case_and_two_headers_are_refused(start):
    async with start() as served:
        token = served.client.headers["authorization"].split()[1]
        assert (await served.client.get("/api/v1/tools", headers={"Authorization": f"bEARER {token}"})).status_code == 200
        authorization = f"Authorization: Bearer {token}\r\n"
        twice = f"GET /api/v1/tools HTTP/1.1\r\nHost: localhost\r\n{authorization * 2}Connection: close\r\n\r\n"
        assert b" 401 " in (await served.raw(twice.encode())).splitlines()[0]


async def test_a_token_in_the_query_string_is_no_token(start):
    async with start() as served:
        token = served.client.headers["authorization"].split()[1]
        answer = await served.client.get(f"/api/v1/tools?access_token={token}", headers={"Authorization": ""})
    assert answer.status_code == 401


async def test_a_client_that_looks_for_an_authorization_server_is_told_that_there_is_none(start):
    async with start() as served:
        answer = await served.client.get("/.well-known/oauth-protected-resource/mcp", headers={"Authorization": ""})
    assert answer.status_code == 404


async def test_without_authentication_anybody_on_loopback_may_call(start):
    async with start(no_auth=True) as served:
        assert (await served.call("echo", text="x")).status_code == 200
        assert (await served.client.get("/metrics")).status_code == 200


async def test_a_token_does_only_what_its_scopes_allow(start):
    async with start(auth=Several()) as served:
        assert (await served.client.get("/metrics", headers=bearer("m"))).status_code == 200
        refused = await served.client.get("/api/v1/tools", headers=bearer("m"))
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert (await served.client.get("/metrics", headers=bearer("a"))).status_code == 403
        assert (await served.client.get("/api/v1/tools", headers=bearer("a"))).status_code == 200


async def test_what_one_principal_switches_on_is_not_on_for_another(start):
    async with start(auth=Several()) as served:
        body = {"action": "enable", "names": ["hidden"]}
        await served.client.post("/api/v1/tools/toolsets", json=body, headers=bearer("a"))
        ada = await served.client.post("/api/v1/tools/hidden", json={}, headers=bearer("a"))
        bob = await served.client.post("/api/v1/tools/hidden", json={}, headers=bearer("b"))
    assert (ada.status_code, bob.status_code) == (200, 404)


async def test_a_shared_token_belongs_to_the_owner_and_keeps_no_plain_text():
    token = SharedToken("s" * 40)
    assert await token.verify("s" * 39) is None
    assert await token.verify("s" * 40 + "\udcff") is None
    owner = await token.verify("s" * 40)
    assert owner is not None
    assert owner.subject == "owner"
    assert "s" * 40 not in repr(vars(token))


def test_the_token_is_made_once_and_only_the_owner_can_read_it(workspace):
    previous = os.umask(0)
    try:
        token, is_new = TokenFile.of(workspace).read_or_make(workspace)
    finally:
        os.umask(previous)
    assert is_new
    assert token.startswith("prov_")
    assert len(token) >= 48
    assert stat.S_IMODE((workspace.own / "http-token").stat().st_mode) == 0o600
    assert stat.S_IMODE(workspace.own.stat().st_mode) == 0o700
    assert TokenFile.of(workspace).read_or_make(workspace) == (token, False)
    assert [path.name for path in workspace.own.iterdir()] == ["http-token"]


def test_servers_that_start_at_once_agree_on_one_token(workspace):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: TokenFile.of(workspace).read_or_make(workspace), range(16)))
    assert len({token for token, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o666])
def test_a_token_file_that_others_can_open_is_refused_with_the_remedy(workspace, mode):
    TokenFile.of(workspace).read_or_make(workspace)
    file = workspace.own / "http-token"
    file.chmod(mode)
    with pytest.raises(PermissionDeniedError) as refused:
        TokenFile.of(workspace).read_or_make(workspace)
    assert f"chmod 600 {file}" in refused.value.hint
    assert file.read_text().strip() not in str(refused.value.as_dict())


def test_a_folder_that_others_can_look_into_is_refused(workspace):
    workspace.own.mkdir(mode=0o755)
    with pytest.raises(PermissionDeniedError) as refused:
        TokenFile.of(workspace).read_or_make(workspace)
    assert refused.value.hint == f"chmod 700 {workspace.own}"


@pytest.mark.parametrize("text", ["", "short", "x" * 31, "two words of a token that is long enough", "ü" * 40])
def test_a_token_file_without_a_token_is_refused(workspace, text):
    file = workspace.make_own() / "http-token"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(InvalidInputError, match="holds no token"):
        TokenFile.of(workspace).read_or_make(workspace)


def test_a_token_file_that_is_a_link_or_a_pipe_is_refused(workspace, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("e" * 40)
    elsewhere.chmod(0o600)
    file = workspace.make_own() / "http-token"
    file.symlink_to(elsewhere)
    with pytest.raises(PermissionDeniedError):
        TokenFile.of(workspace).read_or_make(workspace)
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(PermissionDeniedError):
        TokenFile.of(workspace).read_or_make(workspace)
