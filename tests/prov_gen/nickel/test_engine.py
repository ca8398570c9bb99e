"""Evaluating, checking and importing, with real Nickel."""

import asyncio
from pathlib import Path

import pytest

from prov_gen.nickel import Nickel, NickelError, NickelSource
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

SERVER = '(import "schemas/server.ncl").Server'


async def test_a_text_evaluates_to_its_value(nickel: Nickel) -> None:
    source = NickelSource('{ a = 1 + 1, b = 2.5, c = \'Tag, d = "%{"x"}" }')
    assert await nickel.evaluate(source) == {"a": 2, "b": 2.5, "c": "Tag", "d": "x"}


async def test_a_contract_fills_defaults(nickel: Nickel) -> None:
    value = await nickel.evaluate(NickelSource('{ name = "web" }'), contract=SERVER)
    assert value == {"name": "web", "cpu": 2, "base": {"zone": "shipped"}}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("{\n  a = \n}", "nickel_syntax", (3, 1, 2)),
        ("{ a = (1 }", "nickel_syntax", (1, 10, 11)),
        ("{\n  a = b }", "nickel_unbound", (2, 7, 8)),
        ('{\n  name = 1 + "x" }', "nickel_type", (2, 14, 17)),
        ('let f : Number -> Number = fun x => x ++ "a" in f', "nickel_type", (1, 37, 38)),
        ('{ name = "é😀" + 1 }', "nickel_type", (1, 10, 14)),
        ("{\n  name = 5 }", "nickel_contract", (2, 10, 11)),
        ("{\n\tname = 5 }", "nickel_contract", (2, 9, None)),
        ("{\r\n  name =\r\n 5 }", "nickel_contract", (3, 2, 3)),
        ("\n  { cpu = 1 }", "nickel_missing_field", (2, 3, 14)),
        ('{ name = "a", cpus = 1 }', "nickel_contract", (1, 1, 25)),
        ('{ name = import "absent.ncl" }', "nickel_import", (1, 10, 29)),
        ("{ name = name }", "nickel_recursion", (1, 10, 14)),
        ('{ name = "a", name = "b" }', "nickel_merge", (1, 10, 13)),
        ("{ a = 1 }.b", "nickel_missing_field", (1, 1, 12)),
        ("fun x => x", "nickel_contract", (1, 1, 11)),
        ("", "nickel_syntax", (1, 1, 2)),
        ('{ name = "x" }) | Dyn | (Dyn', "nickel_syntax", (1, 15, 16)),
    ],
)
async def test_a_wrong_text_is_reported_where_it_is_wrong(
    nickel: Nickel, text: str, code: str, place: tuple[int, int, int | None]
) -> None:
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(NickelSource(text, "main.ncl"), contract=SERVER)
    first = caught.value.diagnostics[0]
    assert (first.code, first.file) == (code, "main.ncl")
    assert (first.line, first.column, first.end_column) == place
    assert "\x1b" not in first.message
    assert caught.value.details["diagnostics"][0]["code"] == code


async def test_every_report_becomes_a_diagnostic(nickel: Nickel) -> None:
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(NickelSource("{ Number = 1,\n  String = 2 }"))
    assert [(found.code, found.line, found.column) for found in caught.value.diagnostics] == [
        ("nickel_syntax", 1, 3),
        ("nickel_syntax", 2, 3),
    ]


async def test_the_words_of_a_contract_reach_the_user(nickel: Nickel) -> None:
    contract = '{ a | std.contract.from_validator (fun _ => \'Error { message = "no good", notes = ["try 2", "or 3"] }) }'
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(NickelSource("{ a = 1 }"), contract=contract)
    first = caught.value.diagnostics[0]
    assert first.message == "contract broken by the value of `a`: no good"
    assert first.notes == ("try 2", "or 3")
    assert caught.value.hint == "try 2"


async def test_typecheck_finds_static_errors_and_evaluates_nothing(nickel: Nickel) -> None:
    await nickel.typecheck(NickelSource('{ a = std.fail_with "not evaluated", b | Number = "x" }'))
    with pytest.raises(NickelError) as caught:
        await nickel.typecheck(NickelSource('let x : Number = "a" in x'))
    assert caught.value.diagnostics[0].code == "nickel_type"


async def test_what_is_wrong_with_a_text_is_returned_and_not_raised(nickel: Nickel) -> None:
    source = NickelSource("{ name = 1 }")
    assert (await nickel.checked_value(source)).value == {"name": 1}
    assert (await nickel.contracted(source, SERVER)).diagnostics[0].code == "nickel_contract"
    assert [found.code for found in (await nickel.checked_value(NickelSource("{"))).diagnostics] == ["nickel_syntax"]
    typed = await nickel.checked_value(NickelSource('let x : Number = "a" in { a = x }'))
    assert [found.code for found in typed.diagnostics] == ["nickel_type"]


