"""Nickel in a sandbox: evaluate texts that nobody has looked at yet, and write values as Nickel.

For others: `Nickel`, `NickelSource`, `Limits`, `Outcome`; `Diagnostic`, `NickelError`, `NickelRunawayError`,
`NickelUnavailableError`; `Position`, `SourceMap`; `nickel_literal`, `nickel_string`, `nickel_key`, `nickel_tag`,
`nickel_number`. All else is private.
"""

from prov_gen.nickel.diagnostics import Diagnostic
from prov_gen.nickel.engine import Nickel, Outcome
from prov_gen.nickel.errors import NickelError, NickelRunawayError, NickelUnavailableError
from prov_gen.nickel.limits import Limits
from prov_gen.nickel.literal import nickel_key, nickel_literal, nickel_number, nickel_string, nickel_tag
from prov_gen.nickel.locate import Position, SourceMap
from prov_gen.nickel.source import NickelSource

__all__ = [
    "Diagnostic",
    "Limits",
    "Nickel",
    "NickelError",
    "NickelRunawayError",
    "NickelSource",
    "NickelUnavailableError",
    "Outcome",
    "Position",
    "SourceMap",
    "nickel_key",
    "nickel_literal",
    "nickel_number",
    "nickel_string",
    "nickel_tag",
]
