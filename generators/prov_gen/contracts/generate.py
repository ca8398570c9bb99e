"""All schema files that are derived from the models."""

from pathlib import Path

import prov_corpus
from prov_gen.contracts.schema import TYPES, kind_file, types_file
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS

FOLDER = Path(prov_corpus.__file__).parent / "nickel" / "schemas"


def generate() -> dict[Path, str]:
    """The text of every derived schema file by its path; `lib.ncl` beside them is written by hand."""
    texts = {FOLDER / f"{kind.name}.ncl": kind_file(kind) for kind in (INFRASTRUCTURE, *KINDS)}
    return {FOLDER / f"{TYPES}.ncl": types_file()} | texts


def write() -> list[Path]:
    """Write the files that changed; answers with their paths."""
    changed = [path for path, text in generate().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    texts = generate()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    return changed
