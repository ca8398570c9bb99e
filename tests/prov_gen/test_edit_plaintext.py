"""No difference shows a secret: its lines are known in every format, and changes beside them are refused."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prov_gen.edit import REVEALING, CannotEditError, Edit, Edited, edit_in_place, write_anew
from prov_gen.edit.plaintext import secret_lines
from prov_gen.load import Loaded, load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel
from prov_gen.source import read_source
from stratumops.workspace import Workspace

CANARY = "hunter2hunter2"
EMPTY = InfrastructureConfig.model_validate({"servers": []})


@pytest.mark.parametrize(
    ("line", "is_secret"),
    [
        (f'    DB_PASSWORD = "{CANARY}",', True),
        (f'    "db_password": "{CANARY}",', True),
        (f'    env.DB_PASSWORD | force = "{CANARY}",', True),
        (f"    # the password: {CANARY}", True),
        ('    key = "AKIAABCDEFGHIJKLMNOP",', True),
        ('    DB_PASSWORD = "vault:secret/db#password",', False),
        ('    name = "web", # the password is in the vault', False),
        ("    metadata_tokens = 'required,", False),
    ],
)
def test_a_line_tells_by_its_name_or_form_that_it_holds_a_secret(line: str, is_secret: Any):
    assert secret_lines(f"{{\n{line}\n}}", EMPTY) == (frozenset({1}) if is_secret else frozenset())


def test_what_the_configuration_calls_secret_is_found_wherever_it_stands():
    config = InfrastructureConfig.model_validate({"servers": [{"name": "web", "tags": {"password": CANARY}}]})
    text = f'let it = "{CANARY}" in\n{{\n  servers = [{{ tags.password = it }}],\n  description = "not {CANARY}",\n}}'
    assert secret_lines(text, config) == frozenset({0, 3})


SERVERS: list[dict[str, Any]] = [
    {"name": "web", "spec": {"encrypted_disk": False}, "tags": {"DB_PASSWORD": CANARY}},
    *({"name": f"app{n}", "spec": {"encrypted_disk": False}, "tags": {"team": "shop"}} for n in range(2)),
]
NICKEL = """{
  servers = [
    {
      name = "web",
      spec.encrypted_disk = false,
      tags.DB_PASSWORD = "hunter2hunter2",
    },
    {
      name = "app0",
      tags.team = "shop",


      # far enough from what is above
      spec.encrypted_disk = false,
    },
  ],
}
"""
TOML = """[[servers]]
name = "web"

[servers.spec]
encrypted_disk = false

[servers.tags]
DB_PASSWORD = "hunter2hunter2"

[[servers]]
name = "app0"

[servers.spec]
cpu = 4
encrypted_disk = false
"""
TEXTS = {"main.ncl": NICKEL, "main.json": json.dumps({"servers": SERVERS}, indent=2), "main.toml": TOML}
WEB, APP = (("servers", index, "spec", "encrypted_disk") for index in range(2))


class Bench:
    def __init__(self, runner: asyncio.Runner, nickel: Nickel) -> None:
        self._runner, self._nickel = runner, nickel

    def load(self, folder: Path, name: str, text: str) -> tuple[Loaded, Workspace]:
        (folder / name).write_text(text)
        workspace = Workspace.at(folder)
        source = read_source(name, workspace)
        return self._runner.run(load_config(source, nickel=self._nickel, workspace=workspace)), workspace

    def run(self, do: Any, folder: Path, name: str, *paths: tuple[str | int, ...], text: str = "") -> Edited:
        loaded, workspace = self.load(folder, name, text or TEXTS[name])
        edits = [Edit(path, value=True) for path in paths]
        done: Edited = self._runner.run(do(loaded, edits, nickel=self._nickel, workspace=workspace))
        return done


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        nickel = Nickel(size=1)
        yield Bench(runner, nickel)
        runner.run(nickel.aclose())


@pytest.mark.parametrize("name", TEXTS)
def test_a_change_beside_a_secret_is_refused_and_one_farther_away_is_not(bench: Bench, tmp_path: Path, name: str):
    with pytest.raises(CannotEditError) as caught:
        bench.run(edit_in_place, tmp_path, name, WEB, APP)
    assert caught.value.refused == {WEB: REVEALING}
    done = bench.run(edit_in_place, tmp_path, name, APP)
    assert done.diff.count("\n+") == 2
    assert CANARY not in done.diff


@pytest.mark.parametrize("name", [*TEXTS, "main.yaml"])
def test_a_text_with_a_secret_is_not_written_anew(bench: Bench, tmp_path: Path, name: str):
    text = TEXTS.get(name, TEXTS["main.json"])
    with pytest.raises(CannotEditError, match="holds a secret") as caught:
        bench.run(write_anew, tmp_path, name, APP, text=text)
    assert set(caught.value.refused) == {APP}


def test_a_bare_record_with_a_secret_is_not_surrounded(bench: Bench, tmp_path: Path):
    text = f'{{\n  name = "web",\n  spec.encrypted_disk = false,\n  tags.DB_PASSWORD = "{CANARY}",\n}}\n'
    with pytest.raises(CannotEditError) as caught:
        bench.run(edit_in_place, tmp_path, "main.ncl", ("security", "threat_detection"), text=text)
    assert caught.value.refused == {("security", "threat_detection"): REVEALING}
