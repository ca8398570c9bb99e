"""All derived files of the repository, by path: what `python -m prov_server.generate` writes and a test compares."""

from collections.abc import Callable, Collection
from pathlib import Path

from prov_server.derived import commands, documents, findings, reference, svault, tools
from stratumops.errors import InvalidInputError, NotFoundError

REFERENCE = "docs/reference"
README = "README.md"
BEGIN, END = "<!-- tools:begin -->", "<!-- tools:end -->"

PAGES: dict[str, Callable[[], str]] = {
    "tools": tools.tools_page,
    "commands": commands.commands_page,
    "schemas": reference.schemas_page,
    "findings": findings.findings_page,
    "errors": reference.errors_page,
    "settings": reference.settings_page,
    "svault": svault.svault_page,
}
"""The reference pages by name."""


def root() -> Path:
    """The checkout that this package runs from. Raises NotFoundError where it is installed without one."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / "pyproject.toml").is_file():
        raise NotFoundError("the derived files belong to a checkout of the repository", hint="run this in a checkout")
    return folder


def derived_files(folder: Path) -> dict[Path, str]:
    """The text of every derived file but README.md, by its path below a folder: reference pages, schemas, manifests."""
    from prov_gen.contracts.generate import generate as schemas  # noqa: PLC0415 - the heaviest part, needed only here
    from prov_server.install.manifest import derived_files as manifests  # noqa: PLC0415 - as above

    texts = {folder / REFERENCE / f"{name}.md": make() for name, make in PAGES.items()}
    texts |= {folder / documents.FOLDER / name: text for name, text in documents.pages()}
    texts |= {folder / path.relative_to(root()): text for path, text in schemas().items()}
    return texts | {folder / name: text for name, text in manifests().items()}


def orphans(folder: Path, texts: Collection[Path]) -> list[Path]:
    """Derived documents of something that is no longer there."""
    return sorted(path for path in (folder / documents.FOLDER).rglob("*.md") if path not in texts)


def readme(text: str) -> str:
    """README.md with its tool table written again between the marks. Raises InvalidInputError when the marks are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InvalidInputError(
            f"{README} has no marks for the tool table", hint=f"write {BEGIN} and {END} where the table belongs"
        )
    return f"{before}{BEGIN}\n{tools.readme_table()}\n{END}{after}"
