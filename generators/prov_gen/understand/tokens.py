"""Text to tokens. Every token keeps its place in the text, so that nothing said can get lost on the way."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stratumops.errors import InvalidInputError

MAX_CHARACTERS = 20_000

TokenKind = Literal["word", "number", "quoted", "email", "cidr", "pair", "zone", "sku", "domain", "punctuation"]

_SCAN = re.compile(
    r"""
      (?P<quoted>   "[^"\n]{1,300}" | “[^”\n]{1,300}” | «[^»\n]{1,300}» | `[^`\n]{1,300}` | (?<!\w)'[^'\n]{1,300}'(?!\w) )
    | (?P<braces>   [%$\#]*\{[^{}\n]{0,300}\} )
    | (?P<email>    [\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+ )
    | (?P<cidr>     \d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w/])
    |               (?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:/\d{1,3})?(?!\w) )
    | (?P<pair>     [^\W\d][\w./-]*=(?:"[^"\n]*"|[\w@/+-]+(?:[.:][\w@/+-]+)*) )
    | (?P<run>      [^\W_]+(?:['\u2019._+/-][^\W_]+)* )
    | (?P<other>    \S )
    """,
    re.VERBOSE,
)
_PIECE = re.compile(r"v\d+(?:\.\d+)*$|\d+(?:[.,]\d+)*|[^\W\d_][^\W_]*(?:['\u2019][^\W\d_]+)?|\S")
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_GLUED = re.compile(r"([^\W\d_]{2,})(\d+(?:\.\d+)*)")
_TIMES = re.compile(r"x(\d{1,3})")

# Endings that make a dotted word something else than a domain.
_NOT_DOMAINS = (".js", ".ncl", ".json", ".yaml", ".yml", ".toml", ".md", ".py", ".sh")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text. `folded` has neither case nor accents; `word` is the run it was cut from (text, start, end)."""

    text: str
    folded: str
    start: int
    end: int
    kind: TokenKind
    word: tuple[str, int, int]


def fold(text: str) -> str:
    """The text without case and accents."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character)).replace("\u2019", "'")


def check(description: str) -> None:
    """Raises InvalidInputError when the description is empty, too long, or no text."""
    if not isinstance(description, str):
        raise InvalidInputError("the description is not text", hint='describe it in words: "two web servers on AWS"')
    if len(description) > MAX_CHARACTERS:
        raise InvalidInputError(
            f"the description has {len(description):,} characters; at most {MAX_CHARACTERS:,} are read",
            hint="describe the infrastructure in a few sentences",
        )
    for at, character in enumerate(description):
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t":
            raise InvalidInputError(
                f"the description holds a control character (U+{ord(character):04X}) at character {at + 1}",
                hint="send plain text",
                offset=at,
            )
    if not description.strip():
        raise InvalidInputError(
            "the description is empty",
            hint='describe what you need, such as "a 3-node Kubernetes cluster with Cilium on UpCloud"',
        )


def tokenize(text: str, *, is_whole: Callable[[str], TokenKind | None], is_word: Callable[[str], bool]) -> list[Token]:
    """The tokens of a text. `is_whole` knows technical words with signs inside (regions, SKUs), `is_word` the lexicon's."""
    found: list[Token] = []
    for match in _SCAN.finditer(text):
        group, start = match.lastgroup or "other", match.start()
        run = match.group()
        whole = (run, start, match.end())
        if group == "run":
            found.extend(_cut(run, whole, is_whole, is_word))
        elif group in {"quoted", "braces"}:
            found.append(Token(run, fold(run), start, match.end(), "quoted", whole))
        elif group == "email":
            found.append(Token(run, fold(run), start, match.end(), "email", whole))
        elif group == "cidr" and (run.strip(":") or "/" in run):
            found.append(Token(run, fold(run), start, match.end(), "cidr", whole))
        elif group == "pair":
            found.append(Token(run, fold(run), start, match.end(), "pair", whole))
        else:
            found.append(Token(run, fold(run), start, match.end(), "word" if run in "$€£&+" else "punctuation", whole))
    return found


def _cut(
    run: str, whole: tuple[str, int, int], is_whole: Callable[[str], TokenKind | None], is_word: Callable[[str], bool]
) -> list[Token]:
    folded = fold(run)
    start = whole[1]
    kind = is_whole(folded)
    if kind is None and "." in folded and _DOMAIN.fullmatch(folded) and not folded.endswith(_NOT_DOMAINS):
        kind = "domain"
    if kind is not None:
        return [Token(run, folded, start, whole[2], kind, whole)]
    pieces: list[Token] = []
    for piece in _PIECE.finditer(run):
        if piece.group() in "-_.'\u2019" and not (run[: piece.start()][-1:].isdecimal() and run[piece.end() :][:1].isdecimal()):
            continue
        pieces.extend(_piece(piece.group(), start + piece.start(), whole, is_whole, is_word))
    return pieces


def _piece(
    text: str,
    start: int,
    whole: tuple[str, int, int],
    is_whole: Callable[[str], TokenKind | None],
    is_word: Callable[[str], bool],
) -> list[Token]:
    folded = fold(text)
    end = start + len(text)
    if not text[0].isalnum():
        return [Token(text, folded, start, end, "punctuation", whole)]
    if (kind := is_whole(folded)) is not None:
        return [Token(text, folded, start, end, kind, whole)]
    if text[0].isdecimal():
        return [Token(text, folded, start, end, "number", whole)]
    if is_word(folded):
        return [Token(text, folded, start, end, "word", whole)]
    if times := _TIMES.fullmatch(folded):
        return [Token(text, times[1], start, end, "number", whole)]
    if re.fullmatch(r"v\d+(\.\d+)*", folded):
        return [Token(text, folded[1:], start, end, "number", whole)]
    if (glued := _GLUED.fullmatch(text)) and is_word(fold(glued[1])):
        middle = start + len(glued[1])
        return [
            Token(glued[1], fold(glued[1]), start, middle, "word", whole),
            Token(glued[2], glued[2], middle, end, "number", whole),
        ]
    return [Token(text, folded, start, end, "word", whole)]
