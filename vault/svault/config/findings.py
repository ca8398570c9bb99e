"""What can be found about a configuration: every finding is declared here once, with its severity and what to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
"""An `error` keeps the server from starting, a `warning` is unsafe or has no effect, an `info` is good to know."""


class Kind(NamedTuple):
    """One thing that can be found. `message` takes the finding's words in braces."""

    severity: Severity
    message: str
    hint: str


KINDS: Mapping[str, Kind] = {
    "file-missing": Kind("error", "the file {path} is not there", "make it, or correct the path"),
    "file-unreadable": Kind("error", "the file {path} cannot be read: {why}", "let the server's user read it"),
    "file-open": Kind("warning", "{path} can be read by other users of this machine", "chmod 600 {path}"),
    "folder-unwritable": Kind("error", "the folder {path} cannot be written", "let the server's user write it"),
    "certificate-unusable": Kind(
        "error", "the certificate and key cannot be used: {why}", "make them anew, or correct the paths"
    ),
    "library-missing": Kind("error", "the library {library!r} is not installed", "{install}"),
    "crypto-missing": Kind("error", "the crypto backend {backend} cannot be used here: {why}", "{install}"),
    "crypto-slow": Kind(
        "info",
        "the crypto backend oqs is here as WebAssembly only: it computes the same, but is several times slower than a native "
        "liboqs or OpenSSL (some 10 ms for a signature with ML-DSA-65)",
        "to have the native one: {install}; or leave crypto_backend out, which takes OpenSSL here",
    ),
    "reference-unresolved": Kind("error", "{what}", "set it before the server starts"),
    "static-key-unusable": Kind("error", "{what}", "32 random bytes as base64: openssl rand -base64 32"),
    "plaintext-listener": Kind(
        "error",
        "{address} is reached by other machines, and there is no TLS",
        "set tls_cert and tls_key, listen on 127.0.0.1, or set allow_plaintext = true behind a proxy that has TLS",
    ),
    "plaintext-allowed": Kind(
        "warning", "{address} is reached by other machines without TLS, as allow_plaintext says", "set TLS"
    ),
    "listens-everywhere": Kind("info", "{address} is every address of this machine", "name the one that clients use"),
    "client-certificate-optional": Kind(
        "warning",
        "client_ca is set, but a client without a certificate is let in",
        "set require_client_cert = true, or leave client_ca out",
    ),
    "no-advertised-address": Kind(
        "info",
        "servers that share this storage do not elect the active one: start one server only",
        "set api_addr in [server] to this server's URL",
    ),
    "plaintext-storage": Kind(
        "warning", "{where} is reached without TLS: what the storage is asked can be read and changed on the way", "use https://"
    ),
    "tls-unused": Kind(
        "warning",
        "the certificates for {where} are not used: the endpoints say http://, so the connection has no TLS and sends the "
        "password in the clear",
        "write https:// in the endpoints",
    ),
    "plaintext-secret": Kind(
        "warning", "the secret stands in the file itself", 'write "env:NAME" or "file:/path" in its place, and change the secret'
    ),
    "single-share": Kind("warning", "one share opens the vault: whoever has it has everything", "5 shares with a threshold of 3"),
    "machine-unseals": Kind(
        "info", "whoever can read the key of [seal.static] and the storage can read everything", "fit for one person's machine"
    ),
    "seal-twice": Kind("info", "[seal.static] unseals, [seal.shamir] is not used", ""),
    "audit-disabled": Kind("warning", "nobody will know who read what: no audit device is enabled", "enable [audit]"),
    "metrics-everywhere": Kind(
        "warning", "the metrics on {address} can be read by every machine that reaches it", "use 127.0.0.1, or a firewall"
    ),
    "metrics-port": Kind("warning", "9090 is the port of Prometheus itself", "use another port, for example 9102"),
    "metrics-nowhere": Kind("info", "[metrics] has no address: they are at /v1/sys/metrics only, with a token", ""),
    "storage-forgets": Kind("warning", "memory forgets everything when the server ends", "for trying out only"),
    "storage-kept-as-files": Kind(
        "warning", "{backend} is kept as files of this one server", "for several servers use etcd or postgresql"
    ),
    "key-without-meaning": Kind("info", "{key} has no meaning here: {why}", "leave it out"),
    "key-unknown": Kind("warning", "{key} is not known and has no effect", "{near}"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `key` is the dotted key, `line` counts from 1 (None when the file does not say it)."""

    code: str
    severity: Severity
    key: str
    line: int | None
    message: str
    hint: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON shows it."""
        return asdict(self)

    @property
    def said(self) -> str:
        """In one line."""
        where = f"{self.key} (line {self.line})" if self.line else self.key
        return f"{where}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def found(code: str, at: str, line: int | None = None, /, **words: str) -> Finding:
    """A finding of a declared kind at a dotted key; `words` fill its sentence."""
    kind = KINDS[code]
    return Finding(code, kind.severity, at, line, kind.message.format(**words), kind.hint.format(**words))
