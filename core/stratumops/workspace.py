"""The workspace: the folder that a user works in, and the one rule about which of its files may be read.

Every path that comes from a model or a program goes through here: tool arguments, resources and the sandbox's
allow-list. A person's own `--output` or `--from` does not.
"""

import fnmatch
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError

OWN_FOLDER = ".prov"

CONFIG_SUFFIXES = (".ncl", ".json", ".yaml", ".yml", ".toml")

# Lower-case name patterns that are never read, wherever they lie. Dot files and dot folders are refused by rule below.
DENIED_NAMES = (
    "prov.toml",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.gpg", "*.asc", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*",
    "*credential*", "*secret*", "*token*", "*password*", "*service-account*", "*service_account*",
    "*-key.json", "*_key.json", "key.json",
    "*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json", "kubeconfig*",
)  # fmt: skip

# Folders that hold other people's code or generated files; nothing in them is a configuration of this workspace.
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "dist", "build", "target"})

MAX_FILES = 5_000
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 12
UNREADABLE = "check the permissions of the file and of the folders above it"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace by its real path.

    Raises from its methods: InvalidInputError (a path that is no path), PermissionDeniedError (outside, or denied by
    name), NotFoundError (nothing there).
    """

    root: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> "Workspace":
        """The workspace at an existing folder."""
        try:
            root = Path(path).expanduser().resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise NotFoundError(
                f"no such workspace folder: {os.fspath(path)!r}", hint="create it, or name another one with --workspace"
            ) from None
        if not root.is_dir():
            raise InvalidInputError(f"the workspace {str(root)!r} is not a folder", hint="name a folder with --workspace")
        return cls(root)

    @property
    def own(self) -> Path:
        """Where our own files live (`.prov/`); not created by asking."""
        return self.root / OWN_FOLDER

    def make_own(self) -> Path:
        """`.prov/`, created 0700 when it is not there."""
        self.own.mkdir(mode=0o700, exist_ok=True)
        return self.own

    def resolve(self, path: str) -> Path:
        """The real path of a readable configuration file that a caller named, inside the workspace or an error."""
        if "\x00" in path or not path.strip() or len(path) > 4096:
            raise InvalidInputError(f"not a usable path: {path[:80]!r}", hint="give a path inside the workspace")
        try:
            real = (self.root / path).resolve()
            # First of all, and whether or not anything is there, so that a caller learns nothing of the world outside.
            if not real.is_relative_to(self.root):
                raise PermissionDeniedError(
                    f"{path!r} leads outside the workspace", hint="copy the file into the workspace", path=path
                )
            if not self.is_readable(real.relative_to(self.root)):
                raise PermissionDeniedError(
                    f"{path!r} is not a configuration file that tools may read",
                    hint=f"tools read {', '.join(CONFIG_SUFFIXES)} files, but no dot files, keys, credentials or settings",
                    path=path,
                )
            info = real.stat()
        except FileNotFoundError:
            raise NotFoundError(
                f"no such file in the workspace: {path!r}", hint="paths are relative to the workspace folder", path=path
            ) from None
        except (OSError, RuntimeError):
            raise PermissionDeniedError(f"{path!r} cannot be read", hint=UNREADABLE, path=path) from None
        if not stat.S_ISREG(info.st_mode):
            raise InvalidInputError(f"{path!r} is not a regular file", hint="name a file, not a folder or a device", path=path)
        if info.st_size > MAX_FILE_BYTES:
            raise InvalidInputError(
                f"{path!r} has {info.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read",
                hint="split the configuration",
                path=path,
            )
        return real

    def read_text(self, path: str) -> str:
        """The text of a configuration file that a caller named (UTF-8)."""
        real = self.resolve(path)
        try:
            return real.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{path!r} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8", path=path
            ) from None
        except OSError:
            raise PermissionDeniedError(f"{path!r} cannot be read", hint=UNREADABLE, path=path) from None

    @staticmethod
    def is_readable(relative: Path) -> bool:
        """Whether the rule allows reading this path (relative to the root, real, no links left in it)."""
        parts = [part.lower() for part in relative.parts]
        if not parts or any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts):
            return False
        if any(fnmatch.fnmatchcase(part, pattern) for part in parts for pattern in DENIED_NAMES):
            return False
        return parts[-1].endswith(CONFIG_SUFFIXES)

    def readable_files(self) -> list[Path]:
        """Every configuration file that may be read, real paths, sorted; links that lead elsewhere are left out.

        Raises InvalidInputError when there are more than `MAX_FILES`: a sandbox needs a bounded list.
        """
        found: list[Path] = []
        for path in self._walk(self.root, 0):
            found.append(path)
            if len(found) > MAX_FILES:
                raise InvalidInputError(
                    f"the workspace holds more than {MAX_FILES:,} configuration files",
                    hint="choose a smaller folder with --workspace",
                )
        return sorted(found)

    def _walk(self, folder: Path, depth: int) -> Iterator[Path]:
        if depth > MAX_DEPTH:
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            name = entry.name.lower()
            if name.startswith(".") or name in SKIPPED_FOLDERS:
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(path, depth + 1)
            elif entry.is_file(follow_symlinks=False) and self.is_readable(path.relative_to(self.root)):
                yield path
