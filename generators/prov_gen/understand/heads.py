"""Heads: which words of a phrase name a thing, also where it is only implied, and which of them name it once more."""

from itertools import pairwise

from prov_gen.understand.applicability import accepts
from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

# Two kinds beside each other in one phrase: what they are together.
_TOGETHER = {
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
}


def find_heads(phrases: list[Phrase], role_of: dict[str, str]) -> list[Head]:
    """The heads of all phrases, in order; also those that are only implied ("two small and one large server")."""
    for index, phrase in enumerate(phrases):
        _heads_of(phrase, index, role_of)
    _count_behind_colon(phrases)
    _imply(phrases)
    _sum_up(phrases)
    _refer(phrases)
    if not any(phrase.heads for phrase in phrases):
        _imply_volume(phrases)
    return [head for phrase in phrases for head in phrase.heads]


def _sum_up(phrases: list[Phrase]) -> None:
    """ "Two databases: a MySQL and a PostgreSQL" are two, not four."""
    for index, phrase in enumerate(phrases[:-1]):
        if len(phrase.heads) != 1 or phrases[index + 1].lead != [":"]:
            continue
        whole = phrase.heads[0]
        rest = [head for after in phrases[index + 1 :] for head in after.heads]
        parts = [head for head in rest if head.kind == whole.kind and head.sentence == whole.sentence]
        if parts and whole.count == sum(head.count or 1 for head in parts):
            parts[0].repeats.extend(whole.mentions)
            phrase.heads, phrase.reference = [], parts[0]


def _imply_volume(phrases: list[Phrase]) -> None:
    """A disk that belongs to nothing is a volume."""
    for index, phrase in enumerate(phrases):
        disk = next((mention for mention in phrase.mentions if _is_disk(mention)), None)
        if disk is not None:
            phrase.heads.append(Head("volume", [disk], index, phrase.sentence, implied=True))
            return


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


def _role(head: Head, phrase: Phrase) -> str | None:
    said = [mention.implies.get("role") for mention in head.mentions] + [
        mention.value for mention in phrase.mentions if mention.category == "role"
    ]
    return next((role for role in said if role), None)


# Named without a number, these are what was named before: "Kubernetes ... a cluster", "Kubernetes with k3s".
_ONCE = frozenset({"cluster"})


def _refer(phrases: list[Phrase]) -> None:
    """ "The web servers" are those that were named before, not further ones."""
    seen: list[tuple[Head, str | None]] = []
    later = [(head, _role(head, phrase)) for phrase in phrases for head in phrase.heads if head.count is not None]
    for phrase in phrases:
        if len(phrase.heads) == 1 and phrase.heads[0].count is None:
            head = phrase.heads[0]
            role = _role(head, phrase)
            same = [old for old, old_role in seen if old.kind == head.kind and role in (None, old_role)]
            if not same and phrase.definite:
                same = [new for new, new_role in later if new.kind == head.kind and role in (None, new_role)][:1]
            bare = head.kind in _ONCE or (role is not None and phrase.lead[-1:] not in ([","], ["and"]))
            bare = bare or (
                (bool(phrase.lead) and phrase.lead[-1] == "with") and any(old.sentence == head.sentence for old in same)
            )
            if same and (phrase.definite or bare):
                phrase.reference = same[-1]
                same[-1].attributes.extend(m for m in head.attributes if m.category != "role")
                phrase.mentions = [m for m in phrase.mentions if m.category != "role" and m not in head.mentions]
                if phrase.definite or role is not None:
                    same[-1].repeats.extend(head.mentions)
                else:
                    same[-1].mentions.extend(head.mentions)
                phrase.heads = []
        seen.extend((head, _role(head, phrase)) for head in phrase.heads)


