"""TLS: the certificate and the key, looked at before anything listens, so that a mistake is a sentence and not a handshake."""

import ssl
import stat
from pathlib import Path

from stratumops.errors import InvalidInputError, PermissionDeniedError


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A context for TLS 1.2 and newer from two PEM files.

    Raises InvalidInputError (missing, no PEM, certificate and key do not belong together, encrypted key) and
    PermissionDeniedError (unreadable, or a key that every user of the machine can read).
    """
    _require_file(certificate, "tls_certificate")
    _require_file(key, "tls_key")
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o007:
        raise PermissionDeniedError(
            f"the TLS key {key} is open to every user of this machine (mode {mode:04o})", hint=f"chmod 600 {key}"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without a callback OpenSSL asks for the passphrase of an encrypted key on the terminal, and a service hangs.
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InvalidInputError(
                f"the TLS key {key} does not belong to the certificate {certificate}",
                hint="the certificate file starts with the server's own certificate; its issuers follow",
            ) from None
        raise InvalidInputError(
            f"the TLS files cannot be used: {_reason(error)}",
            hint=f"{certificate} must hold a PEM certificate chain and {key} its private key in PEM, not encrypted",
        ) from None
    return context


def _require_file(path: Path, setting: str) -> None:
    try:
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise InvalidInputError(
            f"there is no file {path}", hint=f"correct server.{setting}", setting=f"server.{setting}"
        ) from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path} is a folder", hint=f"correct server.{setting}", setting=f"server.{setting}") from None
    except OSError as error:
        raise PermissionDeniedError(
            f"{path} cannot be read: {error.strerror}",
            hint="run the server as a user who may read it",
            setting=f"server.{setting}",
        ) from None


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "no PEM text in them").lower().replace("_", " ")
