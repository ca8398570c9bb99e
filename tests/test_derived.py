"""The committed files that are derived from the code are what the code says now, and the pages tell the truth."""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from prov_server import generate
from prov_server.derived import commands, files, findings, reference, svault, tools
from prov_tools.registry import REGISTRY
from stratumops import settings
from stratumops.errors import InvalidInputError, StratumError

ROOT = Path(__file__).resolve().parent.parent
MARKED = f"# A product\n\n{files.BEGIN}\nWRITTEN LONG AGO\n{files.END}\n\nThe rest.\n"
DIGEST = (
    "import hashlib, pathlib; from prov_server.derived.files import derived_files, readme, BEGIN, END; "
    "texts = sorted((str(path), text) for path, text in derived_files(pathlib.Path('.')).items()); "
    "print(hashlib.sha256((repr(texts) + readme(BEGIN + END)).encode()).hexdigest())"
)


def test_every_derived_file_is_as_the_code_says():
    assert [str(path.relative_to(ROOT)) for path in generate.stale(ROOT)] == [], "stale: run make generate"


def test_the_tool_table_of_the_readme_is_as_the_registry_says():
    text = (ROOT / files.README).read_text(encoding="utf-8")
    assert all(f"| `{tool.name}` |" in text for tool in REGISTRY)


def test_a_readme_without_a_place_for_the_table_is_an_error_that_names_the_marks():
    with pytest.raises(InvalidInputError) as caught:
        files.readme(f"# A product\n{files.BEGIN}\n")
    assert files.BEGIN in caught.value.hint
    assert files.END in caught.value.hint


def test_writing_the_table_leaves_the_rest_of_the_readme_alone():
    once = files.readme(MARKED)
    assert once.startswith("# A product\n")
    assert once.endswith("\n\nThe rest.\n")
    assert "WRITTEN LONG AGO" not in once
    assert files.readme(once) == once


def test_missing_and_changed_files_are_stale_until_they_are_written(tmp_path: Path):
    (tmp_path / files.README).write_text(MARKED, encoding="utf-8")
    page = tmp_path / files.REFERENCE / "errors.md"
    assert {page, tmp_path / files.README} <= set(generate.stale(tmp_path))
    assert page in generate.write(tmp_path)
    assert generate.stale(tmp_path) == {}
    page.write_text("changed by hand", encoding="utf-8")
    assert list(generate.stale(tmp_path)) == [page]
    assert generate.write(tmp_path) == [page]


def test_the_check_tells_which_file_is_stale_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    (tmp_path / files.README).write_text(MARKED, encoding="utf-8")
    monkeypatch.setattr(generate, "root", lambda: tmp_path)
    assert generate.main(["--check"]) == 1
    assert "stale: docs/reference/errors.md" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_an_error_is_told_in_words_with_its_own_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(generate, "root", lambda: tmp_path)
    assert generate.main([]) == InvalidInputError.exit_code
    assert "has no marks for the tool table" in capsys.readouterr().err


def test_the_derived_files_do_not_depend_on_the_order_of_hashes():
    def digest(seed: str) -> str:
        told = subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.strip()

    found = {digest("1"), digest("2")}
    assert len(found) == 1
    assert len(found.pop()) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("name", files.PAGES)
def test_every_page_begins_with_how_it_is_made(name: str):
    assert files.PAGES[name]().startswith("<!-- Derived from ")


def every_error(base: type[StratumError] = StratumError) -> set[type[StratumError]]:
    found = set(base.__subclasses__())
    return found.union(*(every_error(one) for one in found))


def test_every_code_that_an_error_can_have_is_on_the_page_of_errors():
    import prov_gen.nickel
    import prov_server.http.errors  # noqa: F401 - declares codes of its own

    assert prov_gen.nickel
    page = reference.errors_page()
    shipped = {one.code for one in every_error() if one.__module__.split(".")[0] in {"stratumops", "prov_gen", "prov_server"}}
    assert {"invalid_input", "unauthenticated", "internal"} <= shipped
    assert [code for code in sorted(shipped) if f"| `{code}` |" not in page] == []


