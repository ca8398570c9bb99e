"""From a description to a configuration that has been validated: words -> model -> text -> seven layers.

`Understand` is the seam for another reader of words, such as a language model: it answers with the same `Understanding`, and all
that follows stays as it is.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from prov_gen.findings import Finding
from prov_gen.layers.pipeline import validate
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel
from prov_gen.render import render
from prov_gen.source import ConfigSource
from prov_gen.understand import Understanding, understand
from prov_gen.understand.result import Fact
from stratumops.errors import InternalError
from stratumops.progress import Report, silent

MAX_VALUE_CHARACTERS = 120

Understand = Callable[..., Understanding]


@dataclass(frozen=True, slots=True)
class Generated:
    """A configuration and how it came about. `valid` is the verdict of the layers, warnings counted as failures."""

    text: str
    files: dict[str, str]
    config: InfrastructureConfig
    valid: bool
    understood: list[str]
    assumed: list[str]
    unplaced: list[str]
    findings: list[Finding]


async def generate(
    description: str,
    *,
    provider: str | None,
    resource_type: str | None,
    default_provider: str,
    environment: str,
    nickel: Nickel,
    today: date,
    report: Report = silent,
    read_words: Understand = understand,
) -> Generated:
    """A typed, validated configuration for a description in English or Spanish. Deterministic; nothing is created.

    Raises InvalidInputError when nothing in the words is infrastructure.
    """
    await report(0, 3, "reading the description")
    arguments: dict[str, Any] = {
        "provider": provider,
        "resource_type": resource_type,
        "default_provider": default_provider,
        "environment": environment,
    }
    read = await asyncio.to_thread(read_words, description, **arguments)
    await report(1, 3, "writing Nickel")
    rendered = await asyncio.to_thread(render, read.config)
    await report(2, 3, "validating")
    verdict = await validate(ConfigSource(rendered.text), nickel=nickel, workspace=None, today=today)
    if verdict.config != read.config and not verdict.count("error"):
        raise InternalError("the generated text does not mean what was understood", hint="please report the description")
    return Generated(
        text=rendered.text,
        files=rendered.files,
        config=read.config,
        valid=verdict.valid and not any(finding.severity != "info" for finding in read.findings),
        understood=[_told(fact) for fact in read.understood],
        assumed=[f"{one.path} = {_short(one.value)}: {one.why}" for one in read.assumed],
        unplaced=[f"{wish.phrase}: {wish.reason}" for wish in read.unplaced],
        findings=[*read.findings, *verdict.findings],
    )


def _told(fact: Fact) -> str:
    """A fact in one line. That a thing is there at all is told by its place alone."""
    place = f"{fact.phrase} -> {fact.path}"
    return place if fact.path.endswith("]") else f"{place} = {_short(fact.value)}"


def _short(value: Any) -> str:
    """A value as JSON, cut where it would drown the sentence around it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}..."
