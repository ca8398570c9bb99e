"""The same stories told to our vault and to a real OpenBao: answers are the same, but for what a story gives a reason for."""

import asyncio
import json
import time
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from beside_openbao import Story, differences, shape
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from vaults import BaoServer, TestVault, running_openbao

pytestmark = pytest.mark.anyio
STORIES = tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))["story"]
SECONDS = 768 * 3600


@pytest.fixture(scope="module")
def fresh_openbao():
    with running_openbao() as made:
        yield made


def body_of(answer: Any) -> dict[str, Any]:
    return dict(answer.body or {})


@pytest.mark.parametrize("told", STORIES, ids=lambda story: story["name"].replace(" ", "-"))
async def test_both_vaults_answer_alike(told: dict[str, Any], fresh_openbao: BaoServer):
    mounts = [MountEntry("secret/", "kv", options={"version": "2"})]
    async with TestVault(settings=CoreSettings(default_lease_ttl=SECONDS, max_lease_ttl=SECONDS, mounts=mounts)) as vault:
        ours, theirs = Story(), Story()
        found: list[str] = []
        for step in told["steps"]:
            answers = []
            for story, asked in ((ours, vault), (theirs, fresh_openbao)):
                method, _, path = step["ask"].partition(" ")
                token = None if "as" not in step else story.known.get(step["as"], step["as"])
                data = story.filled(step["data"]) if "data" in step else None
                bare, _, query = path.partition("?")
                if asked is vault and query:
                    path, data = bare, dict(parse_qsl(query))  # as the server reads it
                more = {"token": token, "wrap_ttl": step.get("wrap", 0), "headers": step.get("headers")}
                made = asked.call(method, story.filled(path), data, **more)
                answer = await made if asked is vault else made
                deadline = time.monotonic() + 10
                while asked is fresh_openbao and answer.status != step.get("until", answer.status):
                    assert time.monotonic() < deadline, step["ask"]  # OpenBao moves mounts behind its answer
                    await asyncio.sleep(0.05)
                    answer = asked.call(method, story.filled(path), data, **more)
                if answer.raw and answer.body is None:
                    answer.body = json.loads(answer.raw)
                if answer.status < 300:
                    story.keep(step.get("keep", {}), answer.body)
                answers.append(answer)
            one, other = answers
            differ = [] if one.status == other.status else [f"status {one.status} is not {other.status}"]
            differ += differences(shape(body_of(one)), shape(body_of(other)))
            known = step.get("but", {})
            found += [f"{step['ask']}: {line}" for line in differ if not any(line.startswith(prefix) for prefix in known)]
            unused = [prefix for prefix in known if not any(line.startswith(prefix) for line in differ)]
            assert not unused, f"{step['ask']}: no longer different: {unused}"
    assert not found, "\n".join(found)
