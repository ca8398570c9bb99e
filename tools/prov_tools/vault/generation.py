"""Values made here, from the system's randomness: nobody has seen them, not even the model that asked for one."""

import secrets
import string
from collections.abc import Mapping
from typing import Literal

Charset = Literal["letters", "symbols", "digits", "hex"]

_LETTERS = string.ascii_letters + string.digits
CHARSETS: Mapping[Charset, str] = {
    "letters": _LETTERS,
    # Without quotes, backslash, space, $ and the like: what a shell, a URL or a configuration file would read as something else.
    "symbols": _LETTERS + "!#%+-.:=@^_~",
    "digits": string.digits,
    "hex": "0123456789abcdef",
}
"""The characters of each choice; `letters` are letters and digits, about 6 bits each."""

MIN_LENGTH, MAX_LENGTH, LENGTH = 8, 1024, 32


def generated(length: int = LENGTH, charset: Charset = "letters") -> str:
    """A random value."""
    alphabet = CHARSETS[charset]
    return "".join(secrets.choice(alphabet) for _ in range(length))
