"""From a description to a configuration: the steps in their order."""

import unicodedata
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from prov_gen.understand.account import apply_account, count_zones
from prov_gen.understand.balancers import build_balancers, build_certificates, build_zones
from prov_gen.understand.clauses import Clauses, build_clauses, settle_cidrs, settle_days
from prov_gen.understand.clusters import build_clusters
from prov_gen.understand.draft import KINDS_OF, Draft
from prov_gen.understand.environments import settle_environments
from prov_gen.understand.guards import build_guards
from prov_gen.understand.heads import find_heads
from prov_gen.understand.lexicon import lexicon
from prov_gen.understand.machines import build_servers, build_volumes, spread_over_zones
from prov_gen.understand.mentions import Mention, find_mentions
from prov_gen.understand.networks import build_network, place_in_subnets
from prov_gen.understand.parts import settle_parts
from prov_gen.understand.phrases import Head, split_phrases
from prov_gen.understand.places import choose_provider, choose_region, other_providers, place_skus
from prov_gen.understand.ports import read_rules
from prov_gen.understand.purposes import read_purposes
from prov_gen.understand.quantities import read_quantities
from prov_gen.understand.records import make
from prov_gen.understand.result import Language, ResourceType, Understanding
from prov_gen.understand.site import Site
from prov_gen.understand.stores import build_databases, build_keys, build_plain
from prov_gen.understand.tokens import check, tokenize
from prov_gen.understand.vpcs import build_vpcs
from prov_gen.understand.workloads import build_secrets, build_workloads
from stratumops.errors import InvalidInputError

EXAMPLES = (
    "a 3-node Kubernetes cluster with Cilium on UpCloud",
    "dos servidores web m5.large detrás de un balanceador con una base de datos PostgreSQL en us-east-1",
)
# In this order: what is named by another is built before it.
_BUILDERS: tuple[Callable[[Site], None], ...] = (
    spread_over_zones,
    build_network,
    build_vpcs,
    build_servers,
    build_volumes,
    build_clusters,
    build_workloads,
    build_secrets,
    build_databases,
    build_plain,
    build_keys,
    build_certificates,
    build_balancers,
    build_zones,
    build_guards,
    place_in_subnets,
)


def understand(
    description: str,
    *,
    provider: str | None = None,
    resource_type: ResourceType | None = None,
    default_provider: str = "aws",
    environment: str = "production",
) -> Understanding:
    """The configuration that a description in English or Spanish speaks of.

    `provider` and `resource_type` win over the words; a conflict is a finding. `resource_type` limits the result to its
    kind; what was described beside it is listed as unplaced. Raises InvalidInputError: not a usable text, an unknown
    provider or resource type, or a description in which nothing is understood.
    """
    _check_choices(provider, default_provider, resource_type)
    check(description)
    text = unicodedata.normalize("NFC", description)
    words = lexicon()
    tokens = tokenize(text, is_whole=words.is_whole, is_word=words.is_word)

    def text_of(mention: Mention) -> str:
        return " ".join(token.folded for token in tokens[mention.start : mention.end])

    read = read_purposes(find_mentions(tokens, words), text_of, words.not_names)
    mentions = settle_days(settle_cidrs(read_rules(read_quantities(read))))
    phrases = split_phrases(mentions, text_of)
    heads = settle_parts(find_heads(phrases, words.role_of, of_servers=resource_type is None), phrases, mentions)
    draft = Draft(text, tokens, resource_type)
    heads = _limit(draft, heads, mentions)
    settle_environments(draft, phrases)
    clauses = build_clauses(phrases, heads)
    chosen = choose_provider(draft, mentions, words, provider, default_provider)
    other_providers(draft, mentions, chosen, heads)
    region = choose_region(draft, mentions, words, chosen, heads)
    stated = provider is not None or any(mention.category == "provider" for mention in mentions)
    place_skus(draft, words, chosen, heads, stated=stated)
    draft.config |= {"provider": chosen, "region": region}
    several = sum(max(1, head.count or 1) for head in heads if head.kind == "network") > 1
    apply_account(draft, clauses.attributes, environment, several_networks=several)
    site = Site(draft, chosen, region, [make(draft, head) for head in heads], phrases, count_zones(draft, clauses.attributes))
    for build in _BUILDERS:
        build(site)
    _note_repeats(site, mentions)
    _note_doubts(site, clauses)
    return _finish(draft, clauses, mentions, _language(mentions))


