"""Where: the provider and the region, from what was asked, said, implied, or the default."""

import re
from collections.abc import Sequence
from typing import Any

from prov_gen.understand.draft import Draft
from prov_gen.understand.lexicon import Lexicon
from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head

# Kinds that have a provider and a region of their own.
_PLACED = frozenset(
    {
        "server",
        "cluster",
        "database",
        "cache",
        "bucket",
        "volume",
        "file_system",
        "queue",
        "registry",
        "log_group",
        "load_balancer",
    }
)


def choose_provider(draft: Draft, mentions: Sequence[Mention], words: Lexicon, explicit: str | None, default: str) -> str:
    """The provider: the explicit one, the one said, the one that a region, a SKU or a service name implies, the default."""
    said = [mention for mention in mentions if mention.category == "provider"]
    implied = [(mention, mention.implies["provider"]) for mention in mentions if "provider" in mention.implies]
    if explicit is not None:
        _check_explicit(draft, said, implied, explicit)
        return explicit
    if said:
        draft.understood(said[0], "provider", said[0].value)
        return str(said[0].value)
    if implied:
        draft.understood(implied[0][0], "provider", implied[0][1])
        return str(implied[0][1])
    for mention in mentions:
        providers = _providers_of(mention, words)
        if len(providers) == 1:
            draft.understood(mention, "provider", providers[0])
            return providers[0]
    for mention in mentions:
        providers = _providers_of(mention, words)
        if providers and default not in providers:
            others = ", ".join(providers)
            draft.assume("provider", providers[0], f"{default} has nothing called {mention.value}; {others} have: say which one")
            return providers[0]
    draft.assume("provider", default, "no provider was named")
    return default


def _check_explicit(draft: Draft, said: list[Mention], implied: list[tuple[Mention, Any]], explicit: str) -> None:
    for mention in said:
        if mention.value == explicit:
            draft.understood(mention, "provider", explicit)
        else:
            _conflict(draft, mention, str(mention.value), explicit)
            draft.leave(mention, f"the provider was given as {explicit}")
    for mention, provider in implied:
        if provider != explicit:
            _conflict(draft, mention, str(provider), explicit)


def _conflict(draft: Draft, mention: Mention, said: str, explicit: str) -> None:
    draft.find(
        "conflict_provider",
        f"the provider was given as {explicit}, but the description says {draft.phrase(mention.start, mention.end)!r} ({said})",
        f"leave the provider out, or give {said}",
        "provider",
    )


def _providers_of(mention: Mention, words: Lexicon) -> list[str]:
    from prov_corpus.catalogue import provider_of_region  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    if mention.category == "place":
        return [provider for provider, _ in provider_of_region(mention.value)]
    if mention.category == "zone":
        return [words.zones[mention.value.lower()][0]]
    if mention.category == "sku":
        return [name for name, shape in words.shapes.items() if shape.fullmatch(mention.value.lower())]
    return []


def choose_region(draft: Draft, mentions: Sequence[Mention], words: Lexicon, provider: str, heads: Sequence[Head]) -> str:
    """The region's id; a second region goes to the thing that it is said of."""
    from prov_corpus.catalogue import default_region, find_region  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    chosen: str | None = None
    for mention, before in zip(mentions, [None, *mentions], strict=False):
        if mention.category == "place" and before is not None and before.is_cue("or"):
            draft.leave(mention, "one of two places; the first was taken")
            continue
        if mention.category == "zone":
            owner, region_id = words.zones[mention.value.lower()]
            region = region_id if owner == provider else None
            head = _head_before(heads, mention)
            if region and head and head.kind in {"server", "volume"}:
                head.attributes.append(Mention("zone", mention.value.lower(), mention.start, mention.end))
        elif mention.category == "place":
            found = find_region(provider, mention.value)
            region = found.id if found else None
        else:
            continue
        if region is None and _belongs_to_other(mention, provider, heads):
            continue
        if region is None:
            region = _elsewhere(draft, mention, provider)
        if region is None:
            continue
        if chosen in (None, region):
            chosen = region
            draft.understood(mention, "region", region)
        elif (head := _head_before(heads, mention)) is not None:
            head.attributes.append(Mention("region", region, mention.start, mention.end))
        else:
            draft.leave(mention, f"the region is {chosen} already")
    if chosen is None:
        chosen = default_region(provider).id
        draft.assume("region", chosen, f"no region of {provider} was named; this is its default")
    return chosen


