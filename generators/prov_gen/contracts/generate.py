"""All schema files that are derived from the models."""

from pathlib import Path

import prov_corpus
from prov_gen.contracts.schema import TYPES, kind_file, open_file, types_file
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS

NICKEL = Path(prov_corpus.__file__).parent / "nickel"
FOLDER = NICKEL / "schemas"
OPEN_FOLDER = NICKEL / "open" / "schemas"


def generate() -> dict[Path, str]:
    """The text of every derived schema file by its path; the two `lib.ncl` beside them are written by hand."""
    texts = {f"{TYPES}.ncl": types_file()} | {f"{kind.name}.ncl": kind_file(kind) for kind in (INFRASTRUCTURE, *KINDS)}
    strict = {FOLDER / name: text for name, text in texts.items()}
    return strict | {OPEN_FOLDER / name: open_file(name, text) for name, text in texts.items()}


def write() -> list[Path]:
    """Write the files that changed; answers with their paths."""
    texts = generate()
    changed = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    return changed