def test_every_setting_is_on_the_page_of_settings_with_its_variable():
    page = reference.settings_page()
    assert [one.key for one in settings.accessors() if f"| `{one.key}` |" not in page or f"`{one.variable}`" not in page] == []
    assert [one.key for one in settings.accessors() if not one.description] == []


@pytest.mark.parametrize("tool", REGISTRY, ids=lambda tool: tool.name)
def test_the_example_command_of_a_tool_means_its_example_arguments(tool):
    from prov_server.cli.generated import PERSONS
    from prov_server.cli.parameters import arguments_of
    from prov_server.cli.root import build_root

    words = shlex.split(tools.command_line(tool))[1:]
    group: click.Command = build_root()
    ctx = click.Context(group, info_name="prov")
    while isinstance(group, click.Group):
        _, group, words = group.resolve_command(ctx, words)
    given = group.make_context("x", words, parent=ctx).params
    if tool.command not in PERSONS:
        assert arguments_of(tool.input, given) == tool.example
    assert tool.parse(tool.example)


def test_every_command_of_the_tree_is_on_the_page_of_commands():
    page = commands.commands_page()
    for tool in REGISTRY:
        for words in (tool.command, *tool.aliases):
            assert f"\n## prov {words}\n" in page
    assert "\n## prov mcp install\n" in page


def leaves(command: click.Command, words: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [words]
    with click.Context(command) as ctx:
        below = {name: command.get_command(ctx, name) for name in command.list_commands(ctx)}
    return [leaf for name, one in below.items() if one and not one.hidden for leaf in leaves(one, f"{words} {name}")]


def test_every_command_of_the_vault_is_on_its_page():
    from svault.cli.root import root

    page, wanted = svault.svault_page(), leaves(root, "svault")
    assert {"svault server", "svault kv put", "svault config check"} <= set(wanted)
    assert [words for words in wanted if f"\n### {words}\n" not in page] == []


def test_every_key_of_the_vaults_configuration_is_on_its_page_with_words_about_it():
    import tomllib

    def dotted(tree: dict[str, object], prefix: str = "") -> list[str]:
        return [
            key
            for name, value in tree.items()
            for key in (dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"])
        ]

    file = (ROOT / "tests/svault/config/svault.toml").read_text(encoding="utf-8")
    wanted = {re.sub(r"^engines\.\w+", "engines.NAME", key) for key in dotted(tomllib.loads(file))}
    rows = {name.strip("`"): words for name, _, _, words in svault.configuration()}
    assert {"engines.NAME.path", "storage.etcd.endpoints"} <= wanted
    assert wanted <= rows.keys()
    assert [name for name, words in rows.items() if not words] == []


def test_everything_that_the_check_of_a_vaults_configuration_finds_is_on_its_page():
    from svault.config.findings import KINDS

    page = svault.svault_page()
    assert [name for name, kind in KINDS.items() if f"| `{name}` | {kind.severity} |" not in page] == []


def test_every_status_of_the_vault_is_on_the_page_of_errors():
    from svault import errors

    page = reference.errors_page()
    kinds = [one for one in every_error(errors.VaultError) if one.__module__ == errors.__name__]
    assert len(kinds) > 10
    assert [one.__name__ for one in kinds if f"| {one.http_status} | {' '.join((one.__doc__ or '').split())} |" not in page] == []


def test_the_page_of_findings_has_every_declared_code_in_each_of_its_layers():
    from prov_gen.codes import codes
    from prov_gen.findings import LAYERS

    page = findings.findings_page()
    titles = [f"Layer {layer}: {name}" for layer, name in LAYERS.items()]
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == [*titles, "Words"]
    sections = dict(zip([*LAYERS, 0], page.split("\n## ")[1:], strict=True))
    for one in codes().values():
        assert {layer for layer, text in sections.items() if f"| `{one.code}` | {', '.join(one.severities)} |" in text} == set(
            one.layers
        )
