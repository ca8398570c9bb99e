"""Heads: which words of a phrase name a thing, also where it is only implied, and which of them name it once more."""

from itertools import pairwise

from prov_gen.understand.implied import imply, imply_server, imply_volume, is_disk
from prov_gen.understand.mentions import Mention
from prov_gen.understand.ordinals import split_ordinals
from prov_gen.understand.phrases import Head, Phrase
from prov_gen.understand.references import join_hosts, refer, refer_to_hosts
from prov_gen.understand.sums import drop_titles, sum_up

# Two kinds beside each other in one phrase: what they are together.
TOGETHER = {
    ("server", "server"): "server",
    ("cluster", "cluster"): "cluster",
    ("worker", "node"): "worker",
    ("worker", "server"): "worker",
    ("node", "server"): "node",
    ("control_plane", "node"): "control_plane",
    ("control_plane", "server"): "control_plane",
    ("node", "control_plane"): "control_plane",
    ("node", "worker"): "worker",
    ("file_system", "server"): "file_system",
    ("server", "file_system"): "file_system",
    ("database", "database"): "database",
    ("database", "cluster"): "database",
    ("cluster", "database"): "database",
    ("cache", "cluster"): "cache",
    ("cluster", "cache"): "cache",
    ("cache", "cache"): "cache",
    ("cache", "database"): "cache",
    ("database", "cache"): "cache",
    ("bucket", "bucket"): "bucket",
    ("queue", "queue"): "queue",
    ("volume", "volume"): "volume",
    ("load_balancer", "load_balancer"): "load_balancer",
    ("kms_key", "kms_key"): "kms_key",
    ("dns_zone", "dns_zone"): "dns_zone",
    ("network", "network"): "network",
    ("network", "subnet"): "subnet",
    ("registry", "registry"): "registry",
    ("certificate", "certificate"): "certificate",
    ("bastion", "server"): "server",
    ("pool", "node"): "pool",
    ("pool", "worker"): "pool",
    ("pool", "server"): "pool",
    ("node", "pool"): "pool",
    ("worker", "pool"): "pool",
    ("workload", "workload"): "workload",
    ("file_system", "file_system"): "file_system",
}

_STORES = frozenset({"database", "cache"})


def find_heads(phrases: list[Phrase], role_of: dict[str, str], *, of_servers: bool) -> list[Head]:
    """The heads of all phrases, in order; also those that are only implied ("two small and one large server").

    `of_servers`: what belongs to nothing, such as an operating system, implies a server.
    """
    for index, phrase in enumerate(phrases):
        _heads_of(phrase, index, role_of)
    _count_behind_colon(phrases)
    join_hosts(phrases, TOGETHER)
    split_ordinals(phrases)
    imply(phrases)
    drop_titles(phrases)
    sum_up(phrases, role_of)
    refer(phrases)
    refer_to_hosts(phrases)
    if of_servers and not any(phrase.heads for phrase in phrases):
        imply_server(phrases)
    if not any(phrase.heads for phrase in phrases):
        imply_volume(phrases)
    return [head for phrase in phrases for head in phrase.heads]


def _count_behind_colon(phrases: list[Phrase]) -> None:
    """ "Servers: 5"."""
    for before, phrase in pairwise(phrases):
        count = phrase.count()
        if (
            phrase.lead in ([":"], ["\u00d7"], ["*"])
            and before.heads
            and before.heads[-1].count is None
            and phrase.content() == [count]
            and count
        ):
            before.heads[-1].count = count.value
            before.heads[-1].mentions.append(count)
            phrase.mentions = []


def _heads_of(phrase: Phrase, index: int, role_of: dict[str, str]) -> None:
    number: Mention | None = None
    pointed = False
    engine = any(mention.category == "engine" for mention in phrase.mentions)
    for mention in phrase.mentions:
        if mention.category == "number" and isinstance(mention.value, int):
            number = mention
            continue
        if mention.category == "cue":
            pointed = mention.is_cue("every", "per")
        if number is not None and (number.value > 1 or number.implies) and is_disk(mention):
            named = [number, mention] if mention.category == "noun" else [number]
            phrase.heads.append(Head("volume", named, index, phrase.sentence, count=number.value))
            number = None
            continue
        kind = _kind_of(mention)
        if kind is None or mention.negated or (kind == "cluster" and _is_of_other_product(phrase, mention)):
            continue
        last = phrase.heads[-1] if phrase.heads else None
        if last and number is not None and _fills_pool(last, kind, number, mention):
            number = None
            continue
        if (
            last
            and kind == "node"
            and number is None
            and last.kind in _STORES
            and last.count
            and last.mentions[0].category == "number"
        ):
            number, last.count = last.mentions.pop(0), None  # "3 MongoDB nodes"
        if last and kind in _STORES and last.kind == "cluster" and number and not _is_kubernetes(last):
            last.kind = kind  # "a cluster of 3 MongoDB nodes"
            last.mentions.append(mention)
        elif last and number is None and _join(last, kind, mention, role_of, engine=engine):
            continue
        else:
            head = Head(kind, [mention], index, phrase.sentence, definite=pointed and number is None)
            pointed = False
            if number is not None:
                head.count = number.value
                head.mentions.insert(0, number)
                number = None
            phrase.heads.append(head)
    if number is not None and len(phrase.heads) == 1 and phrase.heads[0].count is None and number.language == "any":
        phrase.heads[0].count = number.value
        phrase.heads[0].mentions.append(number)


def _fills_pool(pool: Head, kind: str, number: Mention, mention: Mention) -> bool:
    """ "A pool of 4 nodes": the number is the pool's."""
    if pool.kind != "pool" or (pool.count or 1) > 1 or kind not in {"node", "worker", "server"}:
        return False
    pool.count = number.value
    pool.mentions += [number, mention]
    return True


def _join(last: Head, kind: str, mention: Mention, role_of: dict[str, str], *, engine: bool) -> bool:
    """Make one thing of two words for it: "worker node", "database server"."""
    pair = (last.kind, kind)
    if "server" in pair and _STORES & set(pair):
        other = next(part for part in pair if part != "server")
        last.kind = other if engine else "server"
        if not engine:
            last.attributes.append(Mention("role", role_of[other], mention.start, mention.end))
    elif pair in TOGETHER:
        last.kind = TOGETHER[pair]
    else:
        return False
    last.mentions.append(mention)
    return True


def _is_of_other_product(phrase: Phrase, cluster: Mention) -> bool:
    """ "A Kafka cluster" is none of Kubernetes."""
    return any(mention.category == "unsupported" and mention.end == cluster.start for mention in phrase.mentions)


def _is_kubernetes(head: Head) -> bool:
    return any(mention.implies.get("kubernetes") for mention in head.mentions)


def _kind_of(mention: Mention) -> str | None:
    if mention.category == "image":
        return "workload"
    kind = mention.value if mention.category == "kind" else mention.implies.get("kind") if mention.category == "engine" else None
    return None if kind is None else str(kind)
