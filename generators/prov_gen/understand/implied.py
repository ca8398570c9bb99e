"""Things that are named without their word: "two small and one large", "another", an operating system, a disk."""

from prov_gen.understand.applicability import accepts
from prov_gen.understand.mentions import Mention
from prov_gen.understand.parts import PARTS
from prov_gen.understand.phrases import Head, Phrase

_TELLING = frozenset({"size", "sku", "role", "os", "flag"})
_OF_SERVERS = frozenset({"sku", "role", "os", "software"})


def imply(phrases: list[Phrase]) -> None:
    """Add the heads that a number, a role or a size stands for, phrase by phrase."""
    for index, phrase in enumerate(phrases):
        if phrase.heads:
            continue
        count = phrase.count()
        if count and _more(phrases, index, count):
            continue
        if _titles(phrase, phrases[index + 1] if index + 1 < len(phrases) else None):
            phrase.mentions = [mention for mention in phrase.mentions if mention.category != "role"]
            continue
        if count and phrase.content()[0] is not count and phrase.content()[0].category in {"flag", "schedule"}:
            count = None  # "backups 14"
        categories = {mention.category for mention in phrase.content()}
        following = phrases[index + 1] if index + 1 < len(phrases) else None
        next_head = following.heads[0] if following and following.heads and following.joins else None
        roles_differ = next_head is not None and "role" in categories and any(m.category == "role" for m in _mentions(following))
        own = [mention for mention in phrase.content() if mention.category in _TELLING]
        if next_head is not None and next_head.kind == "subnet" and _is_tier(phrase):
            phrase.heads.append(Head("subnet", own[:1], index, phrase.sentence, implied=True))
            continue
        if next_head is not None and not all(accepts(next_head.kind, mention) for mention in own):
            next_head = None  # "3 public subnets and 3 private, and a NAT gateway"
        if next_head is not None and following is not None and not roles_differ and next_head.count is None and count:
            following.mentions[:0] = phrase.mentions
            next_head.count = count.value
            next_head.mentions.insert(0, count)
            phrase.mentions = []
        elif next_head is not None and (roles_differ or (count and categories & _TELLING)):
            _add_head(phrase, index, next_head.kind, count)
        elif (
            count
            and (count.language != "any" or categories & _TELLING or (phrase.joins and _places_next(following)))
            and (before := _head_before(phrases, index))
        ):
            alone = categories <= {"number"} and not _places_next(following)
            if phrase.joins and not alone and (categories & (_TELLING | {"place", "zone"}) or categories <= {"number"}):
                _add_head(phrase, index, before.kind, count)
            elif categories & _OF_SERVERS:
                _add_head(phrase, index, "server", count)
        elif count and count.value == 1 and _stands_on_servers(following):
            continue
        elif (count and categories & _OF_SERVERS) or ("sku" in categories and not any(p.heads for p in phrases)):
            _add_head(phrase, index, "server", count)


def _more(phrases: list[Phrase], index: int, count: Mention) -> bool:
    """Add what "2 of them" or "another" stands for; False where it stands for nothing."""
    before = _named_before(phrases, index) if _is_more(phrases[index], count) else None
    if before is None:
        return False
    if before.count is None and not count.implies:
        before.count = count.value
        before.mentions.append(count)
        phrases[index].references = [before]
    else:
        _add_head(phrases[index], index, before.kind, count)
    return True


def _is_more(phrase: Phrase, count: Mention) -> bool:
    """ "2 of them", "another one": more of what was named before."""
    if count.implies.get("another"):
        return phrase.content() == [count] or all(mention.category in _TELLING for mention in phrase.content()[1:])
    following = [mention for mention in phrase.mentions if mention.start >= count.end]
    return len(following) > 1 and following[0].is_cue("of") and following[1].category == "stop"


def _named_before(phrases: list[Phrase], index: int) -> Head | None:
    said = any(mention.category in _TELLING for mention in phrases[index].content())
    return (_head_before(phrases, index) if said else None) or _last_head(phrases, index)


def _last_head(phrases: list[Phrase], index: int) -> Head | None:
    """The last thing before that is no part of another."""
    heads = [head for phrase in phrases[:index] for head in phrase.heads]
    return next((head for head in reversed(heads) if head.kind not in PARTS), heads[-1] if heads else None)


def _is_tier(phrase: Phrase) -> bool:
    """ "Public and private subnets": a tier alone."""
    content = phrase.content()
    return len(content) == 1 and content[0].category == "flag" and content[0].value in {"public", "private"}


def _titles(phrase: Phrase, following: Phrase | None) -> bool:
    """ "A small dev environment: ..." is a title, not a thing."""
    if following is None or following.lead != [":"]:
        return False
    count, counted = phrase.content()[0] if phrase.content() else None, following.count()
    is_article = count is not None and count.category == "number" and count.language != "any"
    return any(m.category == "environment" for m in phrase.mentions) or (is_article and counted is not None)


def _stands_on_servers(phrase: Phrase | None) -> bool:
    """ "A website on three servers": the next phrase names the servers that the role is of."""
    heads = phrase.heads if phrase and phrase.lead and phrase.lead[-1] in {"in", "with"} else []
    return any(head.kind in {"server", "bucket"} for head in heads)


def _mentions(phrase: Phrase | None) -> list[Mention]:
    return phrase.mentions if phrase else []


def _places_next(phrase: Phrase | None) -> bool:
    return phrase is not None and any(
        mention.category in {"place", "zone", "provider", "environment", "os"} for mention in phrase.mentions
    )


def _head_before(phrases: list[Phrase], index: int) -> Head | None:
    """The last head of the sentence that everything in the phrase can be said of."""
    said = [mention for mention in phrases[index].content() if mention.category in _TELLING]
    found: list[Head] = []
    for phrase in reversed(phrases[:index]):
        if phrase.sentence != phrases[index].sentence:
            break
        found += [head for head in reversed(phrase.heads) if all(accepts(head.kind, mention) for mention in said)]
    announced = [head for head in found if head.implied]
    return announced[0] if announced and found[0].kind != announced[0].kind else found[0] if found else None


def _add_head(phrase: Phrase, index: int, kind: str, count: Mention | None) -> None:
    named = count or phrase.content()[0]
    phrase.heads.append(Head(kind, [named], index, phrase.sentence, count=count.value if count else None, implied=True))


def imply_server(phrases: list[Phrase]) -> None:
    """An operating system, or cores and memory, that belong to nothing are a server's."""
    for index, phrase in enumerate(phrases):
        said = next((mention for mention in phrase.mentions if mention.category in {"os", "cpu"}), None)
        if said is not None:
            phrase.heads.append(Head("server", [said], index, phrase.sentence, implied=True))
            return


def imply_volume(phrases: list[Phrase]) -> None:
    """A disk that belongs to nothing is a volume."""
    for index, phrase in enumerate(phrases):
        disk = next((mention for mention in phrase.mentions if is_disk(mention)), None)
        if disk is not None:
            phrase.heads.append(Head("volume", [disk], index, phrase.sentence, implied=True))
            return


def is_disk(mention: Mention) -> bool:
    """Whether it is a disk, with a size or without."""
    return mention.category == "disk" or (mention.category == "noun" and mention.value == "disk")
