"""Which environments people depend on, by what they are called."""

import re

PRODUCTION = frozenset({"production", "prod", "live", "prd", "produccion", "producción"})
"""Words of an environment's name that mean production, in lower case."""

OTHERS = frozenset(
    {
        *("staging", "stage", "stg", "preprod", "preproduction", "nonprod", "nonproduction", "uat", "acceptance", "qa"),
        *("development", "develop", "dev", "test", "testing", "tests", "sandbox", "demo", "preview", "review", "lab", "training"),
        *("integration", "int", "ci", "experimental", "playground", "desarrollo", "pruebas", "preproduccion", "preproducción"),
    }
)
"""Words that mean something else."""

_NEGATING = frozenset({"pre", "non", "not", "no"})
_WORDS = re.compile(r"[^\W\d_]+")


def is_production(name: str) -> bool:
    """Whether an environment is production: `prod`, `prod-eu` and `Production EU` are, `pre-production` is not."""
    words = set(_WORDS.findall(name.casefold()))
    return bool(words & PRODUCTION) and not words & _NEGATING


def is_known(name: str) -> bool:
    """Whether an environment's name says at all whether it is production."""
    return bool(set(_WORDS.findall(name.casefold())) & (PRODUCTION | OTHERS))
