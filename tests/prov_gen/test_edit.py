"""Fields changed in a text that somebody wrote: it means exactly the wanted configuration, and stays theirs."""

import asyncio
import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import strategies
from prov_gen.edit import CannotEditError, Edit, Edited, changed, edit_in_place, write_anew
from prov_gen.edit.plaintext import secret_lines
from prov_gen.load import Loaded, load_config
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.server import Server
from prov_gen.nickel import Nickel, nickel_literal
from prov_gen.source import ConfigSource, read_source
from stratumops.errors import InvalidInputError
from stratumops.workspace import Workspace


class Bench:
    """Real Nickel for tests that are not asynchronous."""

    def __init__(self, runner: asyncio.Runner, nickel: Nickel) -> None:
        self._runner, self._nickel = runner, nickel

    def load(self, source: ConfigSource, workspace: Workspace | None = None) -> Loaded:
        return self._runner.run(load_config(source, nickel=self._nickel, workspace=workspace))

    def edit(self, loaded: Loaded, edits: list[Edit], workspace: Workspace | None = None) -> Edited:
        return self._runner.run(edit_in_place(loaded, edits, nickel=self._nickel, workspace=workspace))

    def refused(self, loaded: Loaded, edits: list[Edit], workspace: Workspace | None = None) -> dict[Any, str]:
        with pytest.raises(CannotEditError) as caught:
            self.edit(loaded, edits, workspace)
        return caught.value.refused

    def write_anew(self, loaded: Loaded, edits: list[Edit], workspace: Workspace | None = None) -> Edited:
        return self._runner.run(write_anew(loaded, edits, nickel=self._nickel, workspace=workspace))

    def edit_text(self, text: str, *edits: tuple[tuple[str | int, ...], Any]) -> Edited:
        return self.edit(self.load(ConfigSource(text, "main.ncl")), [Edit(*one) for one in edits])


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        nickel = Nickel(size=1)
        yield Bench(runner, nickel)
        runner.run(nickel.aclose())


ENCRYPTED = (("servers", 0, "spec", "encrypted_disk"), True)


def records(record: Record, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], type[Record]]]:
    """Every record of a configuration, those that are there by default too, but for elements of lists that are."""
    yield path, type(record)
    for name, info in type(record).model_fields.items():
        value, key = getattr(record, name), info.alias or name
        if isinstance(value, list) and name not in record.model_fields_set:
            continue
        for step, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(item, Record):
                yield from records(item, (*path, key) if step is None else (*path, key, step))


def is_scalar(annotation: Any) -> bool:
    return not any(isinstance(one, type) and issubclass(one, Record | list | dict) for one in parts(annotation))


def parts(annotation: Any) -> list[Any]:
    return [getattr(annotation, "__origin__", annotation), *(part for one in get_args(annotation) for part in parts(one))]


@st.composite
def edited_configurations(draw: st.DrawFn) -> tuple[dict[str, Any], list[Edit], InfrastructureConfig]:
    """What somebody wrote, some scalar fields of it with new values, and the configuration with those."""
    written = draw(strategies.stated(InfrastructureConfig))
    places = [
        ((*path, model.model_fields[name].alias or name), annotation)
        for path, model in records(InfrastructureConfig.model_validate(written))
        for name, annotation in get_type_hints(model, include_extras=True).items()
        # A server's cores and memory are filled in where it names no plan: giving it one changes more than that field.
        if name in model.model_fields and is_scalar(annotation) and (model, name) != (Server, "plan")
    ]
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, max_size=5, unique_by=lambda place: place[0]))
    edits = [Edit(path, draw(strategies.values(annotation))) for path, annotation in chosen]
    wanted = copy.deepcopy(written)
    for edit in edits:
        parent: Any = wanted
        for step in edit.path[:-1]:
            if isinstance(step, str) and parent.get(step) is None:
                parent[step] = {}
            parent = parent[step]
        parent[edit.path[-1]] = edit.value
    assume(strategies.fits(InfrastructureConfig, wanted))
    return written, edits, InfrastructureConfig.model_validate(wanted)


