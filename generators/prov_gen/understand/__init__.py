"""Words to model: an English or Spanish description becomes a configuration, without any language model.

Others use `understand` and the records it answers with. The way of the words: `tokens` (text with offsets), `lexicon` (the
words, in TOML beside it), `mentions` (numbers, sizes, places, names), `clauses` (which word belongs to which thing), and one
builder per kind of thing. Whatever is not understood is listed, never dropped.
"""

from prov_gen.understand.pipeline import understand
from prov_gen.understand.result import Assumption, Fact, Understanding, Unplaced

__all__ = ["Assumption", "Fact", "Understanding", "Unplaced", "understand"]
