"""The paths of secrets as clients write them. A path that passes here is also a legal part of a storage key, unchanged."""

from svault.errors import BadRequestError, NotFoundError

PATH_BYTES = 850
"""What a path may have in UTF-8, so that it stays below storage's 1,024 bytes with what an engine puts around it."""


def secret_path(path: str) -> str:
    """A path to read. Raises NotFoundError for one that ends in `/`, BadRequestError for one that no secret can have."""
    if not path or path[-1] == "/":
        raise NotFoundError
    return _legal(path)


def written_path(path: str) -> str:
    """A path to write. Raises BadRequestError."""
    if not path or path[-1] == "/":
        raise BadRequestError("cannot write to a path ending in '/'")
    return _legal(path)


def folder_path(path: str) -> str:
    """A folder to list: empty, or ending in `/`. Raises BadRequestError."""
    name = path.removesuffix("/")
    return _legal(name) + "/" if name else ""


def page(names: list[str], after: str, limit: int) -> list[str]:
    """The names behind `after`, at most `limit` of them when that is positive: a page of OpenBao's lists."""
    behind = [name for name in names if name > after]
    return behind[:limit] if limit > 0 else behind


def _legal(path: str) -> str:
    if not path.isprintable():
        raise BadRequestError("the path has characters that cannot be printed")
    if len(path) * 4 > PATH_BYTES and len(path.encode()) > PATH_BYTES:
        raise BadRequestError(f"the path is longer than {PATH_BYTES} bytes")
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        raise BadRequestError("the path has an empty name, '.' or '..'")
    return path
