"""Parts: nodes, workers, pools and control planes, and the cluster or the database that they are of."""

from collections.abc import Sequence
from itertools import pairwise

from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

PARTS = frozenset({"node", "worker", "control_plane", "pool"})


def settle_parts(heads: list[Head], phrases: Sequence[Phrase], mentions: Sequence[Mention]) -> list[Head]:
    """Give every part its owner; nodes without any cluster are servers of their own."""
    parts = [head for head in heads if head.kind in PARTS]
    clusters = [head for head in heads if head.kind == "cluster"]
    speaks_of_pods = any(
        mention.category == "cni" or (mention.category == "flag" and mention.value == "autoscaling") for mention in mentions
    )
    if parts and not clusters and (speaks_of_pods or any(head.kind in {"control_plane", "pool"} for head in parts)):
        first = parts[0]
        implied = Head("cluster", first.mentions[:1], first.phrase, first.sentence, implied=True)
        heads = [*heads[: heads.index(first)], implied, *heads[heads.index(first) :]]
        clusters = [implied]
    heads = _drop_announced(heads, phrases)
    for part in [head for head in heads if head.kind in PARTS]:
        owner = _owner(part, heads, phrases)
        if owner is not None:
            part.owner = owner
            if part.kind == "node" and owner.kind == "cluster":
                part.kind = "worker"
        else:
            if part.kind == "worker":
                part.attributes.append(Mention("role", "worker", part.start, part.end))
            part.kind = "server"
    return heads


def _drop_announced(heads: list[Head], phrases: Sequence[Phrase]) -> list[Head]:
    """ "Two node groups: ..." announces what follows; "5 nodes: 3 masters and 2 workers" counts what follows."""
    kept = list(heads)
    for head, following in pairwise(heads):
        lead = phrases[following.phrase].lead
        if head.kind == "pool" and (head.count or 1) == 1 and following.kind in {"node", "worker"} and lead[-1:] == ["with"]:
            head.count = following.count or head.count  # "a GPU pool with 2 nodes"
            head.repeats.extend(following.mentions)
            kept.remove(following)
            phrases[following.phrase].heads.remove(following)
            phrases[following.phrase].references.append(head)
    heads = list(kept)
    for head in heads:
        after = [other for other in heads if other.kind in PARTS and other.order > head.order and other.sentence == head.sentence]
        announces = head.kind == "pool" and len(after) > 1 and head.count == len(after)
        sums = head.kind in {"node", "worker"} and len(after) > 1 and head.count == sum(other.count or 1 for other in after)
        if announces or sums:
            kept.remove(head)
            after[0].repeats.extend(head.mentions)
            phrase = phrases[head.phrase]
            phrase.heads = [other for other in phrase.heads if other is not head]
            phrase.references = after
    return kept


def _owner(part: Head, heads: Sequence[Head], phrases: Sequence[Phrase]) -> Head | None:
    """The nearest cluster, database or cache before a part in its sentence, else the cluster."""
    clusters = [head for head in heads if head.kind == "cluster"]
    kinds = {"cluster", "database", "cache"} if part.kind == "node" else {"cluster"}
    speaks_of_role = any(mention.category == "role" for mention in phrases[part.phrase].mentions)
    if part.kind == "node" and speaks_of_role and not clusters:
        return None
    same_phrase = [head for head in phrases[part.phrase].heads if head.kind in kinds]
    if same_phrase:
        return same_phrase[-1]
    lead = phrases[part.phrase].lead
    before = [head for head in heads if head.kind in kinds and head.order < part.order and head.sentence == part.sentence]
    if before and (before[-1].kind == "cluster" or not clusters or lead[-1:] == ["with"]):
        return before[-1]
    if clusters:
        earlier = [head for head in clusters if head.phrase <= part.phrase]
        return earlier[-1] if earlier else clusters[0]
    return None
