"""Where a workspace keeps prices of its own: `.prov/prices/`, for its owner only (0700, files 0600)."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from prov_corpus import PROVIDERS
from prov_judge.prices.book import PriceBook
from prov_judge.prices.overlay import as_text, read_overlay
from prov_judge.prices.price import Origin
from prov_judge.prices.row import PriceRow
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.workspace import Workspace

FOLDER = "prices"


def folder(workspace: Workspace, *, make: bool = False) -> Path:
    """The folder of the workspace's own prices; made when asked. Raises ConflictError or PermissionDeniedError."""
    path = workspace.own / FOLDER
    if make:
        workspace.make_own()
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except FileExistsError:
            raise ConflictError(f"{path} is not a folder", hint="move it away: prices are kept in a folder there") from None
        except OSError as error:
            raise PermissionDeniedError(f"{path} cannot be made: {error.strerror}", hint="check its folder's mode") from None
    return path


def negotiated_path(workspace: Workspace) -> Path:
    """The file of negotiated prices."""
    return folder(workspace) / "negotiated.csv"


def updated_path(workspace: Workspace, provider: str) -> Path:
    """The file of a provider's list prices that were fetched."""
    return folder(workspace) / f"updated-{provider}.csv"


def partial_path(workspace: Workspace, provider: str) -> Path:
    """What an interrupted update left."""
    return folder(workspace) / f"partial-{provider}.json"


def own_paths(workspace: Workspace) -> list[Path]:
    """The files that a book is made of, whether they are there or not."""
    return [*(updated_path(workspace, provider) for provider in PROVIDERS), negotiated_path(workspace)]


@contextlib.contextmanager
def changing(workspace: Workspace) -> Iterator[None]:
    """Make the folder, and let nobody else change the prices in it meanwhile: of two at once the second waits.

    Raises ConflictError or PermissionDeniedError.
    """
    path = folder(workspace, make=True)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be read: {error.strerror}", hint="check its folder's mode") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def load_book(workspace: Workspace) -> PriceBook:
    """The shipped lists, with updated prices over them and negotiated ones over both.

    Raises InvalidInputError for a file of the workspace's own that is damaged or cannot be read, with the way to be rid of it.
    """
    book = PriceBook.shipped()
    for provider in PROVIDERS:
        rows = _read_own(updated_path(workspace, provider), "updated", f"--updated {provider}")
        book = book.with_rows(rows) if rows else book
    rows = _read_own(negotiated_path(workspace), "negotiated", "--negotiated")
    return book.with_rows(rows) if rows else book


def read_negotiated(workspace: Workspace) -> list[PriceRow]:
    """The negotiated prices of the workspace; [] when there are none. Raises as `load_book`."""
    return _read_own(negotiated_path(workspace), "negotiated", "--negotiated")


def write_rows(path: Path, rows: Iterable[PriceRow]) -> None:
    """Write prices to one of the workspace's files, in one step; its folder is there. Raises PermissionDeniedError."""
    replace_private(path, as_text(rows))


def replace_private(path: Path, text: str) -> None:
    """Write a file (0600) by way of a new one beside it: a reader sees the old text or the new. Raises PermissionDeniedError."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be written: {error.strerror}", hint="check its folder and the disk") from None


def _read_own(path: Path, origin: Origin, words: str) -> list[PriceRow]:
    if not path.exists():
        return []
    try:
        return read_overlay(path, origin)
    except NotFoundError:
        return []  # forgotten in this moment
    except (InvalidInputError, PermissionDeniedError) as error:
        raise InvalidInputError(
            f"the workspace's own prices are damaged: {error.message}",
            hint=f"correct {path}, or remove it with `prov prices forget {words}`",
            **error.details,
        ) from None
