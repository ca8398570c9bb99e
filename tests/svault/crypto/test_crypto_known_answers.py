"""NIST's ACVP answers for ML-KEM-768 and ML-DSA-65, and C2SP's edge cases (Wycheproof), on every backend.

Deterministic encapsulation and signing are not part of what a backend offers. They are asked of liboqs, whose randomness we
give, and of the Rust signing library, which has an option for it; `cryptography` and AWS-LC's interface have none.
"""

from typing import Any

import pytest

from svault.crypto.base import DSA_PUBLIC, CryptoBackend, CryptoError
from svault.crypto.oqs import OqsBackend

pytestmark = pytest.mark.timeout(900)  # the first test of aws-lc may build it
hexed = bytes.fromhex


def test_kem_keys_are_nists(backend: CryptoBackend, acvp: Any):
    cases = list(acvp("ML-KEM-keyGen-FIPS203", "ML-KEM-768"))
    assert len(cases) == 25
    for asked, expected in cases:
        assert backend.kem_public(hexed(asked["d"] + asked["z"])) == hexed(expected["ek"]), asked["tcId"]


def test_expanded_kem_keys_are_nists(liboqs: OqsBackend, acvp: Any):
    for asked, expected in acvp("ML-KEM-keyGen-FIPS203", "ML-KEM-768"):
        assert liboqs._kem_keys(hexed(asked["d"] + asked["z"]))[1] == hexed(expected["dk"]), asked["tcId"]


def test_public_kem_keys_are_checked_as_nist_asks(backend: CryptoBackend, acvp: Any):
    cases = list(acvp("ML-KEM-encapDecap-FIPS203", "ML-KEM-768", function="encapsulationKeyCheck"))
    assert {expected["testPassed"] for _, expected in cases} == {True, False}
    for asked, expected in cases:
        try:
            backend.kem_encapsulate(hexed(asked["ek"]))
            accepted = True
        except CryptoError:
            accepted = False
        assert accepted == expected["testPassed"], asked["tcId"]


def test_encapsulation_is_nists(liboqs: OqsBackend, acvp: Any):
    cases = list(acvp("ML-KEM-encapDecap-FIPS203", "ML-KEM-768", function="encapsulation"))
    assert len(cases) == 25
    for asked, expected in cases:
        inputs = "OQS_KEM_ml_kem_768_encaps", (1088, 32), (hexed(asked["ek"]),), hexed(asked["m"])
        assert liboqs._library.call(*inputs) == (0, [hexed(expected["c"]), hexed(expected["k"])]), asked["tcId"]


def test_decapsulation_is_nists(liboqs: OqsBackend, acvp: Any):
    cases = list(acvp("ML-KEM-encapDecap-FIPS203", "ML-KEM-768", function="decapsulation"))
    assert len(cases) == 10
    for asked, expected in cases:
        assert liboqs.decapsulate_expanded(hexed(asked["dk"]), hexed(asked["c"])) == hexed(expected["k"]), asked["tcId"]


def test_decapsulation_from_a_seed_holds_in_edge_cases(backend: CryptoBackend, wycheproof: Any):
    results = set()
    for _, test in wycheproof("mlkem_768_test"):
        results.add(test["result"])
        try:
            shared = backend.kem_decapsulate(hexed(test["seed"]), hexed(test["c"]))
        except CryptoError:
            assert test["result"] == "invalid", test["tcId"]
        else:
            assert shared == hexed(test["K"]), test["tcId"]
    assert "valid" in results


def test_public_kem_keys_with_too_large_coefficients_are_refused(backend: CryptoBackend, wycheproof: Any):
    refused = 0
    for _, test in wycheproof("mlkem_768_encaps_test"):
        if test["result"] == "invalid":
            refused += 1
            with pytest.raises(CryptoError):
                backend.kem_encapsulate(hexed(test["ek"]))
        else:
            assert len(backend.kem_encapsulate(hexed(test["ek"]))) == 2, test["tcId"]
    assert refused > 100


