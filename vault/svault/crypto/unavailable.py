"""The answer when a backend is asked for whose library is not on this machine, and how each library is installed."""

from types import MappingProxyType

from svault.errors import BadRequestError

AWSLC_VARIABLE = "SVAULT_AWSLC_LIBCRYPTO"
OQS_VARIABLE = "OQS_INSTALL_PATH"

NATIVE_OQS = (
    f"install liboqs 0.15 or newer as a shared library, and name the folder above its lib/ in {OQS_VARIABLE} when the "
    "system's loader does not find it"
)
INSTALL = MappingProxyType(
    {
        "openssl": "pip install cryptography",
        "oqs": f"{NATIVE_OQS}; or its WebAssembly, which is far slower: pip install 'stratumops[oqs-wasm]'",
        "aws-lc": f"build AWS-LC with -DBUILD_SHARED_LIBS=ON, and name its libcrypto.so in {AWSLC_VARIABLE}",
        "rustcrypto": "pip install 'stratumops[rustcrypto]'",
    }
)


class BackendUnavailableError(BadRequestError):
    """The backend's library is missing, too old or not what it says; the hint tells how to install it."""

    code = "vault_crypto_backend"

    def __init__(self, backend: str, reason: str) -> None:
        self.backend, self.reason, self.install = backend, reason, INSTALL[backend]
        super().__init__(f"the crypto backend {backend} is not available: {reason}; {self.install}", hint=self.install)
