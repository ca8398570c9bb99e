"""Vault's command line writes options with one dash (`-address=...`, `-format=json`, `-dev`); click's have two."""

import re
from collections.abc import Sequence

_ONE_DASH = re.compile(r"-[a-z][a-z0-9]*[a-z0-9-]*(=.*)?", re.DOTALL)


def normalized(argv: Sequence[str]) -> list[str]:
    """The words with two dashes before every long option; what follows `--` stays."""
    words, is_open = [], True
    for word in argv:
        is_open = is_open and word != "--"
        name = word.partition("=")[0]
        if is_open and len(name) > 2 and _ONE_DASH.fullmatch(word):
            word = f"-{word}"  # noqa: PLW2901 - the word in its other spelling
        words.append(word)
    return words
