"""Several environments in one description: each thing carries its own as a tag."""

from collections.abc import Sequence
from dataclasses import replace

from prov_gen.understand.draft import Draft
from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

# Kinds that carry tags of their own.
_TAGGED = frozenset({"server", "cluster", "database", "cache", "bucket", "volume", "load_balancer", "file_system", "queue"})


def settle_environments(draft: Draft, phrases: Sequence[Phrase]) -> None:
    """ "Dev: one server. Prod: three": where two environments are named beside things, each thing is tagged with its own."""
    said = [
        (index, mention)
        for index, phrase in enumerate(phrases)
        for mention in phrase.mentions
        if mention.category == "environment"
    ]
    values = list(dict.fromkeys(str(mention.value) for _, mention in said))
    if len(values) < 2:
        return
    owners = [(mention, _owned(phrases, index)) for index, mention in said]
    if not all(heads for _, heads in owners):
        return
    for mention, heads in owners:
        for head in heads:
            head.attributes.append(replace(mention, category="own_environment"))
    for index, mention in said:
        phrases[index].mentions = [other for other in phrases[index].mentions if other is not mention]
    draft.config["environment"] = "production" if "production" in values else values[0]
    why = f"{' and '.join(values)} are described together; each thing is tagged with its own"
    draft.assume("environment", draft.config["environment"], why)


def _owned(phrases: Sequence[Phrase], index: int) -> list[Head]:
    """The things of a phrase, or what follows the colon behind it, up to the next environment."""
    own = [head for head in phrases[index].heads if head.kind in _TAGGED]
    if not own and phrases[index].lead[-1:] in (["kept"], ["in"], ["with"]):
        own = _before(phrases, index)
    if own or index + 1 >= len(phrases) or phrases[index + 1].lead[:1] not in ([":"], ["with"], ["-"], ["\u2013"]):
        return own
    found: list[Head] = []
    for phrase in phrases[index + 1 :]:
        if phrase.sentence != phrases[index].sentence or _names_environment(phrase.mentions):
            break
        found.extend(head for head in phrase.heads if head.kind in _TAGGED)
    return found


def _before(phrases: Sequence[Phrase], index: int) -> list[Head]:
    """ "A database with 50 GB in prod": the thing before, in the sentence and behind any other environment."""
    for phrase in reversed(phrases[:index]):
        if phrase.sentence != phrases[index].sentence or _names_environment(phrase.mentions):
            return []
        if found := [head for head in phrase.heads if head.kind in _TAGGED]:
            return found[-1:]
    return []


def _names_environment(mentions: Sequence[Mention]) -> bool:
    return any(mention.category == "environment" for mention in mentions)
