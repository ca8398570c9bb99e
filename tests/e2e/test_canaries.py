"""Secrets inside and outside a workspace stay where they are, whichever way they are asked for.

Each place that tools must not read holds a canary. Every way of asking is tried on every place: imports of a configuration,
path arguments of every tool, resources, completions. The canary must not be in any byte that the server wrote.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from prov_tools.arguments import ConfigArgument
from prov_tools.registry import REGISTRY

from .wire import serving

pytestmark = pytest.mark.anyio

CANARY = "canary-5d41402abc4b2a76"
INSIDE = [
    ".prov/http-token",
    ".prov/state.json",
    ".git/config",
    ".git/hooks/secret.ncl",
    ".env",
    ".env.local",
    ".env.json",
    "id_rsa",
    "id_rsa.json",
    "key.pem",
    "prod.tfstate.json",
    "aws-credentials.toml",
    "prov.toml",
    "node_modules/x.ncl",
]
REVIEW = {"type": "ref/prompt", "name": "review_configuration"}
CONFIG = {"type": "ref/resource", "uri": "prov://config/{+path}"}
LINKS = ["link.ncl", "link.json", "folder/deep.toml"]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside.json"


@pytest.fixture
def planted(workspace: Path, outside: Path) -> list[str]:
    """Plant every canary; the names by which they can be asked for."""
    # A valid value in every language that is read, so that whatever is read is also understood.
    for name in INSIDE:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'# {CANARY}\n[log]\nlevel = "warning"\n' if name == "prov.toml" else json.dumps(CANARY))
    outside.write_text(json.dumps(CANARY))
    (workspace / "folder").mkdir()
    for name in LINKS:
        (workspace / name).symlink_to(outside)
    (workspace / "inner.json").symlink_to(workspace / ".env.json")
    (workspace / "away").symlink_to(outside.parent, target_is_directory=True)
    (workspace / "main.ncl").write_text('{ provider = "aws", servers = [] }')
    names = [*INSIDE, *LINKS, "inner.json", "away/outside.json", "../outside.json", "folder/../../outside.json", str(outside)]
    return [*names, *(str(workspace / name) for name in INSIDE), "/proc/self/environ", "/etc/passwd"]


def imports(name: str) -> Iterator[str]:
    """Configurations that would show a file's text, by every form of import that Nickel has."""
    quoted = json.dumps(name)
    yield f"import {quoted}"
    yield f"{{ tags.x = import {quoted} }}"
    yield f'{{ tags.x = "%{{import {quoted}}}" }}'
    yield f"{{ tags.x = import {quoted} as 'Text }}"
    yield f"{{ tags.x = import {quoted} as 'Json }}"
    yield f"{{ tags.x | (std.contract.from_predicate (fun _ => std.fail_with (import {quoted} as 'Text))) = 1 }}"
    yield f"let f = fun s => s in {{ tags.x = std.fail_with (f (import {quoted} as 'Text)) }}"


def spellings(name: str) -> Iterator[str]:
    """A path, as it is and encoded in the ways that servers forget about."""
    yield quote(name)
    yield quote(name, safe="")
    yield quote(name).replace(".", "%2e").replace("/", "%2f")
    yield quote(quote(name, safe=""))
    yield f"./{quote(name)}"
    yield f"folder/..%2f{quote(name)}"
    yield f"folder/..%5c{quote(name)}"
    yield f"{quote(name)}%00.ncl"
    yield f"{quote(name)}#.ncl"


def config_arguments() -> list[tuple[str, str]]:
    """Every (tool, parameter) that takes a path."""
    return [
        (tool.name, name)
        for tool in REGISTRY
        for name, field in tool.input.model_fields.items()
        if any(isinstance(mark, ConfigArgument) for mark in field.metadata)
    ]


def every_request(workspace: Path, planted: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every way of asking for every place, as requests."""
    for tool, parameter in config_arguments():
        for number, name in enumerate(planted):
            asking = workspace / f"asking-{number}.ncl"
            asking.write_text(f"{{ tags.x = std.fail_with (import {json.dumps(name)} as 'Text) }}")
            for text in (name, f"./{name}", asking.name, *imports(name)):
                yield "tools/call", {"name": tool, "arguments": {parameter: text}}
    for name in planted:
        for spelling in spellings(name):
            yield "resources/read", {"uri": f"prov://config/{spelling}"}
        for spelling in (name, f"../{name}"):
            yield "resources/read", {"uri": f"prov://schema/{quote(spelling, safe='')}"}
            yield "tools/call", {"name": "get_schema", "arguments": {"name": spelling}}
    for typed in ("", ".", "..", "/", "id", "key"):
        for argument, reference in (("path", CONFIG), ("config", REVIEW)):
            yield "completion/complete", {"ref": reference, "argument": {"name": argument, "value": typed}}


async def test_no_way_of_asking_shows_a_planted_secret(workspace: Path, planted: list[str]):
    requests = list(every_request(workspace, planted))

    async with serving(workspace) as wire:
        await wire.greet()
        # A window of requests is under way at any time: both workers are busy and no pipe fills up.
        for start in range(0, len(requests), 16):
            window = requests[start : start + 16]
            waiting = {await wire.ask(method, params) for method, params in window}
            while waiting:
                waiting.discard((await wire.receive()).get("id"))
        tried = await wire.call("validate_config", config="main.ncl")
        code, stderr = await wire.leave()

    assert len(requests) > 500
    assert config_arguments()
    assert tried["valid"]
    assert code == 0
    assert CANARY not in stderr
    leaks = [message["id"] for message in wire.seen if CANARY in json.dumps(message) or "root:x:" in json.dumps(message)]
    assert [requests[leak - 2] for leak in leaks] == []


async def test_a_canary_that_may_be_read_is_found_by_every_way_of_asking(workspace: Path):
    """The ways of asking above do read what may be read; otherwise they would prove nothing."""
    (workspace / "open.json").write_text(json.dumps(CANARY))
    async with serving(workspace) as wire:
        await wire.greet()
        shown = [json.dumps(await wire.call("validate_config", config=text)) for text in imports("open.json")]
        read = await wire.request("resources/read", {"uri": "prov://config/open.json"})
        encoded = await wire.request("resources/read", {"uri": "prov://config/open%2ejson"})
        await wire.leave()
    assert [CANARY in text for text in shown[-2:]] == [True, True]
    assert CANARY in json.dumps(read)
    assert CANARY in json.dumps(encoded)


async def test_names_of_what_may_not_be_read_are_not_offered_for_completion(workspace: Path, planted: list[str]):
    async with serving(workspace) as wire:
        await wire.greet()
        answer = await wire.request("completion/complete", {"ref": REVIEW, "argument": {"name": "config", "value": ""}})
        await wire.leave()
    assert answer["result"]["completion"]["values"] == ["main.ncl"]
