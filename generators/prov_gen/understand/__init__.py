"""Words to model: an English or Spanish description becomes a configuration, without any language model.

Others use `understand` and the records it answers with. The way of the words: `tokens` (text with offsets), `lexicon` (the
words, in TOML beside it), `mentions` (numbers, sizes, places, names), `heads` (the things, also implied, counted, pointed at),
`clauses` (which word belongs to which thing), and one builder per kind of thing. Whatever is not understood is listed, never
dropped; a quantity that two things could have is listed with the choice.
"""

from prov_gen.understand.pipeline import understand
from prov_gen.understand.result import Assumption, Fact, Understanding, Unplaced

__all__ = ["Assumption", "Fact", "Understanding", "Unplaced", "understand"]
