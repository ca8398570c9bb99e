"""The pki engine: certificate authorities, the certificates that they issue and revoke.

Answers are OpenBao's, compared with a real one in the tests. Different on purpose: what RFC 5280 does not allow in a subject is
refused (a common name of more than 64 characters, a country of more than two), and so is an e-mail address without a host; a
certificate that cannot be parsed is a 400, not a 500. Not here: delta CRLs, OCSP, ACME, keys in a KMS.
"""

from svault.engines.pki.engine import PkiEngine

__all__ = ["PkiEngine"]
