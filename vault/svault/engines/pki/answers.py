"""How a certificate that was just made is answered, in each of Vault's formats."""

from collections.abc import Sequence
from typing import Any

from cryptography import x509

from svault.engines.pki.key_types import PrivateKey, kind_of, shown
from svault.engines.pki.pem import bundled, certificate_pem, printed, serial_text
from svault.logical import Fields


def issued(
    values: Fields,
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    *,
    output: str,
    private: PrivateKey | None = None,
) -> dict[str, Any]:
    """The data of an answer; `chain` begins with whoever signed. A private key is shown in the format asked for."""
    shown_chain = [one for one in chain if not (values.boolean("remove_roots_from_chain") and one.subject == one.issuer)]
    data: dict[str, Any] = {
        "certificate": printed(certificate, output),
        "issuing_ca": printed(chain[0], output),
        "serial_number": serial_text(certificate.serial_number),
        "expiration": int(certificate.not_valid_after_utc.timestamp()),
    }
    if shown_chain:
        data["ca_chain"] = [printed(one, output) for one in shown_chain]
    data |= key_data(values, private, output)
    if output == "pem_bundle":
        chain_pems = [certificate_pem(one) for one in shown_chain or chain[:1]]
        data["certificate"] = bundled([data.get("private_key", ""), certificate_pem(certificate), *chain_pems])
    return data


def key_data(values: Fields, private: PrivateKey | None, output: str) -> dict[str, Any]:
    """The private key's part of an answer; nothing without one."""
    if private is None:
        return {}
    text = shown(private, output, values.text("private_key_format", "der"))
    return {"private_key": text, "private_key_type": kind_of(private).name}