async def test_files_of_the_workspace_import_each_other(nickel: Nickel, workspace: Workspace) -> None:
    (workspace.root / "net").mkdir()
    (workspace.root / "net" / "main.ncl").write_text('{ zone = import "parts/zone.ncl", top = (import "../top.json").a }')
    (workspace.root / "net" / "parts").mkdir()
    (workspace.root / "net" / "parts" / "zone.ncl").write_text('((import "schemas/server.ncl").Server & { name = "z" }).cpu')
    (workspace.root / "top.json").write_text('{"a": 3}')
    inline = NickelSource('import "net/main.ncl"', folder=workspace.root)
    assert await nickel.evaluate(inline, workspace=workspace) == {"zone": 2, "top": 3}
    file = NickelSource((workspace.root / "net/main.ncl").read_text(), "net/main.ncl", workspace.root / "net")
    assert await nickel.evaluate(file, workspace=workspace) == {"zone": 2, "top": 3}


async def test_an_error_in_an_imported_file_names_that_file(nickel: Nickel, workspace: Workspace) -> None:
    (workspace.root / "part.ncl").write_text('{\n  a = 1 + "x",\n}')
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(NickelSource('import "part.ncl"', folder=workspace.root), workspace=workspace)
    first = caught.value.diagnostics[0]
    assert (first.file, first.line, first.column, first.end_column) == ("part.ncl", 2, 11, 14)
    assert str(workspace.root) not in str(caught.value.as_dict())


async def test_a_changed_or_replaced_file_is_read_anew(nickel: Nickel, workspace: Workspace) -> None:
    part, new = workspace.root / "part.ncl", workspace.root / "new.ncl"
    source = NickelSource('import "part.ncl"', folder=workspace.root)
    part.write_text("1")
    assert await nickel.evaluate(source, workspace=workspace) == 1
    part.write_text("22")
    assert await nickel.evaluate(source, workspace=workspace) == 22
    new.write_text("333")
    new.replace(part)
    assert await nickel.evaluate(source, workspace=workspace) == 333


@pytest.mark.parametrize("is_link", [False, True])
async def test_a_workspace_cannot_put_itself_before_a_shipped_schema(nickel: Nickel, workspace: Workspace, is_link: bool) -> None:
    (workspace.root / "schemas").mkdir()
    own = workspace.root / "schemas" / "server.ncl"
    if is_link:
        (workspace.root / "elsewhere.ncl").write_text('"shadow"')
        own.symlink_to(workspace.root / "elsewhere.ncl")
    else:
        own.write_text('"shadow"')
    (workspace.root / "schemas" / "mine.ncl").write_text('"mine"')
    (workspace.root / "uses.ncl").write_text(
        '{ mine = import "schemas/mine.ncl", cpu = (import "schemas/server.ncl").Server.cpu }'
    )
    for text in ('import "uses.ncl"', (workspace.root / "uses.ncl").read_text()):
        value = await nickel.evaluate(NickelSource(text, folder=workspace.root), workspace=workspace)
        assert value == {"mine": "mine", "cpu": 2}
    assert await nickel.shadowed(workspace) == (("elsewhere.ncl",) if is_link else ("schemas/server.ncl",))


async def test_many_at_once_are_all_right(nickel: Nickel, workspace: Workspace) -> None:
    (workspace.root / "n.json").write_text("7")
    sources = [
        NickelSource(f'{{ n = {n}, seven = import "n.json" }}' if n % 2 else f"{{ n = {n} }}", folder=workspace.root)
        for n in range(8)
    ]
    values = await asyncio.gather(*(nickel.evaluate(source, workspace=workspace) for source in sources))
    assert [value["n"] for value in values] == list(range(8))
    assert [value.get("seven") for value in values] == [None, 7] * 4


async def test_a_large_text_and_a_large_value_pass(nickel: Nickel) -> None:
    text = "x" * 900_000
    assert await nickel.evaluate(NickelSource(f'["{text}"]')) == [text]


@pytest.mark.parametrize(
    "text",
    [
        'import "/etc/passwd" as \'Text',
        '{ a = "x%{import "/etc/passwd"}" }',
        '1import "/etc/passwd" as \'Text',
        'import # "schemas/server.ncl"\n "/etc/passwd"',
        'import "schemas/../../../etc/passwd"',
        'import "schemas/server.ncl" as \'Text',
        'import "other.ncl"',
        "import package",
    ],
)
async def test_without_landlock_only_shipped_schemas_are_imported(schemas: Path, workspace: Workspace, text: str) -> None:
    (workspace.root / "other.ncl").write_text("1")
    async with Nickel(schemas=schemas, confine=False) as nickel:
        with pytest.raises(NickelError) as caught:
            await nickel.evaluate(NickelSource(f"\n {text}", folder=workspace.root), workspace=workspace)
        first = caught.value.diagnostics[0]
        assert first.code == "nickel_import"
        assert first.line == 2
        assert text[(first.column or 0) - 2 :].startswith("import")
        assert await nickel.evaluate(NickelSource(f'let important = {{ name = "a" }} in important | {SERVER}')) == {
            "name": "a",
            "cpu": 2,
            "base": {"zone": "shipped"},
        }
