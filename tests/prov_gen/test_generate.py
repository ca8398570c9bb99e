"""From a description to a validated configuration, and the seam for another reader of words."""

from datetime import date

import pytest

from prov_gen.findings import WORDS, Finding
from prov_gen.generate import generate
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel, NickelSource
from prov_gen.understand import Understanding
from prov_gen.understand.result import Assumption, Fact, Unplaced
from stratumops.errors import InvalidInputError

pytestmark = pytest.mark.anyio
FIXED = {
    "provider": None,
    "resource_type": None,
    "default_provider": "aws",
    "environment": "production",
    "today": date(2026, 11, 23),
}

SENTENCES = (
    "a 3-node Kubernetes cluster with Cilium on UpCloud",
    "dos servidores web m5.large detrás de un balanceador con una base de datos PostgreSQL y un bucket privado en us-east-1",
)


@pytest.mark.parametrize("sentence", SENTENCES)
async def test_the_text_evaluates_to_the_model_and_passes_all_layers(sentence: str) -> None:
    async with Nickel() as nickel:
        made = await generate(sentence, nickel=nickel, **FIXED)
        value = await nickel.evaluate(NickelSource(made.text))
    assert made.valid
    assert InfrastructureConfig.model_validate(value) == made.config
    assert made.understood
    assert made.assumed
    assert not made.unplaced


async def test_what_was_said_is_visible_in_the_text_even_where_it_is_the_default() -> None:
    async with Nickel() as nickel:
        made = await generate(SENTENCES[0], nickel=nickel, **FIXED)
    assert "cni = 'cilium" in made.text
    assert "provider = 'upcloud" in made.text


async def test_progress_is_told_while_it_works() -> None:
    heard: list[str] = []

    async def report(done: float, total: float | None, words: str) -> None:
        heard.append(words)

    async with Nickel() as nickel:
        await generate(SENTENCES[0], nickel=nickel, report=report, **FIXED)
    assert heard == ["reading the description", "writing Nickel", "validating"]


async def test_another_reader_of_words_takes_the_place_of_ours() -> None:
    config = InfrastructureConfig.model_validate({"provider": "hetzner", "servers": [{"name": "model-made"}]})
    conflict = Finding(layer=WORDS, code="conflict_provider", severity="warning", message="two providers", fix="name one")

    def read(description: str, **options) -> Understanding:
        assert (description, options["default_provider"]) == ("anything", "aws")
        facts, assumed = [Fact("a", "servers", "x" * 500, 0, 1)], [Assumption("region", "fsn1", "w")]
        return Understanding(config, facts, assumed, [Unplaced("b", "r", 0, 1)], [conflict], "en")

    async with Nickel() as nickel:
        made = await generate("anything", nickel=nickel, read_words=read, **FIXED)
    assert made.config == config
    assert not made.valid, "a conflict in the words is a warning, and warnings count"
    assert made.unplaced == ["b: r"]
    assert len(made.understood[0]) < 200


async def test_nothing_understood_is_an_error_with_examples() -> None:
    async with Nickel() as nickel:
        with pytest.raises(InvalidInputError) as caught:
            await generate("make me a sandwich", nickel=nickel, **FIXED)
    assert "cluster" in caught.value.hint