def place_skus(draft: Draft, words: Lexicon, provider: str, heads: Sequence[Head], *, stated: bool) -> None:
    """A SKU of another provider: its thing moves there when the provider was only inferred, else it is a conflict."""
    for head in heads:
        for mention in [said for said in head.attributes if said.category == "sku"]:
            owners = _providers_of(mention, words)
            own = [said.value for said in head.attributes if said.category == "head_provider"]
            if (own or [provider])[0] in owners:
                continue
            fits = any(said.category == "sku" and provider in _providers_of(said, words) for said in head.attributes)
            if not stated and not own and not fits and head.kind == "server":
                head.attributes.append(Mention("head_provider", owners[0], mention.start, mention.end))
                continue
            head.attributes.remove(mention)
            draft.find(
                "plan_of_other_provider",
                f"{mention.value} is a plan of {owners[0]}, and the provider is {provider}",
                f"name a plan of {provider}, or small, medium, large",
                "provider",
            )
            draft.leave(mention, f"a plan of {owners[0]}; the provider is {provider}")


def _belongs_to_other(mention: Mention, provider: str, heads: Sequence[Head]) -> bool:
    """Whether a place is the region of a thing that is said to be at another provider."""
    from prov_corpus.catalogue import find_region  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    for head in reversed(heads):
        for said in list(head.attributes):
            if said.category == "head_provider" and said.value != provider and (found := find_region(said.value, mention.value)):
                head.attributes.append(Mention("region", found.id, mention.start, mention.end))
                return True
    return False


def _head_before(heads: Sequence[Head], mention: Mention) -> Head | None:
    before = [head for head in heads if head.start < mention.start and head.kind in _PLACED]
    return before[-1] if before else None


def _elsewhere(draft: Draft, mention: Mention, provider: str) -> str | None:
    """What to do about a place where the provider has no region: its region in the same country, or none."""
    from prov_corpus.catalogue import provider_of_region, regions  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    elsewhere = provider_of_region(mention.value)
    countries = {region.country for _, region in elsewhere}
    is_id = any(mention.value == region.id for _, region in elsewhere) or bool(re.search(r"[0-9]", str(mention.value)))
    near = [region for region in regions(provider).values() if region.country in countries and region.country]
    phrase = draft.phrase(mention.start, mention.end)
    others = ", ".join(sorted({name for name, _ in elsewhere}))
    if near and not is_id:
        draft.understood(mention, "region", near[0].id)
        draft.assume("region", near[0].id, f"{provider} has no region in {phrase}; {near[0].name} lies in the same country")
        return near[0].id
    draft.find(
        "region_of_other_provider" if others else "region_unknown",
        f"{provider} has no region {phrase!r}" + (f"; it belongs to {others}" if others else ""),
        f"name a region of {provider}, or another provider",
        "region",
    )
    draft.leave(mention, f"{provider} has no such region")
    return None


def other_providers(draft: Draft, mentions: Sequence[Mention], provider: str, heads: Sequence[Head]) -> None:
    """A second provider that is said goes to the thing before it ("two servers on AWS and one on Hetzner")."""
    for mention in mentions:
        if mention.category != "provider" or mention.start in draft.used:
            continue
        if mention.value == provider:
            draft.understood(mention, "provider", provider)
        elif (head := _head_before(heads, mention)) is not None:
            head.attributes.append(Mention("head_provider", mention.value, mention.start, mention.end))
        else:
            draft.leave(mention, f"the provider is {provider} already")
