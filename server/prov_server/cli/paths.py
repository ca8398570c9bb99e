"""A path that a person typed."""

from pathlib import Path

from stratumops.errors import InvalidInputError


def typed_path(name: str) -> Path:
    """The path, with `~` as the home folder. Raises InvalidInputError for the home of an unknown user, and a null byte."""
    problem = InvalidInputError(f"{name!r} is no path here", hint="write the whole path", path=name)
    if "\x00" in name:
        raise problem
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise problem from None
