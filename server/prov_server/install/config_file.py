"""A person's configuration file: read whole, written atomically, backed up, links followed but not replaced."""

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stratumops.errors import ConflictError, InvalidInputError, PermissionDeniedError

MAX_BYTES = 64 << 20
_BACKUP_TRIES = 10_000


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file by the name that its program uses. `within` is a folder that it must not lead out of (a project's)."""

    path: Path
    within: Path | None = None

    def real(self) -> Path:
        """Where the bytes are: links are followed, so that a linked file stays linked.

        Raises InvalidInputError for what is not a regular file, PermissionDeniedError for another user's or one outside.
        """
        try:
            real = self.path.resolve(strict=False)
        except (OSError, RuntimeError):
            raise InvalidInputError(f"{self.path} is a link that leads nowhere", hint="repair or remove the link") from None
        if self.within is not None and not real.is_relative_to(self.within.resolve()):
            raise PermissionDeniedError(f"{self.path} is a link that leads out of the project", hint="replace the link by a file")
        try:
            info = real.stat()
        except FileNotFoundError:
            if self.path.is_symlink() and not real.parent.is_dir():
                raise InvalidInputError(f"{self.path} is a link that leads nowhere", hint="repair or remove the link") from None
            return real
        except OSError as error:
            raise PermissionDeniedError(f"{self.path} cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(info.st_mode):
            raise InvalidInputError(f"{self.path} is not a regular file", hint="move it away and try again")
        if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
            raise PermissionDeniedError(f"{self.path} belongs to another user", hint="run the command as that user")
        return real

    def read(self) -> str | None:
        """The text, line ends as they are, or None when there is no file. Raises InvalidInputError when it is not UTF-8."""
        real = self.real()
        try:
            if real.stat().st_size > MAX_BYTES:
                raise InvalidInputError(f"{self.path} is larger than {MAX_BYTES >> 20} MiB")
            return real.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{self.path} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8; it was left as it is"
            ) from None
        except OSError as error:
            raise PermissionDeniedError(f"{self.path} cannot be read: {error.strerror}") from None

    def backups(self) -> list[Path]:
        """The backups that are there, newest first."""
        real = self.real()
        prefix = f"{real.name}.bak-stratumops-"
        found = {}
        if real.parent.is_dir():
            for path in real.parent.iterdir():
                number = path.name.removeprefix(prefix)
                if path.name.startswith(prefix) and number.isdecimal() and path.is_file() and not path.is_symlink():
                    found[int(number)] = path
        return [found[number] for number in sorted(found, reverse=True)]

    def back_up(self) -> Path | None:
        """Copy the file beside itself, with its mode, as `NAME.bak-stratumops-N` with the next N; None when there is no file."""
        real = self.real()
        if not real.exists():
            return None
        last = next(iter(self.backups()), None)
        number = int(last.name.rpartition("-")[2]) + 1 if last else 1
        mode = stat.S_IMODE(real.stat().st_mode)
        data = real.read_bytes()
        try:
            for candidate in range(number, number + _BACKUP_TRIES):
                path = real.with_name(f"{real.name}.bak-stratumops-{candidate}")
                try:
                    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                except FileExistsError:
                    continue
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                path.chmod(mode)
                return path
        except OSError as error:
            raise PermissionDeniedError(f"no backup can be written beside {self.path}: {error.strerror}") from None
        raise ConflictError(f"there are too many backups beside {self.path}", hint="remove the old ones")

    def replace(self, before: str | None, after: str | None) -> None:
        """Put `after` in the file's place in one step (None removes it), if it still holds `before`.

        The mode stays; a new file and new folders are the person's alone. Raises ConflictError when another program has
        written the file meanwhile, PermissionDeniedError when it cannot be written.
        """
        real = self.real()
        try:
            real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600
            if after is None:
                self._must_hold(before)
                real.unlink(missing_ok=True)
                return
            descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
            fresh = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(after.encode("utf-8"))
                    file.flush()
                    os.fsync(file.fileno())
                fresh.chmod(mode)
                self._must_hold(before)
                fresh.replace(real)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            raise PermissionDeniedError(
                f"{self.path} cannot be written: {error.strerror}", hint="the file was left as it is", file=str(self.path)
            ) from None

    def _must_hold(self, before: str | None) -> None:
        if self.read() != before:
            raise ConflictError(
                f"another program has just changed {self.path}", hint="close the client and try again", file=str(self.path)
            )
