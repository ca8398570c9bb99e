"""A configuration as a person names it: text, `-` for stdin, or a path from where the person stands."""

import os
import re
import sys
from pathlib import Path

from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.workspace import CONFIG_SUFFIXES, Workspace

STDIN = "-"
HCL_SUFFIX = ".tf"
MAX_STDIN_BYTES = 4 << 20

_NAME = re.compile(r"[\w.~-]*/[\w./~-]*|[A-Za-z_][\w-]*\.[A-Za-z]\w*")


def read_argument(text: str, workspace: Workspace) -> str:
    """What the tool gets: text stays text, stdin becomes text, a path becomes a path inside the workspace.

    Raises InvalidInputError (stdin is no UTF-8 text, a file that is no configuration), PermissionDeniedError (a path outside
    the workspace).
    """
    if text == STDIN:
        return _stdin()
    line = text.strip()
    if not line or "\n" in line or "\x00" in line or len(line) > 4096 or line.startswith(("{", "[", "(", '"', "let ", "import ")):
        return text
    if line.lower().endswith(HCL_SUFFIX):
        return text  # whoever takes Terraform says what to give instead
    is_path = line.lower().endswith(CONFIG_SUFFIXES)
    here = Path(line).expanduser()
    if here.is_dir():
        raise InvalidInputError(f"{line} is a folder", hint="name a file in it, such as main.ncl", path=line)
    if not is_path:
        if here.is_file():
            raise InvalidInputError(
                f"{line} is not a configuration file: its name does not end in {', '.join(CONFIG_SUFFIXES)}",
                hint=f"to read it all the same: `prov ... - < {line}`",
                path=line,
            )
        if _looks_like_a_name(line):
            raise NotFoundError(
                f"{line!r} is neither a configuration file nor a configuration",
                hint=f"give a path that ends in {', '.join(CONFIG_SUFFIXES)}, Nickel text in quotes, or - for stdin",
            )
        return text
    return _inside(line, here, workspace)


def _looks_like_a_name(line: str) -> bool:
    """A path, or a name with a suffix: no configuration is written so, and a mistyped path should be called one."""
    return _NAME.fullmatch(line) is not None


def _inside(line: str, here: Path, workspace: Workspace) -> str:
    """A path that exists where the person stands, relative to the workspace; any other is left to the workspace's rule."""
    if not here.exists():
        return line
    real = here.resolve()
    if real.is_relative_to(workspace.root):
        # The path as written, not as resolved: the workspace's rule about links applies to it.
        return os.path.relpath(Path(os.path.abspath(here)), workspace.root) if here.is_absolute() else _relative(here, workspace)  # noqa: PTH100 - resolve() would follow links
    from_root = workspace.root / line
    if from_root.exists() and from_root.resolve().is_relative_to(workspace.root):
        return line
    raise PermissionDeniedError(
        f"{line} lies outside the workspace {workspace.root}",
        hint=f"name its folder as the workspace: `prov --workspace {real.parent} ... {real.name}`",
        path=line,
    )


def _relative(here: Path, workspace: Workspace) -> str:
    return os.path.relpath(Path.cwd() / here, workspace.root)


def _stdin() -> str:
    if sys.stdin.isatty():
        sys.stderr.write("reading the configuration from the terminal; end it with Ctrl-D\n")
    data = sys.stdin.buffer.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        raise InvalidInputError(f"stdin has more than {MAX_STDIN_BYTES:,} bytes", hint="split the configuration into files")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"stdin is not UTF-8 text (byte {error.start})", hint="convert it to UTF-8") from None
