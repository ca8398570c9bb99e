"""Links surround the handler in the order in which they are listed, and each may refuse, change or look."""

from dataclasses import replace

import pytest

from stratumops.errors import InternalError, InvalidInputError, PermissionDeniedError
from stratumops.middleware import Call, chain, handle, validate
from stratumops.principal import LOCAL
from stratumops.tool import ToolInput, ToolOutput, tool

pytestmark = pytest.mark.anyio


class SayInput(ToolInput):
    """Words."""

    words: str


class SayOutput(ToolOutput):
    """Words again."""

    words: str


@tool(toolset="talk", title="Say", command="say", effect="read")
async def say(args: SayInput, ctx: list[str]) -> SayOutput:
    """Say it."""
    ctx.append(f"handler {args.words}")
    return SayOutput(words=args.words)


def call(log: list[str], **arguments: object) -> Call[list[str]]:
    return Call(say, dict(arguments), None, log, LOCAL, "mcp")


def noting(name: str):
    async def link(one, proceed):
        one.ctx.append(f"{name} in")
        try:
            return await proceed(one)
        finally:
            one.ctx.append(f"{name} out")

    return link


async def test_the_first_link_is_the_outermost():
    log: list[str] = []
    answer = await chain([noting("first"), noting("second"), noting("third"), validate])(call(log, words="hi"))
    assert answer == SayOutput(words="hi")
    assert log == ["first in", "second in", "third in", "handler hi", "third out", "second out", "first out"]


async def test_links_inside_the_validation_see_the_arguments_typed_and_those_outside_do_not():
    seen = []

    async def look(one, proceed):
        seen.append(one.args)
        return await proceed(one)

    log: list[str] = []
    assert await chain([look, validate, look])(call(log, words="hi")) == SayOutput(words="hi")
    assert seen == [None, SayInput(words="hi")]


async def test_wrong_arguments_get_no_further_than_the_validation():
    log: list[str] = []
    with pytest.raises(InvalidInputError):
        await chain([noting("outer"), validate, noting("inner")])(call(log, words=1))
    assert log == ["outer in", "outer out"]


async def test_a_chain_that_validates_nothing_runs_no_handler():
    log: list[str] = []
    with pytest.raises(InternalError, match="not validated"):
        await chain([noting("link")])(call(log, words="hi"))
    assert log == ["link in", "link out"]
    assert chain([]) is handle


async def test_a_link_that_refuses_keeps_the_call_from_all_that_is_inside():
    async def refuse(one, proceed):
        raise PermissionDeniedError("not today")

    log: list[str] = []
    with pytest.raises(PermissionDeniedError, match="not today"):
        await chain([noting("outer"), refuse, noting("inner")])(call(log, words="hi"))
    assert log == ["outer in", "outer out"]


async def test_a_link_may_change_the_call_and_the_answer():
    async def shout(one, proceed):
        answer = await proceed(replace(one, arguments={"words": one.arguments["words"].upper()}))
        return answer.model_copy(update={"words": f"{answer.words}!"})

    log: list[str] = []
    assert await chain([shout, validate])(call(log, words="hi")) == SayOutput(words="HI!")
    assert log == ["handler HI"]


async def test_a_chain_serves_any_number_of_calls():
    run = chain([noting("link"), validate])
    for words in ("one", "two"):
        log: list[str] = []
        assert await run(call(log, words=words)) == SayOutput(words=words)
        assert log == ["link in", f"handler {words}", "link out"]
