"""Which imports could hide in a Nickel text, found without evaluating it; made to miss none, not to be exact."""

import re

from prov_gen.nickel.allowlist import Schemas
from prov_gen.nickel.diagnostics import Diagnostic
from prov_gen.nickel.errors import NickelError
from prov_gen.nickel.source import NickelSource

# Every place where Nickel could read the keyword, in strings, interpolations and comments too: a name that merely looks
# like it costs a clear message, a missed one a file.
_IMPORT = re.compile(r"(?<![A-Za-z_])import(?![A-Za-z0-9_])")
_TARGET = re.compile(r"""\s*"([^"\\%]*)"(?!\s*as\b)""")


def foreign_import(text: str, schemas: Schemas) -> int | None:
    """The offset of the first possible import of anything but a shipped schema; None when there is none."""
    for match in _IMPORT.finditer(text):
        target = _TARGET.match(text, match.end())
        if target is None or target.group(1) not in schemas.names:
            return match.start()
    return None


def require_shipped_imports(source: NickelSource, schemas: Schemas) -> None:
    """What stands in for Landlock where there is none: refuse a text in which any other import could hide.

    Imports of the workspace's own files are refused with the rest: what they import could change after a check.
    Raises NickelError (`nickel_import`) with the place.
    """
    offset = foreign_import(source.text, schemas)
    if offset is None:
        return
    column = offset - source.text.rfind("\n", 0, offset)
    raise NickelError(
        [
            Diagnostic(
                "error",
                "nickel_import",
                'this machine has no Landlock, so only the shipped "schemas/NAME.ncl" can be imported',
                ("put the configuration into one file, or run on Linux 5.13 or newer with Landlock enabled",),
                source.name,
                source.text.count("\n", 0, offset) + 1,
                column,
                column + len("import"),
            )
        ]
    )
