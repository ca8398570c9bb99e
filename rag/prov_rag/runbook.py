"""What a runbook tells to do: its commands with what their output means, and in an incident's record the cause that was found."""

import re
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SHELL = frozenset({"", "sh", "bash", "shell", "zsh", "console", "shell-session", "sql", "promql"})
_LOOKING = re.compile(r"diagnos|diagnós|troubleshoot|investigat|check|comprob|triage|debug", re.IGNORECASE)
_CAUSE = re.compile(r"root cause|causa ra[ií]z|^cause$|^causa$", re.IGNORECASE)
_MENDING = re.compile(r"^(fix|resolution|remediation|mitigation|solution|soluci[oó]n|resoluci[oó]n|mitigaci[oó]n)", re.IGNORECASE)
_MOST_CHARACTERS = 240
_MOST_COMMAND = 600
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Check:
    """A command to look with, and what the page says of its output (may be empty)."""

    command: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says: commands to look with, the cause that an incident had, the beginning of the way to mend it."""

    checks: tuple[Check, ...]
    cause: str
    fix: str


def told(text: str, *, most: int = 4) -> Told:
    """What a document of markdown tells; `most` commands.

    Commands come from the sections about diagnosis; from all sections but those that mend when there is none.
    """
    sections = _sections(MarkdownIt("commonmark").enable("table").parse(_body(text)))
    looking = [tokens for title, tokens in sections if _LOOKING.search(title)]
    others = [tokens for title, tokens in sections if not _MENDING.search(title)]
    checks = [check for tokens in looking or others for check in _checks(tokens)]
    return Told(
        tuple(checks[:most]),
        next((_first(tokens) for title, tokens in sections if _CAUSE.search(title)), ""),
        next((_first(tokens) for title, tokens in sections if _MENDING.search(title)), ""),
    )


def _body(text: str) -> str:
    return re.sub(r"\A---\n.*?^---\n", "", text, count=1, flags=re.DOTALL | re.MULTILINE)


def _sections(tokens: list[Token]) -> list[tuple[str, list[Token]]]:
    """The parts of level two (and one), each with its title; what stands before the first has none."""
    found: list[tuple[str, list[Token]]] = [("", [])]
    for token, following in pairwise([*tokens, Token("end", "", 0)]):
        if token.type == "heading_open" and token.tag in {"h1", "h2"}:
            found.append((following.content.strip(), []))
        found[-1][1].append(token)
    return found


def _checks(tokens: list[Token]) -> list[Check]:
    found = []
    for at, token in enumerate(tokens):
        if token.type != "fence" or token.info.split(" ")[0].lower() not in _SHELL:
            continue
        command = _PROMPT.sub("", token.content).strip()
        if command and len(command) <= _MOST_COMMAND:
            found.append(Check(command, _after(tokens[at + 1 :])))
    return found


def _after(tokens: list[Token]) -> str:
    """The words that follow a command, before the next one."""
    for token in tokens:
        if token.type in {"fence", "heading_open"}:
            return ""
        if token.type == "inline":
            return _short(token.content)
    return ""


def _first(tokens: list[Token]) -> str:
    inline = [token for at, token in enumerate(tokens) if token.type == "inline" and tokens[at - 1].type != "heading_open"]
    return _short(inline[0].content) if inline else ""


def _short(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= _MOST_CHARACTERS:
        return flat
    cut = flat[:_MOST_CHARACTERS]
    end = max(cut.rfind(". "), cut.rfind("; "))
    return cut[: end + 1] if end > _MOST_CHARACTERS // 3 else cut.rsplit(" ", 1)[0] + " ..."
