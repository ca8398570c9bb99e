"""REST: the registry's tools over HTTP, with the one shape of errors."""

import asyncio
import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prov_server.http import serve
from prov_server.http.arguments import MAX_DEPTH, parse_arguments
from stratumops.errors import InvalidInputError

pytestmark = pytest.mark.anyio


def error_of(answer):
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    assert error["message"]
    assert error["hint"]
    return error


async def test_a_tool_answers_with_its_structured_result(start):
    async with start() as served:
        answer = await served.call("echo", text="grüße", times=2)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"said": ["grüße", "grüße"]}


async def test_an_empty_body_is_no_arguments(start):
    async with start() as served:
        answer = await served.client.post("/api/v1/tools/toolsets", headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert [row["name"] for row in answer.json()["toolsets"]] == ["core", "probe", "hidden"]


async def test_the_list_holds_the_offered_tools_with_their_schemas(start):
    async with start() as served:
        listed = (await served.client.get("/api/v1/tools")).json()["tools"]
        one = (await served.client.get("/api/v1/tools/echo")).json()
    assert [tool["name"] for tool in listed] == ["toolsets", "echo", "wait", "breaks", "record"]
    assert one == listed[1]
    assert one["input_schema"]["required"] == ["text"]
    assert one["output_schema"]["properties"]["said"] == {"type": "array", "items": {"type": "string"}}


async def test_a_toolset_that_is_off_is_not_found_until_it_is_switched_on(start):
    async with start() as served:
        assert error_of(await served.call("hidden"))["code"] == "not_found"
        assert (await served.client.get("/api/v1/tools/hidden")).status_code == 404
        assert (await served.call("toolsets", action="enable", names=["hidden"])).json()["changed"] is True
        assert (await served.call("hidden")).json() == {"said": ["found"]}
        assert (await served.client.get("/api/v1/tools/hidden")).status_code == 200


async def test_a_tool_that_changes_something_is_refused_in_read_only_mode(start):
    async with start(mcp={"read_only": True}) as served:
        answer = await served.call("record")
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "permission_denied"


async def test_wrong_arguments_are_named_without_their_values(start):
    async with start() as served:
        answer = await served.call("echo", text="canary-secret-value", times=9, more=1)
    assert answer.status_code == 422
    error = error_of(answer)
    assert error["code"] == "invalid_input"
    assert sorted(problem["path"] for problem in error["details"]["problems"]) == ["more", "times"]
    assert "canary" not in answer.text


async def test_an_unknown_tool_is_not_found_and_the_nearest_name_is_told(start):
    async with start() as served:
        answer = await served.call("ecko", text="x")
    assert answer.status_code == 404
    assert "echo" in error_of(answer)["hint"]


async def test_a_defect_answers_without_its_words_or_a_traceback(start):
    async with start() as served:
        answer = await served.call("breaks")
        after = await served.call("echo", text="still here")
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "internal"
    assert "Traceback" not in answer.text
    assert "nobody outside" not in answer.text
    assert after.status_code == 200


async def test_an_unknown_address_answers_404_in_our_shape(start):
    async with start() as served:
        for path in ("/", "/api/v1/nothing", "/api/v1/tools/", "/mcp/", "/api/v1/tools/a/b", "//etc/passwd", "/%2e%2e/health"):
            answer = await served.client.get(served.url + path)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found"), path


async def test_a_wrong_method_answers_405_and_says_which_are_taken(start):
    async with start() as served:
        answer = await served.client.delete("/api/v1/tools")
        odd = await served.client.request("BREW", "/health")
    assert answer.status_code == odd.status_code == 405
    assert "GET" in answer.headers["allow"]
    assert error_of(answer)["code"] == "method_not_allowed"


async def test_a_body_that_is_not_declared_as_json_is_refused(start):
    async with start() as served:
        answer = await served.client.post("/api/v1/tools/echo", content=b'{"text":"x"}', headers={"Content-Type": "text/plain"})
        empty = await served.client.post("/api/v1/tools/toolsets")
    for refused in (answer, empty):
        assert refused.status_code == 415
        assert error_of(refused)["code"] == "unsupported_media_type"


MALFORMED = [
    b"{", b"[]", b"null", b'"text"', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{} {}", b'{"text": NaN}', b'{"text": -Infinity}',
    b'{"text": 1e999}', b'{"text": "a", "text": "b"}', b'{"text": {"a": 1, "a": 2}}', b'{"text": "\\ud800"}',
    b'{"\\udfff": 1}', b'{"text": ' + b"9" * 5000 + b"}", b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"text": ' + b'{"a":' * 70 + b"1" + b"}" * 71, b"\x00", b'{"text": "a\x00"}',
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:24]))
def test_a_malformed_body_is_not_taken_for_arguments(body):
    with pytest.raises(InvalidInputError, match="the request body"):
        parse_arguments(body)