def test_encapsulation_holds_in_edge_cases(liboqs: OqsBackend, wycheproof: Any):
    valid = [test for _, test in wycheproof("mlkem_768_encaps_test") if test["result"] == "valid"]
    assert len(valid) > 100
    for test in valid:
        inputs = "OQS_KEM_ml_kem_768_encaps", (1088, 32), (hexed(test["ek"]),), hexed(test["m"])
        assert liboqs._library.call(*inputs) == (0, [hexed(test["c"]), hexed(test["K"])]), test["tcId"]


def test_dsa_keys_are_nists(backend: CryptoBackend, acvp: Any):
    cases = list(acvp("ML-DSA-keyGen-FIPS204", "ML-DSA-65"))
    assert len(cases) == 25
    for asked, expected in cases:
        assert backend.dsa_public(hexed(asked["seed"])) == hexed(expected["pk"]), asked["tcId"]


def test_expanded_dsa_keys_are_nists(liboqs: OqsBackend, acvp: Any):
    for asked, expected in acvp("ML-DSA-keyGen-FIPS204", "ML-DSA-65"):
        assert liboqs._dsa_keys(hexed(asked["seed"]))[1] == hexed(expected["sk"]), asked["tcId"]


def test_verification_is_nists(backend: CryptoBackend, acvp: Any):
    cases = list(acvp("ML-DSA-sigVer-FIPS204", "ML-DSA-65", signatureInterface="external", preHash="pure"))
    assert len(cases) == 15
    assert {expected["testPassed"] for _, expected in cases} == {True, False}
    for asked, expected in cases:
        signature, context = hexed(asked["signature"]), hexed(asked["context"])
        verified = backend.dsa_verify(hexed(asked["pk"]), hexed(asked["message"]), signature, context)
        assert verified == expected["testPassed"], asked["tcId"]


def test_verification_holds_in_edge_cases(backend: CryptoBackend, wycheproof: Any):
    results = set()
    for group, test in wycheproof("mldsa_65_verify_test"):
        results.add(test["result"])
        public, message, signature = hexed(group["publicKey"]), hexed(test["msg"]), hexed(test["sig"])
        try:
            verified = backend.dsa_verify(public, message, signature, hexed(test.get("ctx", "")))
        except CryptoError:
            assert len(public) != DSA_PUBLIC or len(test["ctx"]) > 510, test["tcId"]
            verified = False
        assert verified == (test["result"] == "valid"), test["tcId"]
    assert results == {"valid", "invalid"}


def test_signatures_of_liboqs_are_nists(liboqs: OqsBackend, acvp: Any):
    for deterministic in (True, False):
        wanted = {"deterministic": deterministic, "signatureInterface": "external", "preHash": "pure"}
        cases = list(acvp("ML-DSA-sigGen-FIPS204", "ML-DSA-65", **wanted))
        assert len(cases) == 15
        for asked, expected in cases:
            message, context = hexed(asked["message"]), hexed(asked["context"])
            signature = liboqs.sign_expanded(hexed(asked["sk"]), message, context, hexed(asked.get("rnd", "00" * 32)))
            assert signature == hexed(expected["signature"]), asked["tcId"]


def test_deterministic_signatures_of_the_rust_library_are_nists(acvp: Any):
    from fast_mldsa.rust import SigningKey

    wanted = {"deterministic": True, "signatureInterface": "external", "preHash": "pure"}
    for asked, expected in acvp("ML-DSA-sigGen-FIPS204", "ML-DSA-65", **wanted):
        key = SigningKey.from_bytes(hexed(asked["sk"]))
        signature = key.sign(hexed(asked["message"]), hexed(asked["context"]), deterministic=True)
        assert signature == hexed(expected["signature"]), asked["tcId"]


def test_signatures_from_a_seed_hold_in_edge_cases(liboqs: OqsBackend, wycheproof: Any):
    signed = 0
    for group, test in wycheproof("mldsa_65_sign_seed_test"):
        if test["result"] == "valid" and "sig" in test and "msg" in test:
            secret = liboqs._dsa_keys(hexed(group["privateSeed"]))[1]
            made = liboqs.sign_expanded(secret, hexed(test["msg"]), hexed(test.get("ctx", "")), hexed(test.get("rnd", "00" * 32)))
            assert made == hexed(test["sig"]), test["tcId"]
            signed += 1
    assert signed > 0
