"""`/health`, `/ready`, `/metrics`, and what of a request is logged."""

import asyncio
import logging

import httpx2
import pytest
import structlog
from starlette.applications import Starlette

from prov_server.http.status import Status
from prov_server.measure import Metrics
from stratumops import __version__
from stratumops.errors import UnavailableError

pytestmark = pytest.mark.anyio


async def test_health_says_the_version(start):
    async with start() as served:
        answer = await served.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


async def test_a_server_whose_workers_run_is_ready(start):
    async with start() as served:
        answer = await served.client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_an_application_that_cannot_work_is_not_ready_and_is_asked_once_for_many():
    asked = []

    async def ready():
        asked.append(True)
        await asyncio.sleep(0)
        raise UnavailableError("the workers of /home/ada are gone")

    routes = Status(ready, Metrics()).routes()
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette(routes=routes)), base_url="http://localhost")
    with structlog.testing.capture_logs() as logs:
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(20)))
    await client.aclose()
    assert {answer.status_code for answer in answers} == {503}
    # Strangers may ask: they learn yes or no, and the log learns why.
    assert answers[0].json()["error"]["message"] == "not ready"
    assert "ada" not in answers[0].text
    assert [entry["reason"] for entry in logs] == ["the workers of /home/ada are gone"]
    assert len(asked) == 1


async def test_requests_are_counted_by_route_and_never_by_path(start):
    async with start() as served:
        await served.call("echo", text="x")
        await served.client.get("/secret-path-1")
        await served.client.get("/health", headers={"Host": "evil.example"})
        await served.client.request("BREW", "/secret-path-2")
        answer = await served.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'prov_http_requests_total{method="POST",route="/api/v1/tools/{name}",status="200"} 1.0' in lines
    assert 'prov_http_requests_total{method="GET",route="(none)",status="404"} 1.0' in lines
    assert 'prov_http_requests_total{method="GET",route="(none)",status="421"} 1.0' in lines
    assert 'prov_http_requests_total{method="(other)",route="(none)",status="404"} 1.0' in lines
    assert 'prov_tool_calls_total{face="rest",outcome="ok",tool="echo"} 1.0' in lines
    assert "secret-path" not in answer.text


async def test_a_request_is_logged_without_query_string_token_or_arguments(start, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        async with start() as served:
            token = served.client.headers["authorization"].split()[1]
            await served.client.post("/api/v1/tools/echo?key=canary-query", json={"text": "canary-argument"})
    (entry,) = [entry for entry in logs if entry["event"] == "http_request"]
    assert entry["route"] == "/api/v1/tools/{name}"
    assert (entry["method"], entry["status"], entry["principal"]) == ("POST", 200, "owner")
    # The test's own client logs what it sends.
    written = str(logs) + "".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    assert "canary" not in written
    assert token not in written
