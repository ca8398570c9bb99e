"""liboqs as WebAssembly: nothing secret stays behind, nothing grows, damage is noticed."""

import os
from pathlib import Path

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from svault.crypto import wasm_cache
from svault.crypto.base import CryptoError
from svault.crypto.oqs import OqsBackend
from svault.crypto.oqs_wasm import MAX_MESSAGE, WasmLiboqs
from svault.crypto.unavailable import BackendUnavailableError
from svault.crypto.wasm_library import needs
from svault.errors import InternalError

SMALL = wasmtime.wat2wasm('(module (func (export "answer") (result i32) i32.const 42))')
CALLS, MOST_GROWTH = (10_000, 8 << 20) if os.environ.get("PROV_TESTS_SOAK") else (2_500, 4 << 20)
"""Calls, and the bytes by which the process may grow in them: less than a key or a ciphertext for each."""


@pytest.fixture
def wasm(backend_of) -> WasmLiboqs:
    library = backend_of("oqs-wasm")._library
    assert isinstance(library, WasmLiboqs)
    return library


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return wasm_cache.folder()


def answer(engine: wasmtime.Engine) -> int:
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasm_cache.compiled(engine, SMALL), [])
    exported = instance.exports(store)["answer"]
    assert isinstance(exported, wasmtime.Func)
    return exported(store)


def resident() -> int:
    """The memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_no_secret_stays_in_the_memory_of_the_sandbox(wasm: WasmLiboqs):
    backend = OqsBackend(wasm)
    seed, dsa_seed, message = os.urandom(64), os.urandom(32), os.urandom(64)
    _, secret = backend._kem_keys(seed)
    shared, ciphertext = backend.kem_encapsulate(backend.kem_public(seed))
    assert backend.kem_decapsulate(seed, ciphertext) == shared
    _, dsa_secret = backend._dsa_keys(dsa_seed)
    backend.dsa_sign(dsa_seed, message)
    library = wasm._linked()
    memory = library.read(0, library.memory_length)
    parts = [seed[:32], seed[32:], secret[:64], shared, dsa_seed, dsa_secret[32:64], dsa_secret[128:192], message]
    assert [part for part in parts if part in memory] == []
    assert memory.count(b"ML-DSA-65") > 0  # what is searched is the library's memory


def test_thousands_of_calls_leave_the_memory_as_large_as_it_was(wasm: WasmLiboqs):
    backend = OqsBackend(wasm)
    public = backend.kem_public(bytes(64))
    for _ in range(200):
        backend.kem_encapsulate(public)
    sandbox, process = wasm._linked().memory_length, resident()
    for _ in range(CALLS):
        backend.kem_encapsulate(public)
    assert wasm._linked().memory_length == sandbox
    assert resident() - process < MOST_GROWTH


def test_a_call_that_traps_costs_the_sandbox_and_the_next_one_gets_a_fresh_one(wasm: WasmLiboqs):
    before, backend = wasm._linked(), OqsBackend(wasm)
    with pytest.raises(InternalError, match="stopped"):
        wasm.call("OQS_SIG_ml_dsa_65_verify_with_ctx_str", (), (2**31 - 8, 64, 2**31 - 8, 3309, 0, 0, 2**31 - 8))
    public = backend.dsa_public(bytes(32))
    assert backend.dsa_verify(public, b"m", backend.dsa_sign(bytes(32), b"m"))
    assert wasm._linked() is not before


def test_a_seed_that_is_not_drawn_is_an_error_and_is_forgotten(wasm: WasmLiboqs):
    with pytest.raises(InternalError, match="unknown way"):
        wasm.call("OQS_SIG_ml_dsa_65_keypair", (1952, 4032), (), bytes(31))
    one, two = (wasm.call("OQS_SIG_ml_dsa_65_keypair", (1952, 4032), ())[1][0] for _ in range(2))
    assert one != two


def test_a_message_that_does_not_fit_is_refused(wasm: WasmLiboqs):
    with pytest.raises(CryptoError, match="at most"):
        OqsBackend(wasm).dsa_sign(bytes(32), bytes(MAX_MESSAGE + 1))


def test_a_compiled_module_is_kept_private_and_used_again(cache: Path):
    engine = wasmtime.Engine()
    assert answer(engine) == 42
    (file,) = cache.iterdir()
    assert cache.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o077 == 0
    written = file.stat().st_mtime_ns
    assert answer(engine) == 42
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["flipped", "cut short", "empty"])
def test_a_damaged_compiled_module_is_compiled_again(cache: Path, damage: str):
    engine = wasmtime.Engine()
    answer(engine)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    file.write_bytes({"flipped": flipped, "cut short": whole[:middle], "empty": b""}[damage])
    assert answer(engine) == 42
    assert wasm_cache._read(file) is not None


def test_a_cache_folder_that_others_can_write_to_is_not_used(cache: Path):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert answer(wasmtime.Engine()) == 42
    assert list(cache.iterdir()) == []


def test_a_cache_folder_that_cannot_be_made_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert answer(wasmtime.Engine()) == 42


@given(st.binary(max_size=60), st.booleans())
def test_whatever_is_no_side_module_is_told_as_such(data: bytes, like_a_module: bool):
    with pytest.raises(ValueError, match="WebAssembly"):
        needs(b"\0asm\1\0\0\0\0\x0f\x08dylink.1" + data if like_a_module else data)


SIDE_MODULE = b"\0asm\1\0\0\0\0\x0f\x08dylink.0\1\4\0\0\0\0"  # needs nothing and does nothing


@pytest.mark.parametrize("content", [b"\x7fELF", SMALL, SIDE_MODULE, SIDE_MODULE[:-2], SIDE_MODULE + b"\x0a\xff"])
def test_a_library_that_is_not_liboqs_is_unavailable_and_says_how_to_install_it(cache: Path, tmp_path: Path, content: bytes):
    file = tmp_path / "liboqs.so"
    file.write_bytes(content)
    with pytest.raises(BackendUnavailableError, match=r"damaged.*oqs-wasm"):
        WasmLiboqs(file, "0")