@strategies.PROFILE
@given(case=edited_configurations())
def test_the_edited_text_means_exactly_the_wanted_configuration_and_keeps_every_comment(bench: Bench, case: Any) -> None:
    written, edits, wanted = case
    lines = nickel_literal(written).splitlines() if "\r" not in nickel_literal(written) else [nickel_literal(written)]
    text = "\n".join(f"{line} # note {number}" for number, line in enumerate(lines))
    loaded = bench.load(ConfigSource(text, "main.ncl"))
    assume(loaded.bare is None)
    # What looks like a secret is never shown, so no change beside it is made.
    assume(not secret_lines(text, loaded.config) and not secret_lines(text, wanted))
    done = bench.edit(loaded, edits)
    assert bench.load(ConfigSource(done.text, "main.ncl")).config == wanted
    assert [f"# note {number}" for number in range(len(lines))] == re.findall(r"# note \d+$", done.text, re.MULTILINE)


ONE_LINE = [
    ('{ servers = [{ name = "web" }] }', '{ servers = [{ name = "web", spec = { encrypted_disk = true } }] }'),
    ('{ servers = [{ name = "web", spec = {} }] }', '{ servers = [{ name = "web", spec = { encrypted_disk = true } }] }'),
    ('{servers=[{name="web",},]}', '{servers=[{name="web", spec = { encrypted_disk = true } },]}'),
    (
        '{ servers = [{ name = "web", spec.cpu = 4 }] }',
        '{ servers = [{ name = "web", spec.cpu = 4, spec.encrypted_disk = true }] }',
    ),
    (
        '{ servers = [{ name = "web", spec = { encrypted_disk = false, cpu = 4 } }] }',
        '{ servers = [{ name = "web", spec = { encrypted_disk = true, cpu = 4 } }] }',
    ),
]
COMMENTED = """
# ours
{
  servers = [
    {
      # the front
      name = "web" # of the team
      # more to come
    },
    {
      name = "app",
      spec = {
        cpu = 4, # enough
      },
    },
    {
      # a name
      name | String = "db", spec.disk_gb = 100 },
  ],
}
"""
COMMENTED_AFTER = """
# ours
{
  servers = [
    {
      # the front
      name = "web", # of the team
      spec = { encrypted_disk = true },
      # more to come
    },
    {
      name = "app",
      spec = {
        cpu = 4, # enough
        encrypted_disk = true,
      },
    },
    {
      # a name
      name | String = "db", spec.disk_gb = 100, spec.encrypted_disk = true },
  ],
}
"""
SAFE = "let safe = false in"
MAKE = "let make = fun n => { name = n, spec.encrypted_disk = false } in"
BASE = "let base = { spec.encrypted_disk = false } in"
# What stands before the list, the server as it was, and as it becomes.
COMPUTED = [
    (SAFE, '{ name = "web", spec.encrypted_disk = safe }', '{ name = "web", spec.encrypted_disk = true }'),
    (MAKE, 'make "web"', '(make "web") & { spec.encrypted_disk | force = true }'),
    (BASE, 'base & { name = "web" }', '(base & { name = "web" }) & { spec.encrypted_disk | force = true }'),
    (BASE, '{ name = "web" } & base', '{ name = "web" } & (base) & { spec.encrypted_disk | force = true }'),
    (BASE, '(base) & { name = "web" }', '(base) & { name = "web", spec.encrypted_disk | force = true }'),
]


@pytest.mark.parametrize(("first", "before", "after"), COMPUTED)
def test_what_is_computed_is_overruled_where_it_stands(bench: Bench, first: str, before: str, after: str) -> None:
    done = bench.edit_text(f"{first}\n{{ servers = [{before}] }}", ENCRYPTED)
    assert done.text == f"{first}\n{{ servers = [{after}] }}"


