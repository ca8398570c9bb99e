"""Text to tokens. Every token keeps its place in the text, so that nothing said can get lost on the way."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from stratumops.errors import InvalidInputError

MAX_CHARACTERS = 20_000

TokenKind = Literal[
    "word", "number", "quoted", "email", "cidr", "pair", "zone", "sku", "domain", "handle", "image", "punctuation"
]

_SCAN = re.compile(
    r"""
      (?P<quoted>   "[^"\n]{1,300}" | “[^”\n]{1,300}” | «[^»\n]{1,300}» | `[^`\n]{1,300}` | (?<!\w)'[^'\n]{1,300}'(?!\w) )
    | (?P<braces>   [%$\#]*\{[^{}\n]{0,300}\} )
    | (?P<email>    [\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+ )
    | (?P<cidr>     \d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w/])
    |               (?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:/\d{1,3})?(?!\w) )
    | (?P<handle>   vault:[A-Za-z0-9_./-]+\#[A-Za-z0-9_.-]*[A-Za-z0-9_-] )
    | (?P<image>    (?:[a-z0-9][\w.-]*/)+[a-z0-9][\w.-]*:\w[\w.-]*\w
    |               [a-z0-9][\w-]*:(?:v?\d+(?:\.\d+)+(?:-[\w.-]*\w)?|latest|stable|alpine)(?![\w:/]|\.\d) )
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

# What begins a point of a list: a dash or a number in front of a line, or numbers in brackets that count up in the text.
_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*\u2022\u00b7\u2013]|\(?\d{1,2}[.)])(?=[ \t])")
_ENUMERATOR = re.compile(r"(?<![\w(.])\(?(\d{1,2})\)(?=\s)")
_SHORTHAND = re.compile(r"(?i)\bw/(?=\s|\w)")
_SHORT_LINE = 60

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
    for match in _SCAN.finditer(_lay_out(text)):
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
        elif group in {"pair", "handle"}:
            found.append(Token(run, fold(run), start, match.end(), "pair" if group == "pair" else "handle", whole))
        elif group == "image":
            found.extend(_image(run, whole, is_whole, is_word))
        else:
            found.append(Token(run, fold(run), start, match.end(), "word" if run in "$€£&+" else "punctuation", whole))
    return found


def _lay_out(text: str) -> str:
    """The text with the marks of its lists as semicolons, character for character."""
    marks = [match.span() for match in _BULLET.finditer(text)]
    counted = list(_ENUMERATOR.finditer(text))
    if len(counted) > 1 and [int(match[1]) for match in counted] == list(range(1, len(counted) + 1)):
        marks += [match.span() for match in counted]
    at = 0
    for line in text.split("\n")[:-1]:
        at += len(line) + 1
        if len(line) < _SHORT_LINE:
            marks.append((at - 1, at))
    for match in _SHORTHAND.finditer(text):
        text = f"{text[: match.end() - 1]} {text[match.end() :]}"
    for start, end in marks:
        text = f"{text[:start]};{' ' * (end - start - 1)}{text[end:]}"
    return text


def _image(
    run: str, whole: tuple[str, int, int], is_whole: Callable[[str], TokenKind | None], is_word: Callable[[str], bool]
) -> list[Token]:
    """A container image, or a word, a colon and its value ("version:1.34")."""
    if is_whole(fold(run)) == "image":
        return [Token(run, fold(run), whole[1], whole[2], "image", whole)]
    name, _, value = run.partition(":")
    middle = whole[1] + len(name)
    return [
        *_cut(name, (name, whole[1], middle), is_whole, is_word),
        Token(":", ":", middle, middle + 1, "punctuation", (":", middle, middle + 1)),
        *_cut(value, (value, middle + 1, whole[2]), is_whole, is_word),
    ]


def _cut(
    run: str, whole: tuple[str, int, int], is_whole: Callable[[str], TokenKind | None], is_word: Callable[[str], bool]
) -> list[Token]:
    folded = fold(run)
    start = whole[1]
    kind = is_whole(folded)
    if kind is None and "." in folded and _DOMAIN.fullmatch(folded) and not folded.endswith(_NOT_DOMAINS):
        kind = "domain"
    if kind is None and folded.endswith(".js"):
        kind = "word"
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
    if drives := re.fullmatch(r"x(\d{1,5})([a-z]{1,3})", folded):
        middle = start + 1 + len(drives[1])
        return [
            Token(drives[1], drives[1], start + 1, middle, "number", whole),
            Token(drives[2], drives[2], middle, end, "word", whole),
        ]
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