async def test_every_malformed_body_is_answered_with_422_in_our_shape(start):
    async with start() as served:
        for body in MALFORMED:
            answer = await served.client.post("/api/v1/tools/echo", content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_input"), body[:40]


@given(st.binary(max_size=300))
def test_any_bytes_are_arguments_or_an_error_of_ours(body):
    try:
        found = parse_arguments(body)
    except InvalidInputError as error:
        assert error.hint  # noqa: PT017 - either outcome is right, and each has its own claim
    else:
        assert isinstance(found, dict)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_every_json_object_is_read_as_it_was_written(value):
    assert parse_arguments(json.dumps(value).encode()) == value
    assert parse_arguments(json.dumps(value, ensure_ascii=False).encode()) == value


def test_nesting_is_taken_up_to_the_limit_and_refused_beyond_it():
    def nested(levels):
        return b'{"a":' * levels + b"1" + b"}" * levels

    assert parse_arguments(nested(MAX_DEPTH))
    with pytest.raises(InvalidInputError):
        parse_arguments(nested(MAX_DEPTH + 1))


async def test_hostile_bodies_never_end_the_server(start):
    shapes = st.one_of(
        st.binary(max_size=200),
        st.text(max_size=50).map(lambda text: json.dumps({"text": text}).encode()),
        st.integers().map(lambda number: json.dumps({"text": "x", "times": number}).encode()),
    )
    loop = asyncio.get_running_loop()
    async with start() as served:

        def post(body):
            sent = served.client.post("/api/v1/tools/echo", content=body, headers={"Content-Type": "application/json"})
            return asyncio.run_coroutine_threadsafe(sent, loop).result(timeout=20)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(shapes)
        def answers(body):
            answer = post(body)
            assert answer.status_code in {200, 422}
            assert answer.status_code == 200 or answer.json()["error"]["code"] == "invalid_input"

        await asyncio.to_thread(answers)
        assert (await served.call("echo", text="alive")).status_code == 200


async def test_calls_run_side_by_side(start):
    async with start() as served:
        served.watch.together = 4
        calls = [asyncio.create_task(served.call("wait")) for _ in range(4)]
        await asyncio.wait_for(served.watch.started.wait(), 10)
        assert (await served.call("echo", text="between")).status_code == 200
        served.watch.release.set()
        answers = await asyncio.gather(*calls)
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_a_client_that_leaves_in_mid_call_cancels_that_call_and_no_other(start):
    async with start(limits={"max_concurrent_calls": 2}) as served:
        served.watch.together = 2
        staying = asyncio.create_task(served.call("wait"))
        _, writer = await asyncio.open_connection(*served.address)
        authorization = served.client.headers["authorization"]
        request = f"POST /api/v1/tools/wait HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n"
        request += "Content-Type: application/json\r\n\r\n"
        writer.write(request.encode())
        await asyncio.wait_for(served.watch.started.wait(), 10)
        writer.transport.abort()
        await asyncio.wait_for(served.watch.cancelled.wait(), 10)
        # Both places are free again only when the cancelled call gave its own back.
        assert (await asyncio.wait_for(served.call("echo", text="free"), 10)).status_code == 200
        assert not staying.done()
        served.watch.release.set()
        assert (await staying).status_code == 200
        text = (await served.client.get("/metrics")).text
    assert 'prov_tool_calls_total{face="rest",outcome="cancelled",tool="wait"} 1.0' in text
    assert 'prov_http_requests_total{method="POST",route="/api/v1/tools/{name}",status="499"} 1.0' in text


async def test_a_call_that_outlives_the_grace_of_a_shutdown_is_answered_with_503(start, monkeypatch):
    monkeypatch.setattr(serve, "GRACE_SECONDS", 1)
    async with start() as served:
        call = asyncio.create_task(served.call("wait"))
        await asyncio.wait_for(served.watch.started.wait(), 10)
        served.stop()
        answer = await asyncio.wait_for(call, 10)
        assert served.watch.cancelled.is_set()
    assert answer.status_code == 503
    assert error_of(answer)["code"] == "unavailable"


async def test_a_client_that_leaves_in_mid_body_is_forgotten(start):
    async with start() as served:
        with socket.create_connection(served.address) as half:
            half.sendall(
                b"POST /api/v1/tools/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nAuthorization: "
                + served.client.headers["authorization"].encode()
                + b'\r\n\r\n{"text"'
            )
        assert (await served.call("echo", text="here")).status_code == 200


async def test_a_wrong_method_on_a_tool_names_looking_and_calling(start):
    async with start() as served:
        answer = await served.client.delete("/api/v1/tools/get_schema")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert "POST" in error_of(answer)["hint"]
