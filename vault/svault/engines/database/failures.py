"""What a client is told when PostgreSQL refuses or is away: never the statement, which may hold a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from svault.errors import UpstreamError

if TYPE_CHECKING:
    import psycopg

# These messages name objects only. Others may quote a part of the statement, as a syntax error does: they are told by name.
_TOLD = {
    "2BP01": "dependent objects",
    "3D000": "no such database",
    "3F000": "no such schema",
    "42501": "not allowed",
    "42704": "no such object",
    "42710": "there already",
    "42883": "no such function",
    "42P01": "no such relation",
}
# libpq gives neither a code nor a safe message when it cannot connect: the text is only searched for these.
_CONNECTING = (
    "password authentication failed",
    "Connection refused",
    "timeout expired",
    "no pg_hba.conf entry",
    "could not translate host name",
    "server does not support SSL",
    "certificate verify failed",
    "the database system is starting up",
    "the database system is shutting down",
    "too many clients",
    "is not permitted to log in",
    "does not exist",
)


class RefusedError(UpstreamError):
    """PostgreSQL answered with an error, and nothing of the transaction has happened: 500."""

    code = "vault_database_refused"


class UnreachableError(UpstreamError):
    """PostgreSQL could not be reached, or went away; what it was doing may have happened: 500."""

    code = "vault_database_unreachable"


@contextmanager
def kept_secret(password: str) -> Iterator[None]:
    """Keep a password out of a RefusedError, where statements made it the name of an object."""
    try:
        yield
    except RefusedError as error:
        if password not in error.message:
            raise
        raise RefusedError("failed to execute query: the statements use the password as a name") from None


def raise_refused(error: "psycopg.Error") -> NoReturn:
    """Raise what stands for an error while statements ran. Raises RefusedError, UnreachableError."""
    state = error.sqlstate
    if state is None or state[:2] in {"08", "57"}:
        raise UnreachableError("the connection to the database was lost" + (f" (SQLSTATE {state})" if state else "")) from None
    if state in _TOLD and error.diag.message_primary:
        raise RefusedError(f"failed to execute query: ERROR: {error.diag.message_primary} (SQLSTATE {state})") from None
    raise RefusedError(f"failed to execute query: {type(error).__name__} (SQLSTATE {state})") from None


def raise_unreachable(error: "psycopg.Error") -> NoReturn:
    """Raise what stands for an error while connecting. Raises UnreachableError."""
    text = str(error)
    reason = next((phrase for phrase in _CONNECTING if phrase in text), "it cannot be connected to")
    raise UnreachableError(f"failed to connect to the database: {reason}") from None