@pytest.mark.parametrize(("before", "after"), ONE_LINE)
def test_a_persons_own_text_is_kept(bench: Bench, before: str, after: str) -> None:
    done = bench.edit_text(before, ENCRYPTED)
    assert done.text == after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_comments_and_lines_are_kept(bench: Bench, newline: str) -> None:
    edits = [(("servers", index, "spec", "encrypted_disk"), True) for index in range(3)]
    done = bench.edit_text(COMMENTED.replace("\n", newline), *edits)
    assert done.text == COMMENTED_AFTER.replace("\n", newline)


def test_an_enum_value_is_written_as_a_tag_and_a_new_record_below_the_others(bench: Bench) -> None:
    before = '{\n  servers = [\n    { name = "web", metadata_tokens = \'optional },\n  ],\n}\n'
    trail = (("security", "audit_logging", "retention_days"), 400)
    done = bench.edit_text(before, (("servers", 0, "metadata_tokens"), "required"), trail)
    assert done.text == (
        '{\n  servers = [\n    { name = "web", metadata_tokens = \'required },\n  ],\n'
        "  security = {\n    audit_logging = { retention_days = 400 },\n  },\n}\n"
    )


def test_a_bare_record_stays_one(bench: Bench) -> None:
    done = bench.edit_text('{ name = "web", spec.cpu = 2 }', ENCRYPTED)
    assert done.text == '{ name = "web", spec.cpu = 2, spec.encrypted_disk = true }'


def test_a_bare_record_is_surrounded_by_what_it_cannot_hold(bench: Bench) -> None:
    before = '# the front\n{ name = "web", provider = \'gcp, spec.cpu = 2 } # of the team'
    done = bench.edit_text(before, ENCRYPTED, (("security", "threat_detection"), True))
    assert done.text == (
        "{\n  servers = [\n# the front\n"
        '{ name = "web", provider = \'gcp, spec.cpu = 2, spec.encrypted_disk = true } # of the team\n'
        "  ],\n  provider = 'gcp,\n  security = { threat_detection = true },\n}\n"
    )


def test_a_bare_record_of_which_there_is_one_is_surrounded_too(bench: Bench) -> None:
    done = bench.edit_text('{ vpc_cidr = "10.0.0.0/16" }', (("monitoring", "enabled"), True))
    assert done.text == ('{\n  networking = (\n{ vpc_cidr = "10.0.0.0/16" }\n  ),\n  monitoring = { enabled = true },\n}\n')


def test_a_list_that_is_computed_is_written_anew_with_the_reason(bench: Bench) -> None:
    loaded = bench.load(ConfigSource('{ servers = std.array.map (fun n => { name = n }) ["a", "b"] }', "main.ncl"))
    assert bench.refused(loaded, [Edit(*ENCRYPTED)]) == {ENCRYPTED[0]: "servers[0] is computed"}
    done = bench.write_anew(loaded, [Edit(*ENCRYPTED)])
    assert bench.load(ConfigSource(done.text)).config == done.config


def test_a_record_of_another_file_is_overruled_where_it_is_imported(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "safety.ncl").write_text("{ threat_detection = false, audit_logging.enabled = true }")
    (tmp_path / "main.ncl").write_text('{ servers = [{ name = "web" }], security = import "safety.ncl" }')
    workspace = Workspace.at(tmp_path)
    loaded = bench.load(read_source("main.ncl", workspace), workspace)
    done = bench.edit(loaded, [Edit(("security", "threat_detection"), value=True)], workspace)
    assert done.text == (
        '{ servers = [{ name = "web" }], security = (import "safety.ncl") & { threat_detection | force = true } }'
    )