def _check_choices(provider: str | None, default_provider: str, resource_type: str | None) -> None:
    from prov_corpus.catalogue import checked_provider  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    checked_provider(default_provider)
    if provider is not None:
        checked_provider(provider)
    if resource_type is not None and resource_type not in KINDS_OF:
        raise InvalidInputError(f"{str(resource_type)[:60]!r} is not a resource type", hint=f"use {', '.join(KINDS_OF)}")


def _limit(draft: Draft, heads: list[Head], mentions: Sequence[Mention]) -> list[Head]:
    """The heads of the asked resource type; the others are listed as left out."""
    kind = draft.resource_type
    if kind is None:
        if not heads and not any(mention.category not in {"cue", "stop", "punctuation", "unknown"} for mention in mentions):
            raise _nothing(draft)
        if not heads:
            raise _nothing(draft)
        return heads
    kept = [head for head in heads if head.kind in KINDS_OF[kind] and (head.owner is None or head.owner.kind in KINDS_OF[kind])]
    for head in heads:
        if head not in kept:
            named = [m for m in head.mentions if m.category != "number" or m.value != 1] or head.mentions
            whole = named[0]
            for mention in named[1:]:
                whole = whole.joined(mention)
            draft.leave(whole, f"left out: the resource type is {kind}")
    if not any(head.kind in {kind, "server", "cluster", "database", "cache", "network", "load_balancer"} for head in kept) and (
        kind != "network" or not kept
    ):
        if not any(mention.category not in {"cue", "stop", "punctuation", "unknown", "number"} for mention in mentions):
            raise _nothing(draft)
        if heads:
            draft.find(
                "conflict_resource_type",
                f"the resource type was given as {kind}, but the description names none",
                "leave the resource type out, or describe one",
            )
        draft.assume("resource_type", kind, f"a {kind} was asked for, and the description names none")
        kept.append(Head(kind, [], 0, 0, implied=True))
    return kept


def _nothing(draft: Draft) -> InvalidInputError:
    return InvalidInputError(
        f"nothing to build was understood in {draft.text.strip()[:80]!r}",
        hint="name servers, clusters, databases, networks, buckets, ... in English or Spanish, such as: " + "; ".join(EXAMPLES),
        examples=list(EXAMPLES),
    )


def _note_repeats(site: Site, mentions: Sequence[Mention]) -> None:
    for made in site.made:
        for mention in made.head.repeats:
            site.draft.understood(mention, made.prefix or made.head.kind, max(1, made.head.count or 1))
    for mention in mentions:
        if mention.category == "kind" and mention.negated:
            site.draft.understood(mention, str(mention.value), None)


def _note_doubts(site: Site, clauses: Clauses) -> None:
    """Say where a quantity went that two things could have had."""
    draft = site.draft
    for mention, chosen, other in clauses.doubts:
        made = next((made for made in site.made if made.head is chosen and made.prefix), None)
        if made is None:
            continue
        phrase, rival = (
            draft.phrase(mention.start, mention.end),
            draft.phrase(other.start, other.end) if other.mentions else other.kind,
        )
        path = next((path for said, path, _ in made.facts if said.start == mention.start and path), "")
        where = f"{made.prefix}.{path}" if path else made.prefix
        draft.assume(where, mention.value, f"{phrase!r} could also be said of {rival!r}; it was given to the nearer one")


def _language(mentions: Sequence[Mention]) -> Language:
    counts = {"en": 0, "es": 0}
    for mention in mentions:
        if mention.language in counts:
            counts[mention.language] += mention.end - mention.start
    return "es" if counts["es"] > counts["en"] else "en"


def _finish(draft: Draft, clauses: Clauses, mentions: Sequence[Mention], language: Language) -> Understanding:
    from prov_gen.model.infrastructure import InfrastructureConfig  # noqa: PLC0415 - pydantic models cost 60 ms

    for mention in clauses.homeless:
        if mention.start not in draft.used:
            draft.leave(mention, "nothing described takes this")
    draft.leave_rest(mentions)
    config = {key: value for key, value in draft.config.items() if value not in ([], {}, None)}
    try:
        model = InfrastructureConfig.model_validate(config)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(
            f"what was described cannot be built: {where}: {first['msg']}", hint="describe it with other values", path=where
        ) from None
    return Understanding(
        config=model,
        understood=draft.told(),
        assumed=draft.assumed,
        unplaced=sorted(draft.unplaced, key=lambda note: (note.start, note.end)),
        findings=draft.findings,
        language=language,
    )
