"""What a client is told about its mistakes, beside a real OpenBao."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio
TABLE = tomllib.loads((Path(__file__).parent / "bad_input.toml").read_text(encoding="utf-8"))


def sentences(errors: list[str]) -> list[str]:
    """Errors without the frame that Go's error lists put around one."""
    return [error.removeprefix("1 error occurred:\n\t* ").removesuffix("\n\n") for error in errors]


def sent(request: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    return request.get("method", "POST"), request["path"], request.get("body", {})


async def test_every_bad_request_is_answered_with_the_status_and_the_sentence_of_openbao(call, bao):
    for request in TABLE["setup"]:
        ours, theirs = await call(*sent(request)), await bao(*sent(request))
        assert ours.status == theirs.status < 300, (request, ours, theirs)
    differences = []
    for case in TABLE["case"]:
        ours, theirs = await call(*sent(case)), await bao(*sent(case))
        expected = 400 if theirs.status == 500 else theirs.status
        told = [case["ours"]] if "ours" in case else sentences(theirs.errors)
        if (ours.status, ours.errors, ours.data) != (expected, told, theirs.data):
            differences.append(f"{case}\n   ours   {ours}\n   theirs {theirs}")
    assert not differences, "\n".join(differences)
