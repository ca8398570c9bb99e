"""Changed fields of a configuration, written into the text that somebody wrote: their comments, order and names stay.

For others: `Edit`, `Edited`, `edit_config`, `changed`. All else is private.
"""

from prov_gen.edit.change import Edit, changed
from prov_gen.edit.text import Edited, edit_config

__all__ = ["Edit", "Edited", "changed", "edit_config"]
