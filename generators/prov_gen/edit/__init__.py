"""Changed fields of a configuration, written into the text that somebody wrote: their comments, order and names stay.

For others: `Edit`, `Edited`, `edit_in_place`, `write_anew`, `changed`, `CannotEditError`, `REVEALING`. All else is private.
"""

from prov_gen.edit.change import CannotEditError, Edit, changed
from prov_gen.edit.text import REVEALING, Edited, edit_in_place, write_anew

__all__ = ["REVEALING", "CannotEditError", "Edit", "Edited", "changed", "edit_in_place", "write_anew"]
