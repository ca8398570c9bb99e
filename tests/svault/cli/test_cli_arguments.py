"""The command line itself: Vault's single dashes, help, completion, and every row of the tables."""

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.cli.arguments import normalized
from svault.cli.commands import tables
from svault.cli.root import root
from svault.cli.rows import Row, arguments_of
from vault_processes import svault


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["kv", "get", "-field=x", "a"], ["kv", "get", "--field=x", "a"]),
        (["-address", "http://a", "-dev"], ["--address", "http://a", "--dev"]),
        (["write", "-f", "a", "b=-", "-"], ["write", "-f", "a", "b=-", "-"]),
        (["a", "--", "-format=json"], ["a", "--", "-format=json"]),
        (["--format=json", "-1h", "key=-value"], ["--format=json", "-1h", "key=-value"]),
    ],
)
def test_one_dash_counts_as_two_before_a_long_option(words: list[str], expected: list[str]) -> None:
    assert normalized(words) == expected


@given(st.lists(st.text()))
def test_words_that_are_normal_stay_so(words: list[str]) -> None:
    assert normalized(normalized(words)) == normalized(words)


def commands(group: click.Group, ctx: click.Context) -> list[click.Command]:
    found: list[click.Command] = []
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None, name
        found += [command, *(commands(command, ctx) if isinstance(command, click.Group) else ())]
    return found


def test_every_command_of_the_table_is_there_and_has_help() -> None:
    with click.Context(root) as ctx:
        for command in commands(root, ctx):
            assert command.help, command.name
            for param in command.params:
                assert not isinstance(param, click.Option) or param.help, (command.name, param.name)


def rows() -> list[Row]:
    return [row for value in vars(tables).values() if isinstance(value, list) for row in value if isinstance(row, Row)]


def test_every_name_in_a_row_is_an_argument_or_an_option_of_it() -> None:
    assert len(rows()) > 40
    for row in rows():
        given_names = {word.strip("[].").lower() for word in row.words.split() if word.strip("[].").isupper()}
        given_names |= {option.name.replace("-", "_") for option in row.options}
        assert arguments_of(row) <= given_names, row.words


def test_flags_take_true_and_false_as_vaults_do(tmp_path: Path) -> None:
    assert "give --config FILE" in svault(tmp_path, "server", "-dev=false").err
    assert "not both" in svault(tmp_path, "server", "-dev=true", "-config=a").err


def test_names_are_completed(tmp_path: Path) -> None:
    ran = svault(tmp_path, _SVAULT_COMPLETE="bash_complete", COMP_WORDS="svault k", COMP_CWORD="1")
    assert ran.out == "plain,kv\n"
    ran = svault(tmp_path, _SVAULT_COMPLETE="bash_complete", COMP_WORDS="svault kv meta", COMP_CWORD="2")
    assert ran.out == "plain,metadata\n"


def test_help_loads_no_http_client_and_no_vault(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from svault.cli.entry import run; run(['--help']); run(['kv', '--help']);"
        "print(sorted({'httpx2', 'pydantic', 'cryptography', 'svault.core', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
