"""Which words speak of something that is named elsewhere: again, after a colon, or in brackets."""

from prov_gen.understand.mentions import Mention
from prov_gen.understand.phrases import Head, Phrase

_NAMES = frozenset({"name", "quoted"})
# Kinds of server that are a product of their own when an engine is named beside them.
_STORES = frozenset({"database", "cache"})


def _brackets_or_colon(phrases: list[Phrase], index: int) -> Phrase | None:
    """The phrase before the brackets or the colon that a phrase stands in or behind."""
    phrase = phrases[index]
    if phrase.host is not None:
        at = phrases.index(phrase.host)
        while at > 0 and not phrases[at].heads and all(mention.category in _NAMES for mention in phrases[at].content()):
            at -= 1  # "a queue called orders (fifo)"
        return phrases[at]
    before = phrases[index - 1] if index else None
    return before if before is not None and phrase.lead == [":"] and before.sentence == phrase.sentence else None


def join_hosts(phrases: list[Phrase], together: dict[tuple[str, str], str]) -> None:
    """ "A database server: PostgreSQL 16", "API tier (4 instances)", "volumes (3 of them)": one thing, said in two parts."""
    for index, phrase in enumerate(phrases):
        host = _brackets_or_colon(phrases, index)
        if host is None or (phrase.host is None and host.definite):
            continue
        if not host.heads:
            roles = [mention for mention in host.mentions if mention.category == "role"]
            if phrase.heads and roles and not any(mention.category == "role" for mention in phrase.mentions):
                host.mentions = [mention for mention in host.mentions if mention not in roles]
                phrase.mentions[:0] = roles
            continue
        whole = host.heads[-1]
        if whole.count == 1 and any(mention.category == "number" and mention.language != "any" for mention in whole.mentions):
            whole.count = None  # an article
        count = phrase.count()
        if not phrase.heads:
            if count and whole.count is None and len(phrase.content()) == 1:
                whole.count = count.value
                whole.mentions.append(count)
                phrase.mentions = [mention for mention in phrase.mentions if mention is not count]
            continue
        part = phrase.heads[0]
        stores = {whole.kind, part.kind} & _STORES
        kind = together.get((whole.kind, part.kind)) or (part.kind if whole.kind == "server" and stores else None)
        if (
            kind is None
            or (part.count and whole.count)
            or (part.count is None and (whole.count or 1) > 1 and phrase.host is None)
        ):
            continue
        whole.kind = kind
        whole.count = whole.count or part.count
        whole.mentions.extend(part.mentions)
        whole.attributes = [mention for mention in whole.attributes if mention.category != "role" or kind == "server"]
        phrase.heads = phrase.heads[1:]
        whole.attributes.extend(mention for mention in part.mentions if mention.category == "engine")
        phrase.mentions = [mention for mention in phrase.mentions if mention not in part.mentions]


def refer_to_hosts(phrases: list[Phrase]) -> None:
    """What stands in brackets, or behind a colon, is said of the thing before them."""
    for index, phrase in enumerate(phrases):
        host = _brackets_or_colon(phrases, index)
        if host is not None and host.topics and not phrase.topics:
            phrase.references = host.topics[-1:] if host.heads else list(host.references)


def _role(head: Head, phrase: Phrase) -> str | None:
    said = [mention.implies.get("role") for mention in head.mentions] + [
        mention.value for mention in phrase.mentions if mention.category == "role"
    ]
    return next((role for role in said if role), None)


# Named without a number, these are what was named before: "Kubernetes ... a cluster", "Kubernetes with k3s".
_ONCE = frozenset({"cluster"})


def refer(phrases: list[Phrase]) -> None:
    """ "The web servers" are those that were named before, not further ones."""
    seen: list[tuple[Head, str | None]] = []
    later = [(head, _role(head, phrase)) for phrase in phrases for head in phrase.heads if head.count is not None]
    for index, phrase in enumerate(phrases):
        if not phrase.heads and phrase.definite:
            _refer_by_attribute(phrase, phrases[:index])
        if len(phrase.heads) == 1 and phrase.heads[0].count is None:
            head = phrase.heads[0]
            role = _role(head, phrase)
            same = [old for old, old_role in seen if old.kind == head.kind and role in (None, old_role)]
            if not same and (phrase.definite or head.definite):
                same = [new for new, new_role in later if new.kind == head.kind and role in (None, new_role)]
                same = same if head.definite else same[:1]
            titled = index + 1 < len(phrases) and phrases[index + 1].lead == [":"] and _opens(phrases, index)
            bare = titled or head.kind in _ONCE or (role is not None and phrase.lead[-1:] not in ([","], ["and"]))
            bare = bare or (
                (bool(phrase.lead) and phrase.lead[-1] == "with") and any(old.sentence == head.sentence for old in same)
            )
            if same and (phrase.definite or head.definite or bare):
                phrase.references = same if head.definite or (head.kind == "server" and not role) else same[-1:]
                same[-1].attributes.extend(m for m in head.attributes if m.category != "role")
                roles = [m for m in phrase.mentions if m.category == "role"]
                phrase.mentions = [m for m in phrase.mentions if m.category != "role" and m not in head.mentions]
                same[-1].repeats.extend(roles)
                if phrase.definite or head.definite or role is not None:
                    same[-1].repeats.extend(head.mentions)
                else:
                    same[-1].mentions.extend(head.mentions)
                phrase.heads = []
        seen.extend((head, _role(head, phrase)) for head in phrase.heads)


def _opens(phrases: list[Phrase], index: int) -> bool:
    """Whether a phrase begins its sentence."""
    return index == 0 or phrases[index - 1].sentence != phrases[index].sentence


def _refer_by_attribute(phrase: Phrase, before: list[Phrase]) -> None:
    """ "Only nginx is public": the one thing that this was said of."""
    said = [mention for mention in phrase.mentions if mention.category in {"software", "role", "os"}]
    for mention in said:
        owners = [head for other in before if any(_same(mention, own) for own in other.mentions) for head in other.heads]
        if len(owners) == 1:
            phrase.references = owners
            owners[0].repeats.append(mention)
            phrase.mentions = [other for other in phrase.mentions if other is not mention]
            return


def _same(one: Mention, other: Mention) -> bool:
    return (one.category, one.value) == (other.category, other.value)
