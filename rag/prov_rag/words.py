"""Text as words to be found: names split where people would, and the language somebody writes in."""

import re
import unicodedata

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^\w]+|_+")
_WORD = re.compile(r"\w+")
_SMALL_WORDS = {
    "es": """el la los las un una unos unas del al que qué en por para con sin se está están ha han lo su sus como cómo más pero
        cuando cuándo hay porque desde no es son fue y o de mi me tras sobre entre hasta ya muy este esta estos estas ese esa""",
    "en": """a an the of is are was were be been has have had in on at to for from with by and or not this that it its as will may
        can more than over last which there no if""",
    # These also stand in English text or in names ("no space", "de", "me", "es"), so alone they tell no language.
    "either": "no me de y o es son a ha en al con se lo su la sin mi",
}
_SPANISH, _ENGLISH, _AMBIGUOUS = (frozenset(text.split()) for text in _SMALL_WORDS.values())
_ACCENT = re.compile(r"[áéíóúüñ¿¡]", re.IGNORECASE)


def split_humps(text: str) -> str:
    """`KubeNodeNotReady` as `Kube Node Not Ready`; other text as it is."""
    return _HUMP.sub(" ", text)


def words(text: str) -> list[str]:
    """Lower-case words, names in camel case and snake case both split and whole (`fooBar_baz`: foo, bar, baz and foobar_baz)."""
    found: list[str] = []
    for token in re.findall(r"[\w]+", text):
        parts = [part.lower() for part in _NOT_WORD.split(split_humps(token)) if part]
        found += parts
        if len(parts) > 1:
            found.append("".join(parts))
    return found


def without_accents(text: str) -> str:
    """The text without combining marks ("instalación" is "instalacion")."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def is_spanish(text: str) -> bool:
    """Whether a question or a document seems to be written in Spanish; short and unclear text counts as English."""
    tokens = _WORD.findall(text.lower())
    hits = [token for token in tokens if token in _SPANISH]
    clear = sum(token not in _AMBIGUOUS for token in hits)
    if _ACCENT.search(text):
        return bool(hits) or len(tokens) <= 6
    return clear >= 1 and len(hits) >= 2 and len(hits) >= len(tokens) * 0.2


def telling(query: str, *, spanish: bool = False) -> list[str]:
    """The words of a question that can tell one document from another: each once, without the small words of its language."""
    small = _SPANISH if spanish else _ENGLISH
    return list(dict.fromkeys(word for word in words(query) if word not in small))
