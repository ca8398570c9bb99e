"""A configuration that cannot be used: the first reason, help for it, and where the rest is told."""

import re
from pathlib import Path

import pytest

from prov_gen.codes import codes
from prov_gen.load import load_config
from prov_gen.nickel import Nickel
from prov_gen.source import ConfigSource, read_source
from stratumops.errors import InvalidInputError
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio


@pytest.fixture
async def nickel():
    async with Nickel(size=1) as evaluator:
        yield evaluator


async def refused(nickel: Nickel, text: str) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        await load_config(ConfigSource(text), nickel=nickel, workspace=None)
    return caught.value


async def refused_file(nickel: Nickel, folder: Path, name: str, text: str) -> InvalidInputError:
    (folder / name).write_text(text)
    workspace = Workspace.at(folder)
    with pytest.raises(InvalidInputError) as caught:
        await load_config(read_source(name, workspace), nickel=nickel, workspace=workspace)
    return caught.value


@pytest.mark.parametrize(
    ("name", "text", "message", "hint"),
    [
        ("a.toml", "x = [", "a.toml:1:6: toml parse error: unclosed array, expected `]`", "name = value"),
        ("a.toml", "a = 1\na = 2", "a.toml:2:1: toml parse error: duplicate key", "is there once"),
        ("a.toml", "key = value", "a.toml:1:7: toml parse error: string values must be quoted", "in double quotes"),
        ("a.toml", "a = 2026-13-45", "a.toml:1:5: toml parse error: invalid date, expected month", "name = value"),
        ("a.json", '{"a": 1,\n "b": }', "a.json:2:7: json parse error: expected an object", "double quotes"),
        ("a.yaml", "a: b: c", "a.yaml:1:5: yaml parse error: mapping values are not allowed in this context", "colon"),
    ],
)
async def test_a_data_file_that_does_not_parse_is_told_with_place_reason_and_help(
    nickel: Nickel, tmp_path: Path, name: str, text: str, message: str, hint: str
) -> None:
    error = await refused_file(nickel, tmp_path, name, text)
    assert error.message.startswith(message)
    assert hint in error.hint
    assert not re.search(r"\||at byte|TOML parse error at line", error.message + error.hint)
    (found,) = error.details["findings"]
    assert found["code"] == "nickel_syntax"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{ provider = aws }", "<config>:1:14: unbound identifier `aws`", "'aws if it is a choice"),
        ("{ servers = [", "<config>:1:14: unexpected end of file", "still open"),
        ('{ "servers": [] }', "<config>:1:14: invalid contract expression", "JSON goes into a file"),
        ('provider = "aws"', "<config>:1:10: unexpected token", "{ name = value, ... }"),
        ("{ a = 1, a = 2 }", "<config>:1:7: non mergeable terms", "| default"),
        ("{ a = fun x => x }", "<config>:1:7: non serializable term", "a function is none"),
        ("{ a = 1 / 0 }", "<config>:1:7: division by zero", "another number"),
        ("{ servers = [{ name | String }] }", "<config>:1:16: missing definition for `name`", "name = ..."),
        (
            '{ clusters = [{ name = "k", workers.count = 2000 }] }',
            "<config>:1: clusters[0].workers.count must be at most 1000",
            "from 0 to 1000",
        ),
        (
            '{ buckets = [{ name = "b", size_gb = -1 }] }',
            "<config>:1: buckets[0].size_gb must be at least 0",
            "0 to 1,000,000,000",
        ),
        ('{ limits.monthly_budget = "x" }', "<config>:1: limits.monthly_budget must be a number", "a number without quotes"),
    ],
)
async def test_a_wrong_text_is_told_with_help_that_is_about_it(nickel: Nickel, text: str, message: str, hint: str) -> None:
    error = await refused(nickel, text)
    assert error.message.startswith(message)
    assert hint in error.hint


async def test_the_general_words_of_the_reference_are_nobodys_hint(nickel: Nickel) -> None:
    general = {fix for one in codes().values() if one.code.startswith(("nickel_", "shape_")) for fix in one.fixes}
    for text in ("{ a = nothing }", "{ a = ", "{ a = 1 / 0 }", '{ a = "x" + 1 }', '{ servers = [{ name = "A b", plan = 3 }] }'):
        error = await refused(nickel, text)
        assert {error.hint.partition(";")[0], *(found.get("fix") for found in error.details["findings"])}.isdisjoint(general)


async def test_an_error_with_more_findings_says_who_lists_them_all(nickel: Nickel) -> None:
    servers = ", ".join(f'{{ name = "A {index}" }}' for index in range(30))
    error = await refused(nickel, f"{{ servers = [{servers}] }}")
    assert "(and 29 more)" in error.message
    assert error.hint.endswith("`prov validate` (validate_config) lists them all")
    assert len(error.details["findings"]) == 20
    one = await refused(nickel, '{ servers = [{ name = "A b" }] }')
    assert "more)" not in one.message
    assert "lists them all" not in one.hint
