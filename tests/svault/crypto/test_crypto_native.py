"""How a native liboqs is called, shown on a stand-in with its C interface: no package registry carries the real one.

Where OQS_INSTALL_PATH names a real one, the contract suite and the known answers run on that as well.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import awslc
from svault.crypto.oqs import OqsBackend
from svault.crypto.oqs_native import NativeLiboqs
from svault.crypto.self_test import failure
from svault.errors import InternalError

pytestmark = pytest.mark.timeout(900)  # the first one may build AWS-LC
SOURCE = Path(__file__).with_name("liboqs_interface.c")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as OQS_INSTALL_PATH names one."""
    libcrypto = awslc.libcrypto()
    folder = tmp_path_factory.mktemp("liboqs")
    (folder / "lib").mkdir()
    compile_it = ["cc", "-shared", "-fPIC", "-O1", SOURCE, "-o", folder / "lib" / "liboqs.so", libcrypto]
    subprocess.run([*compile_it, f"-Wl,-rpath,{libcrypto.parent}"], check=True, capture_output=True)
    return folder


@pytest.fixture
def native(installed: Path) -> OqsBackend:
    return OqsBackend(NativeLiboqs(str(installed / "lib" / "liboqs.so")))


def test_all_arguments_arrive_where_liboqs_has_them(native: OqsBackend):
    assert failure(native) is None
    assert native.version == "liboqs 0.0.0 (native)"


def test_the_seed_is_the_one_draw_of_key_generation(native: OqsBackend, acvp: Any):
    for asked, expected in acvp("ML-DSA-keyGen-FIPS204", "ML-DSA-65"):
        keys = [bytes.fromhex(expected[part]) for part in ("pk", "sk")]
        assert list(native._dsa_keys(bytes.fromhex(asked["seed"]))) == keys, asked["tcId"]


def test_a_seed_of_one_thread_is_never_drawn_by_another(native: OqsBackend, backend_of):
    reference, public = backend_of("openssl"), backend_of("openssl").kem_public(bytes(64))

    def one(number: int) -> bytes:
        seed = number.to_bytes(32, "big")
        assert native.dsa_public(seed) == reference.dsa_public(seed)
        return native.kem_encapsulate(public)[0]

    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(one, range(300)))
    assert len(set(drawn)) == 300


def test_a_draw_that_is_not_taken_is_an_error_and_is_forgotten(native: OqsBackend):
    with pytest.raises(InternalError, match="unknown way"):
        native._library.call("OQS_SIG_ml_dsa_65_keypair", (1952, 4032), (), bytes(31))
    public = native.kem_public(bytes(64))
    assert native.kem_encapsulate(public) != native.kem_encapsulate(public)


@pytest.mark.parametrize("folder", ["lib", "lib64"])
def test_a_native_liboqs_is_the_default_where_the_variable_names_it(installed: Path, tmp_path: Path, folder: str):
    (tmp_path / folder).symlink_to(installed / "lib")
    program = "from svault.crypto import choice\nprint(choice.default_name(), choice.backend().version)"
    variables = {**os.environ, "OQS_INSTALL_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "oqs liboqs 0.0.0 (native)\n"
