"""A configuration argument: one type, shared by every tool that takes a configuration."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stratumops.errors import InvalidInputError
from stratumops.workspace import CONFIG_SUFFIXES, Workspace

MAX_TEXT_BYTES = 1 << 20
PASTED = "<config>"
CONVERT_HCL = (
    "convert it to Terraform's JSON form (.tf.json) first, for example `hcl2json main.tf > main.tf.json`, and import that: "
    "`prov import terraform main.tf.json` (`terraform show -json` writes a plan or state, which is something else)"
)


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """What to evaluate: `text` is the program; `name` is how findings call it; `path` is the file it came from, if any.

    `is_nickel` is False for JSON, YAML and TOML files: those Nickel imports, so it reads the file at `path` once more.
    """

    text: str
    name: str = PASTED
    path: Path | None = None

    @property
    def is_nickel(self) -> bool:
        """Whether positions in `text` mean something to Nickel."""
        return self.path is None or self.path.suffix.lower() == ".ncl"


def looks_like_path(text: str) -> bool:
    """A single line that ends in .ncl, .json, .yaml, .yml or .toml is a path; anything else is Nickel text."""
    line = text.strip()
    return "\n" not in line and line.lower().endswith(CONFIG_SUFFIXES) and not line.startswith(("{", "[", "(", "let ", "import "))


def _names_hcl(text: str) -> bool:
    """A single word that ends in .tf."""
    line = text.strip()
    return line.lower().endswith(".tf") and not any(char.isspace() or char in "{}\"'" for char in line)


def read_source(text: str, workspace: Workspace) -> ConfigSource:
    """The configuration that a caller gave as text or as a path.

    Raises NotFoundError (a path to nothing), PermissionDeniedError (a path that may not be read), InvalidInputError (empty, too
    long, holding NUL bytes, or a path to Terraform's HCL, which is not read at all).
    """
    if _names_hcl(text):
        raise InvalidInputError(f"{text.strip()} is written in HCL, which is not read", hint=CONVERT_HCL)
    if looks_like_path(text):
        real = workspace.resolve(text.strip())
        return _checked(
            ConfigSource(workspace.read_text(text.strip()), str(PurePosixPath(real.relative_to(workspace.root))), real)
        )
    return _checked(ConfigSource(text))


def _checked(source: ConfigSource) -> ConfigSource:
    if not source.text.strip():
        raise InvalidInputError(f"{source.name} is empty", hint='a whole configuration: { servers = [{ name = "web" }] }')
    if "\x00" in source.text:
        raise InvalidInputError(f"{source.name} holds a NUL byte at character {source.text.index(chr(0))}", hint="remove it")
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEXT_BYTES:
        raise InvalidInputError(
            f"{source.name} has {size:,} bytes; at most {MAX_TEXT_BYTES:,} are read", hint="split it into files and import them"
        )
    return source