def test_a_list_of_another_file_is_written_anew_into_this_one(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "servers.ncl").write_text('[{ name = "web" }]')
    (tmp_path / "main.ncl").write_text('{ servers = import "servers.ncl" }')
    workspace = Workspace.at(tmp_path)
    loaded = bench.load(read_source("main.ncl", workspace), workspace)
    assert bench.refused(loaded, [Edit(*ENCRYPTED)], workspace) == {ENCRYPTED[0]: "servers[0] is computed"}
    done = bench.write_anew(loaded, [Edit(*ENCRYPTED)], workspace)
    assert "import" not in done.text.replace('import "schemas/', "")


JSON = """{
    "servers": [
        {
            "name": "web"
        }
    ]
}
"""
JSON_AFTER = """{
    "servers": [
        {
            "name": "web",
            "spec": {
                "encrypted_disk": true
            }
        }
    ]
}
"""
TOML = """# ours
[[servers]]
name = "web" # the front

[servers.spec]
cpu = 4
"""
DATA = {"main.json": (JSON, JSON_AFTER), "main.toml": (TOML, f"{TOML}encrypted_disk = true\n")}


@pytest.mark.parametrize("name", DATA)
def test_files_of_data_are_changed_in_place(bench: Bench, tmp_path: Path, name: str) -> None:
    before, after = DATA[name]
    (tmp_path / name).write_text(before)
    workspace = Workspace.at(tmp_path)
    done = bench.edit(bench.load(read_source(name, workspace), workspace), [Edit(*ENCRYPTED)], workspace)
    assert (done.text, done.name) == (after, name)


def test_a_yaml_file_becomes_a_nickel_file_beside_it(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_text("servers:\n  - name: web\n")
    workspace = Workspace.at(tmp_path)
    loaded = bench.load(read_source("main.yaml", workspace), workspace)
    assert bench.refused(loaded, [Edit(*ENCRYPTED)], workspace) == {ENCRYPTED[0]: ".yaml files are not changed in place"}
    done = bench.write_anew(loaded, [Edit(*ENCRYPTED)], workspace)
    assert done.name == "main.ncl"
    assert bench.load(ConfigSource(done.text)).config == done.config


@pytest.mark.parametrize(
    "edit",
    [
        Edit(("servers", 0, "spec", "disk_gb"), 1),
        Edit(("servers", 0, "spec", "nonsense"), 1),
        Edit(("servers", 3, "name"), "x"),
        Edit(("servers", 0, "name", "deeper"), "x"),
    ],
)
def test_a_change_that_the_models_do_not_take_is_an_error_with_its_place(edit: Edit) -> None:
    config = InfrastructureConfig.model_validate({"servers": [{"name": "web"}]})
    with pytest.raises(InvalidInputError, match=r"servers\[\d\]"):
        changed(config, [edit])


def test_a_null_gives_way_to_the_record(bench: Bench) -> None:
    done = bench.edit_text('{ servers = [{ name = "web" }], security = null }', (("security", "threat_detection"), True))
    assert done.text == '{ servers = [{ name = "web" }], security = { threat_detection = true } }'


def test_a_record_that_would_make_its_line_too_long_is_broken(bench: Bench) -> None:
    name = "x" * 60
    before = f'{{\n  servers = [\n    {{ name = "{name}", role = "web" }},\n  ],\n}}\n'
    done = bench.edit_text(before, (("servers", 0, "spec", "cpu"), 4))
    line = f'    {{ name = "{name}", role = "web",\n      spec = {{ cpu = 4 }},\n    }},\n'
    assert done.text == f"{{\n  servers = [\n{line}  ],\n}}\n"


def test_a_configuration_on_one_line_stays_on_it(bench: Bench) -> None:
    trail = (("security", "audit_logging", "retention_days"), 400)
    done = bench.edit_text(f'{{ servers = [{{ name = "{"x" * 60}", role = "{"y" * 60}" }}] }}', ENCRYPTED, trail)
    assert "\n" not in done.text
    assert "spec = { encrypted_disk = true }" in done.text
