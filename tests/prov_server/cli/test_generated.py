"""Commands made from a registry, with a small registry that has every kind of field."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field

from prov_server import compose
from prov_server.cli.generated import attach, make_command
from prov_server.cli.groups import Group
from prov_server.cli.main import run
from prov_server.cli.root import build_root
from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.registry import REGISTRY
from stratumops.errors import ApprovalRequiredError
from stratumops.registry import Registry
from stratumops.settings import Settings
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace


class Rule(BaseModel):
    port: int


class EverythingInput(ToolInput):
    name: Annotated[str, Field(description="What it is called")]
    size: Annotated[Literal["small", "large"], Field(description="How big")] = "small"
    count: Annotated[int, Field(description="How many", ge=1)] = 1
    ratio: Annotated[float | None, Field(description="How much")] = None
    deep: Annotated[bool, Field(description="All the way")] = True
    words: Annotated[list[str], Field(description="Some words", default_factory=list)]
    ports: Annotated[list[int], Field(description="Some ports", default=[])]
    rule: Annotated[Rule | None, Field(description="A record")] = None
    base_config: ConfigText = ""


class EverythingOutput(ToolOutput):
    arguments: dict[str, Any]
    rows: list[Rule]
    note: str | None = None
    good: bool = True

    def passed(self) -> bool:
        return self.good


@tool(toolset="core", title="Everything", command="try every thing", aliases=("everything",), effect="read")
async def everything(args: EverythingInput, ctx: Context) -> EverythingOutput:
    """Take every kind of field. Then show it."""
    await ctx.report(1, 2, "half way")
    return EverythingOutput(arguments=args.model_dump(), rows=[Rule(port=80), Rule(port=443)], good=args.size == "small")


class NamesInput(ToolInput):
    names: Annotated[list[str], Field(description="Which", min_length=1)]


@tool(toolset="core", title="Refuse", command="refuse", effect="read")
async def refuse(args: NamesInput, ctx: Context) -> EverythingOutput:
    """Refuse always."""
    if args.names == ["defect"]:
        raise RuntimeError("a secret in a message")
    raise ApprovalRequiredError("a person must say yes", hint="ask one", names=args.names)


TOOLS: Registry[Context] = Registry([everything, refuse], toolsets={"core": "What tests need"})


def build(workspace: Workspace, settings: Settings, **given: Any) -> compose.Application:
    return compose.build(workspace, settings, registry=TOOLS, **given)


@pytest.fixture
def root() -> Group:
    return build_root(lambda: TOOLS, build=build)


@pytest.fixture
def prov_here(
    root: Group, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "PROV_DEBUG", "PROV_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        code = run(list(words), root=root)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def arguments(said: str) -> dict[str, Any]:
    return json.loads(said)["arguments"]


def test_required_fields_are_positional_and_the_rest_are_options(prov_here):
    code, out, err = prov_here(
        "everything", "web", "--size", "small", "--count", "3", "--ratio", "0.5", "--no-deep", "--words", "a,b", "--words", "c",
        "--ports", "80,443", "--rule", '{"port": 22}', "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert arguments(out) == {
        "name": "web", "size": "small", "count": 3, "ratio": 0.5, "deep": False, "words": ["a", "b", "c"], "ports": [80, 443],
        "rule": {"port": 22}, "base_config": "",
    }  # fmt: skip


def test_the_command_and_its_alias_give_the_same_json(prov_here):
    assert prov_here("try", "every", "thing", "web", "--json") == prov_here("everything", "web", "--json")


def test_the_json_is_exactly_the_answer_without_nulls(prov_here):
    _, out, _ = prov_here("everything", "web", "--json")
    assert set(json.loads(out)) == {"arguments", "rows", "good"}


def test_a_negative_verdict_exits_with_1(prov_here):
    code, out, _ = prov_here("everything", "web", "--size", "large", "--json")
    assert code == 1
    assert json.loads(out)["good"] is False


def test_an_error_has_its_exit_code_and_its_hint_on_stderr(prov_here):
    code, out, err = prov_here("refuse", "a")
    assert (code, out) == (6, "")
    assert err == "error[approval_required]: a person must say yes\nhint: ask one\n"


def test_an_error_as_json_is_on_stdout(prov_here):
    code, out, err = prov_here("refuse", "a", "b", "--json")
    assert (code, err) == (6, "")
    details = {"names": ["a", "b"]}
    assert json.loads(out)["error"] == {
        "code": "approval_required",
        "message": "a person must say yes",
        "hint": "ask one",
        "details": details,
    }


def test_a_defect_is_one_line_without_a_traceback(prov_here):
    code, out, err = prov_here("refuse", "defect")
    assert (code, out) == (10, "")
    assert err.startswith("error[internal]: refuse failed because of a defect of ours (RuntimeError)\nhint: ")
    assert "Traceback" not in err
    assert "secret" not in err


def test_a_defect_shows_its_traceback_when_asked_to(prov_here, monkeypatch):
    monkeypatch.setenv("PROV_DEBUG", "1")
    _, _, err = prov_here("refuse", "defect")
    assert "RuntimeError: a secret in a message" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "huge"], ["--count", "many"], ["--count", "0"], ["--ratio", "half"], ["--deep=maybe"], ["--ports", "80,http"],
        ["--rule", "{"], ["--rule", "[]"], ["--rule", '{"port": "x"}'], ["--nothing"],
        ["extra"], ["--size"], ["--base-config", "x.ncx"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_value_is_refused_with_what_to_do(prov_here, words):
    code, out, err = prov_here("everything", "web", *words)
    assert code in {2, 3}
    assert out == ""
    assert err.startswith("error[")
    assert "\nhint: " in err
    assert "Traceback" not in err


def test_an_answer_without_a_view_of_its_own_is_shown_whole(prov_here):
    code, out, _ = prov_here("everything", "web", "--words", "a")
    assert code == 0
    assert [line.rstrip() for line in out.splitlines()] == [
        "good  yes",
        "arguments",
        "├── name: web",
        "├── size: small",
        "├── count: 1",
        "├── ratio: -",
        "├── deep: yes",
        "├── words",
        "│   └── a",
        "├── ports: -",
        "├── rule: -",
        "└── base_config:",
        "rows",
        "port",
        "80",
        "443",
    ]


def test_global_options_count_before_and_after_the_command(prov_here):
    before, after = prov_here("--json", "everything", "web"), prov_here("everything", "web", "--json")
    assert before == after
    assert (
        prov_here("--workspace", "/nowhere", "everything", "web")[0]
        == prov_here("everything", "web", "--workspace", "/nowhere")[0]
        == 3
    )


def test_the_option_wins_over_the_variable_wherever_it_stands(prov_here, monkeypatch, tmp_path):
    monkeypatch.setenv("PROV_WORKSPACE", "/nowhere")
    assert prov_here("everything", "web")[0] == 3
    assert prov_here("--workspace", str(tmp_path), "everything", "web")[0] == 0
    assert prov_here("everything", "web", "--workspace", str(tmp_path))[0] == 0


def test_a_control_character_in_an_answer_does_not_reach_the_terminal(prov_here):
    _, out, _ = prov_here("everything", "a\x1b[2Jb")
    assert "\x1b" not in out
    assert "a\\u{1b}[2Jb" in out


def test_a_tool_must_not_hide_a_global_option():
    class JsonInput(ToolInput):
        json_: Annotated[bool, Field(alias="json")] = False
        quiet: bool = False

    @tool(toolset="core", title="Clash", command="clash", effect="read")
    async def clash(args: JsonInput, ctx: Context) -> EverythingOutput:
        """Clash."""
        raise AssertionError

    object.__setattr__(clash, "input", JsonInput)
    with pytest.raises(ValueError, match="global option"):
        make_command(clash, "clash")


def test_two_tools_must_not_share_a_command():
    root = build_root(lambda: TOOLS)
    attach(root, TOOLS)
    with pytest.raises(ValueError, match="two commands"):
        attach(root, TOOLS)


def commands(group: Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if group.load:
        group.load()
    for name, command in group.commands.items():
        yield (*words, name)
        if isinstance(command, Group):
            yield from commands(command, (*words, name))


EVERY_COMMAND = list(commands(build_root()))


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_every_command_has_help(words):
    result = CliRunner().invoke(build_root(), [*words, "--help"])
    assert result.exit_code == 0
    assert f"Usage: prov {' '.join(words)}" in " ".join(result.output.split())
    assert "--json" in result.output


@pytest.mark.parametrize("one", REGISTRY, ids=lambda one: one.name)
def test_every_tool_is_a_command_under_all_its_names(one):
    for words in (one.command, *one.aliases):
        assert tuple(words.split()) in EVERY_COMMAND


def leaf(words: tuple[str, ...]) -> click.Command | None:
    found: click.Command = build_root()
    for word in words:
        assert isinstance(found, Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    return None if isinstance(found, click.Group) else found


def mistyped() -> Iterator[tuple[str, ...]]:
    """Every option that has a type other than text, with a value that is not of it."""
    for words in EVERY_COMMAND:
        command = leaf(words)
        for param in command.params if command else ():
            is_by_name = param.name.endswith("__option") if param.name else False  # its place comes first
            is_typed = (
                not is_by_name and not isinstance(param.type, click.types.StringParamType | click.Path) and param.name != "client"
            )
            if isinstance(param, click.Option) and not param.is_flag and is_typed:
                yield (*words, f"{param.opts[0]}=no such value")


@pytest.mark.parametrize("words", list(mistyped()), ids=" ".join)
def test_a_value_of_the_wrong_type_is_a_usage_error(words, capsys):
    assert run(list(words)) == 2
    assert capsys.readouterr().err.startswith("error[invalid_input]: invalid value for '--")