def _heads_of(phrase: Phrase, index: int, role_of: dict[str, str]) -> None:
    number: Mention | None = None
    engine = any(mention.category == "engine" for mention in phrase.mentions)
    for mention in phrase.mentions:
        if mention.category == "number" and isinstance(mention.value, int):
            number = mention
            continue
        if number is not None and number.value > 1 and _is_disk(mention):
            named = [number, mention] if mention.category == "noun" else [number]
            phrase.heads.append(Head("volume", named, index, phrase.sentence, count=number.value))
            number = None
            continue
        kind = (
            mention.value if mention.category == "kind" else mention.implies.get("kind") if mention.category == "engine" else None
        )
        if kind is None or mention.negated:
            continue
        last = phrase.heads[-1] if phrase.heads and number is None else None
        pair = (last.kind, kind) if last else None
        if last and pair and "server" in pair and {"database", "cache"} & set(pair):
            other = next(part for part in pair if part != "server")
            last.mentions.append(mention)
            last.kind = other if engine else "server"
            if not engine:
                last.attributes.append(Mention("role", role_of[other], mention.start, mention.end))
        elif last and pair in _TOGETHER:
            last.kind = _TOGETHER[pair]
            last.mentions.append(mention)
        else:
            head = Head(kind, [mention], index, phrase.sentence)
            if number is not None:
                head.count = number.value
                head.mentions.insert(0, number)
                number = None
            phrase.heads.append(head)
    if number is not None and len(phrase.heads) == 1 and phrase.heads[0].count is None and number.language == "any":
        phrase.heads[0].count = number.value
        phrase.heads[0].mentions.append(number)


def _is_disk(mention: Mention) -> bool:
    return mention.category == "disk" or (mention.category == "noun" and mention.value == "disk")


_TELLING = frozenset({"size", "sku", "role", "os", "flag"})
_OF_SERVERS = frozenset({"sku", "role", "os"})


def _imply(phrases: list[Phrase]) -> None:
    for index, phrase in enumerate(phrases):
        if phrase.heads:
            continue
        count = phrase.count()
        categories = {mention.category for mention in phrase.content()}
        following = phrases[index + 1] if index + 1 < len(phrases) else None
        next_head = following.heads[0] if following and following.heads and following.joins else None
        roles_differ = next_head is not None and "role" in categories and any(m.category == "role" for m in _mentions(following))
        if next_head is not None and following is not None and not roles_differ and next_head.count is None and count:
            following.mentions[:0] = phrase.mentions
            next_head.count = count.value
            next_head.mentions.insert(0, count)
            phrase.mentions = []
        elif next_head is not None and (roles_differ or (count and categories & _TELLING)):
            _add_head(phrase, index, next_head.kind, count)
        elif count and (count.language != "any" or categories & _TELLING) and (before := _head_before(phrases, index)):
            alone = categories <= {"number"} and not _places_next(following)
            if phrase.joins and not alone and (categories & (_TELLING | {"place", "zone"}) or categories <= {"number"}):
                _add_head(phrase, index, before.kind, count)
            elif categories & _OF_SERVERS:
                _add_head(phrase, index, "server", count)
        elif count and count.value == 1 and _stands_on_servers(following):
            continue
        elif (count and categories & _OF_SERVERS) or ("sku" in categories and not any(p.heads for p in phrases)):
            _add_head(phrase, index, "server", count)


def _stands_on_servers(phrase: Phrase | None) -> bool:
    """ "A website on three servers": the next phrase names the servers that the role is of."""
    heads = phrase.heads if phrase and phrase.lead and phrase.lead[-1] in {"in", "with"} else []
    return any(head.kind == "server" for head in heads)


def _mentions(phrase: Phrase | None) -> list[Mention]:
    return phrase.mentions if phrase else []


def _places_next(phrase: Phrase | None) -> bool:
    return phrase is not None and any(mention.category in {"place", "zone", "provider"} for mention in phrase.mentions)


def _head_before(phrases: list[Phrase], index: int) -> Head | None:
    """The last head of the sentence that everything in the phrase can be said of."""
    said = [mention for mention in phrases[index].content() if mention.category in _TELLING]
    for phrase in reversed(phrases[:index]):
        if phrase.sentence != phrases[index].sentence:
            return None
        for head in reversed(phrase.heads):
            if all(accepts(head.kind, mention) for mention in said):
                return head
    return None


def _add_head(phrase: Phrase, index: int, kind: str, count: Mention | None) -> None:
    named = count or phrase.content()[0]
    phrase.heads.append(Head(kind, [named], index, phrase.sentence, count=count.value if count else None, implied=True))
