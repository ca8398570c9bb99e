"""Secrets that are known by their looks, whoever issued them: tokens with a prefix, private keys, passwords in addresses.

Patterns begin with plain characters, which is what makes searching for them quick.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORD = r"[A-Za-z0-9_-]"
_QUOTED = r"[\"'\\]{0,8}"
_GAP = r"(?: |%20|\+)"
"""A space, also in an address."""
_PRIVATE_KEY = rf"(?:[A-Z0-9]{{1,20}}{_GAP}){{0,4}}PRIVATE{_GAP}KEY(?:{_GAP}BLOCK)?-----"


class _Rule(NamedTuple):
    """`signs` are texts of which one must occur, the shorter the quicker. Group 1 is what is hidden, else the whole match."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(pattern: str, *signs: str, flags: int = 0) -> _Rule:
    return _Rule(signs, re.compile(pattern, flags))


RULES = (
    _rule(rf"hv[sbr]\.{_WORD}{{20,}}", "."),
    # `s.` and 24 characters: what OpenBao issues, and Vault before 1.10
    _rule(r"\.(?<=[sbr]\.)(?<![A-Za-z0-9_.-][sbr]\.)([A-Za-z0-9]{24})(?![A-Za-z0-9])", "."),
    _rule(rf"eyJ{_WORD}{{8,}}\.{_WORD}{{8,}}\.{_WORD}{{16,}}", "."),
    _rule(r"A(?:KI|SI)A[A-Z0-9]{16}(?![A-Za-z0-9])", "A"),
    _rule(rf"AIza{_WORD}{{35}}", "A"),
    _rule(r"AGE-SECRET-KEY-1[0-9A-Z]{58}", "-"),
    _rule(rf"-----BEGIN{_GAP}{_PRIVATE_KEY}(?:.*?-----END{_GAP}{_PRIVATE_KEY}|.*)", "-", flags=re.DOTALL),
    _rule(rf"gl(?:pat|ptt|rt|dt|cbt|soat)-{_WORD}{{20,}}", "-"),
    _rule(r"xox[abceoprs]-[A-Za-z0-9-]{10,}", "-"),
    _rule(rf"sk-{_WORD}{{32,}}", "-"),
    _rule(rf"pypi-{_WORD}{{50,}}", "-"),
    _rule(r"gh[pousr]_[A-Za-z0-9]{36,}", "_"),
    _rule(r"github_pat_[A-Za-z0-9_]{22,}", "_"),
    _rule(r"k_(?:live|test)_[A-Za-z0-9]{16,}", "_"),
    _rule(r"do[opr]_v1_[a-f0-9]{64}", "_"),
    _rule(r"npm_[A-Za-z0-9]{36}", "_"),
    _rule(r"AccountKey=([A-Za-z0-9+/]{80,}={0,2})", "="),
    _rule(r"://[^\s/:@\"'<>]{0,256}:([^\s/@\"'<>]{1,256})@", "@"),
    _rule(
        rf"secret_?access_?key{_QUOTED}\s{{0,8}}[:=]\s{{0,8}}{_QUOTED}([A-Za-z0-9/+=]{{40}})(?![A-Za-z0-9/+=])",
        "ccess",
        "CCESS",
        flags=re.IGNORECASE,
    ),
    _rule(rf"bearer {_QUOTED}([A-Za-z0-9._~+/-]{{16,}}=*)", "earer ", "EARER ", flags=re.IGNORECASE),
    _rule(
        rf"vault-token{_QUOTED}\s{{0,4}}[:=]?\s{{0,4}}{_QUOTED}([A-Za-z0-9._~+/-]{{16,}})",
        "ault-",
        "AULT-",
        flags=re.IGNORECASE,
    ),
)


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where such secrets stand in a text."""
    for rule in RULES:
        if any(sign in text for sign in rule.signs):
            for match in rule.pattern.finditer(text):
                yield match.span(1) if rule.pattern.groups else match.span()
