"""`python -m prov_server.generate [--check]`: write the derived files again, or only tell which are stale.

Exit code 0 when all are as they should be, 1 when --check found stale ones, else that of the error.
"""

import argparse
import sys
from pathlib import Path

from prov_server.derived.files import README, derived_files, orphans, readme, root
from stratumops.errors import StratumError


def stale(folder: Path) -> dict[Path, str | None]:
    """The derived files below a checkout that are missing or differ, with the text that they should have (None: none at all).

    Raises InvalidInputError when README.md has no place for the tool table.
    """
    texts = derived_files(folder) | _readme(folder)
    changed: dict[Path, str | None] = {path: text for path, text in texts.items() if _read(path) != text}
    return changed | dict.fromkeys(orphans(folder, texts))


def write(folder: Path) -> list[Path]:
    """Write the stale files; answers with their paths. Raises as `stale`, after all other files have been written."""
    texts = derived_files(folder)
    gone = orphans(folder, texts)
    for path in gone:
        path.unlink()
    return [*_write(texts), *gone, *_write(_readme(folder))]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _readme(folder: Path) -> dict[Path, str]:
    path = folder / README
    return {path: readme(_read(path) or "")}


def _write(texts: dict[Path, str]) -> list[Path]:
    changed = [path for path, text in texts.items() if _read(path) != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path], encoding="utf-8")
    return changed


def main(argv: list[str]) -> int:
    """Run it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m prov_server.generate", description="Write the derived files again.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    options = parser.parse_args(argv)
    try:
        folder = root()
        changed = list(stale(folder)) if options.check else write(folder)
    except StratumError as error:
        sys.stderr.write(f"error: {error.message}\n" + (f"  {error.hint}\n" if error.hint else ""))
        return error.exit_code
    for path in changed:
        sys.stdout.write(f"{'stale' if options.check else 'wrote'}: {path.relative_to(folder)}\n")
    return int(options.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
