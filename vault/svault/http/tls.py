"""TLS of a listener: 1.2 or newer, with client certificates when a CA for them is given."""

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svault.errors import VaultError

if TYPE_CHECKING:
    from svault.config.model import ServerSection


class TlsError(VaultError):
    """The certificate, its key or the clients' CA cannot be used."""

    code, http_status, exit_code = "vault_tls", 500, 2


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. Without `client_ca` no client is asked for a certificate."""

    cert: str
    key: str
    client_ca: str = ""
    requires_client_cert: bool = False

    def context(self) -> ssl.SSLContext:
        """A context for new connections, from the files as they are now. Raises TlsError, naming the files."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.cert, self.key, password=_no_password)
        except ssl.SSLError as error:
            reason = (error.reason or "they are no PEM files").replace("_", " ").lower()
            raise TlsError(f"the certificate {self.cert} and the key {self.key} cannot be used: {reason}") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise TlsError(f"the certificate {self.cert} or the key {self.key} cannot be read: {why}") from None
        if self.client_ca:
            self._trust(context)
        return context

    def _trust(self, context: ssl.SSLContext) -> None:
        try:
            context.load_verify_locations(self.client_ca)
        except ssl.SSLError:
            raise TlsError(f"the clients' CA {self.client_ca} holds no certificate") from None
        except OSError as error:
            raise TlsError(f"the clients' CA {self.client_ca} cannot be read: {error.strerror}") from None
        context.verify_mode = ssl.CERT_REQUIRED if self.requires_client_cert else ssl.CERT_OPTIONAL


def _no_password() -> str:
    raise ValueError("the key has a password; a server needs one without")


def tls_files(section: "ServerSection") -> TlsFiles | None:
    """The certificates of a listener, or None without TLS."""
    if not section.has_tls:
        return None
    return TlsFiles(section.tls_cert, section.tls_key, section.client_ca, section.require_client_cert)
