"""The workspace: the folder that a user works in, and the one rule about which of its files may be read.

Every path that comes from a model or a program goes through here: tool arguments, resources and the sandbox's
allow-list. A person's own `--output` or `--from` does not.
"""

import fnmatch
import itertools
import os
import re
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError

OWN_FOLDER = ".prov"

CONFIG_SUFFIXES = (".ncl", ".json", ".yaml", ".yml", ".toml")

# Lower-case name patterns that are never read, wherever they lie. Dot files and dot folders are refused by rule below.
DENIED_NAMES = (
    "prov.toml",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "*.gpg", "*.asc", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*",
    "*credential*", "*secret*", "*token*", "*password*", "*service-account*", "*service_account*",
    "*apikey*", "*api-key*", "*api_key*", "keys", "*keys.*", "vault.*", "*.env", "*.env.*",
    "*-key.json", "*_key.json", "key.json",
    "*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json", "kubeconfig*", "*kube-config*",
)  # fmt: skip

# Folders that hold other people's code or generated files; nothing in them is a configuration of this workspace.
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "dist", "build", "target"})

MAX_FILES = 5_000
MAX_VISITED = 50_000
"""Entries of folders that one listing looks at: a home folder can hold millions."""
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 12
SNIFFED_BYTES = 64 * 1024
"""How far into a file a private key is looked for."""
SNIFFED_SUFFIXES = (".json", ".yaml", ".yml", ".toml")
"""Formats in which clouds hand out keys, under any name."""
_PRIVATE_KEY = re.compile(rb'-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----|"private_key"\s{0,20}[:=]')
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
        if root == Path(root.anchor):
            raise InvalidInputError(
                f"{str(root)!r} is the whole machine and no workspace",
                hint="name your project's folder: --workspace FOLDER, or PROV_WORKSPACE in the client's settings",
            )
        return cls(root)

    @property
    def own(self) -> Path:
        """Where our own files live (`.prov/`); not created by asking."""
        return self.root / OWN_FOLDER

    def make_own(self) -> Path:
        """`.prov/`, created 0700 when it is not there. Raises ConflictError when something else has its name."""
        try:
            self.own.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            raise ConflictError(
                f"{self.own} is not a folder", hint="move it away: our own files live in a folder of that name"
            ) from None
        except OSError as error:
            raise PermissionDeniedError(f"{self.own} cannot be made: {error.strerror}", hint=UNREADABLE) from None
        return self.own

    def resolve(self, path: str, *, any_kind: bool = False) -> Path:
        """The real path of a readable configuration file that a caller named, inside the workspace or an error.

        With `any_kind` the file need not be a configuration: for contents that no answer shows, such as what is signed.
        """
        if "\x00" in path or not path.strip() or len(path) > 4096:
            raise InvalidInputError(f"not a usable path: {path[:80]!r}", hint="give a path inside the workspace")
        try:
            real = (self.root / path).resolve()
            # First of all, and whether or not anything is there, so that a caller learns nothing of the world outside.
            if not real.is_relative_to(self.root):
                raise PermissionDeniedError(
                    f"{path!r} leads outside the workspace", hint="copy the file into the workspace", path=path
                )
            if not self.is_readable(real.relative_to(self.root), any_kind=any_kind):
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
        _require_readable(info, path)
        if _holds_private_key(real):
            raise _is_key_file(path)
        return real

    def read_text(self, path: str) -> str:
        """The text of a configuration file that a caller named (UTF-8)."""
        data = self._read(self.resolve(path), path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{path!r} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8", path=path
            ) from None

    def read_bytes(self, path: str) -> bytes:
        """A file of any kind that a caller named, under the same rules but for its ending. Its contents must not be answered."""
        return self._read(self.resolve(path, any_kind=True), path)

    def _read(self, real: Path, path: str) -> bytes:
        """The bytes of a resolved file. What lies at the name may have been exchanged since: what was opened is looked at again.

        A pipe does not make us wait, and a folder on the way that became a link shows in the name that the kernel gives.
        """
        try:
            handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                _require_readable(os.fstat(handle), path)
                if os.readlink(f"/proc/self/fd/{handle}") != os.fspath(real):  # noqa: PTH115 - an exact text is compared
                    raise PermissionDeniedError(f"{path!r} was exchanged while it was read", hint="try again", path=path)
                with os.fdopen(handle, "rb", closefd=False) as file:
                    data = file.read(MAX_FILE_BYTES + 1)
            finally:
                os.close(handle)
        except OSError:
            raise PermissionDeniedError(f"{path!r} cannot be read", hint=UNREADABLE, path=path) from None
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(path, len(data))
        if real.name.lower().endswith(SNIFFED_SUFFIXES) and _PRIVATE_KEY.search(data, 0, SNIFFED_BYTES):
            raise _is_key_file(path)
        return data

    @staticmethod
    def is_readable(relative: Path, *, any_kind: bool = False) -> bool:
        """Whether the rule allows reading this path (relative to the root, real, no links left in it)."""
        parts = [part.lower() for part in relative.parts]
        if not parts or any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts):
            return False
        if any(fnmatch.fnmatchcase(part, pattern) for part in parts for pattern in DENIED_NAMES):
            return False
        return any_kind or parts[-1].endswith(CONFIG_SUFFIXES)

    def readable_files(self, limit: int = MAX_FILES, first: Path | None = None, *, max_visited: int = MAX_VISITED) -> list[Path]:
        """Configuration files that may be read: real paths, sorted, without links, hard links and key files.

        At most `limit` files, after a look at no more than `max_visited` entries of folders; the same disk gives the same
        list. Those below the folder `first` (of the workspace) count first, then those near the root before deeper ones.
        """
        return sorted(self._find(limit, first, max_visited)[0])

    def all_readable_files(self) -> list[Path]:
        """Every configuration file that may be read, sorted. Raises InvalidInputError when there are too many to be sure."""
        found, is_whole = self._find(MAX_FILES, None, MAX_VISITED)
        if not is_whole:
            raise InvalidInputError(
                f"the workspace holds more than {MAX_FILES:,} configuration files or {MAX_VISITED:,} entries",
                hint="choose a smaller folder with --workspace",
            )
        return sorted(found)

    def _find(self, limit: int, first: Path | None, max_visited: int) -> tuple[set[Path], bool]:
        """Files found within the limits, and whether those are all that there are."""
        found: set[Path] = set()
        starts = [self.root]
        if first is not None and first != self.root and first.is_relative_to(self.root):
            starts.insert(0, first)
        visited = 0
        for start in starts:
            for entry in self._entries(start):
                visited += 1
                if visited > max_visited:
                    return found, False
                if not entry.name.lower().endswith(CONFIG_SUFFIXES) or not _is_file(entry):
                    continue
                path = Path(entry.path)
                if path not in found and self.is_readable(path.relative_to(self.root)):
                    if _holds_private_key(path):
                        continue
                    if len(found) >= limit:
                        return found, False
                    found.add(path)
        return found, True

    def _entries(self, start: Path) -> Iterator[os.DirEntry[str]]:
        """What lies below a folder, breadth first and by name; hidden and foreign folders are not entered."""
        above = len(self.root.parts)
        waiting: deque[str] = deque([os.fspath(start)])
        while waiting:
            folder = waiting.popleft()
            is_deepest = len(Path(folder).parts) - above >= MAX_DEPTH
            for entry in _listed(folder):
                yield entry
                name = entry.name.lower()
                if not is_deepest and not name.startswith(".") and name not in SKIPPED_FOLDERS and _is_folder(entry):
                    waiting.append(entry.path)


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            # One folder can hold more than a whole listing may look at; which of them come first is then the disk's affair.
            return sorted(itertools.islice(entries, MAX_VISITED + 1), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """A regular file under this name alone."""
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_nlink == 1
    except OSError:
        return False


def _holds_private_key(path: Path) -> bool:
    """Whether a file holds a private key near its start. One that cannot be read is left to whoever opens it."""
    if not path.name.lower().endswith(SNIFFED_SUFFIXES):
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _PRIVATE_KEY.search(os.read(handle, SNIFFED_BYTES)) is not None
        finally:
            os.close(handle)
    except OSError:
        return False


def _is_key_file(path: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        f"{path!r} holds a private key and is not a configuration that tools may read",
        hint="keep keys out of configurations, and name where they are instead",
        path=path,
    )


def _require_readable(info: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise InvalidInputError(f"{path!r} is not a regular file", hint="name a file, not a folder or a device", path=path)
    if info.st_nlink > 1:
        # A second name for a key or a token would pass the rule about names.
        raise PermissionDeniedError(
            f"{path!r} has another name as well (a hard link), so its name does not say what it is",
            hint="make it a file of its own: copy it, remove the link, and give the copy its name",
            path=path,
        )
    if info.st_size > MAX_FILE_BYTES:
        raise _too_large(path, info.st_size)


def _too_large(path: str, size: int) -> InvalidInputError:
    return InvalidInputError(
        f"{path!r} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read", hint="split the configuration", path=path
    )
