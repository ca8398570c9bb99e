"""Batches: one answer for each item, beside a real OpenBao's."""

import asyncio
import base64

import pytest

pytestmark = pytest.mark.anyio
TEXT = base64.b64encode(b"the launch is at dawn").decode()
GOOD, BAD = {"plaintext": TEXT, "reference": "first"}, {"plaintext": "a", "reference": "second"}


@pytest.fixture
def sides(call, bao):
    return call, bao


async def both(sides, path, body):
    return [await side("POST", path, body) for side in sides]


@pytest.mark.parametrize(
    ("items", "code", "status"),
    [
        ([GOOD, GOOD], None, 200),
        ([GOOD, BAD], None, 400),
        ([GOOD, BAD], 207, 207),
        ([GOOD, BAD], 999, 400),
        ([BAD, BAD], 207, 400),
        ([GOOD, GOOD], 999, 200),
    ],
)
async def test_a_batch_with_failures_has_the_status_and_warnings_of_openbao(sides, items, code, status):
    body = {"batch_input": items} | ({"partial_failure_response_code": code} if code else {})
    ours, theirs = await both(sides, "encrypt/k", body)
    assert ours.status == theirs.status == status
    assert ours.warnings == theirs.warnings
    for answer in (ours, theirs):
        for result in answer.data["batch_results"]:
            if "ciphertext" in result:
                result["ciphertext"] = result["ciphertext"].rpartition(":")[0]
    assert ours.data == theirs.data


async def test_each_item_of_a_decrypted_batch_has_its_text_or_its_error(sides):
    items = []
    for side in sides:
        sealed = (await side("POST", "encrypt/k", {"plaintext": TEXT})).data["ciphertext"]
        items.append([{"ciphertext": sealed, "reference": "r"}, {"ciphertext": "x"}, {"ciphertext": ""}])
    ours, theirs = [await side("POST", "decrypt/k", {"batch_input": batch}) for side, batch in zip(sides, items, strict=True)]
    assert ours.status == 400
    assert ours == theirs


async def test_signing_and_hmac_batches_are_answered_with_200_and_errors_by_item(sides):
    ours, theirs = sides
    options = {"type": "ed25519", "exportable": True, "allow_plaintext_backup": True}
    await theirs("POST", "keys/k", options)
    await ours("POST", "restore", (await theirs("GET", "backup/k")).data)
    batch = {"batch_input": [{"input": TEXT, "reference": "r"}, {"input": "a"}, {}, {"input": 5}]}
    for path in ("sign/k", "hmac/k"):
        first, second = await both(sides, path, batch)
        assert first.status == 200
        assert first == second
    signed = (await ours("POST", "sign/k", batch)).data["batch_results"][0]["signature"]
    mac = (await ours("POST", "hmac/k", batch)).data["batch_results"][0]["hmac"]
    for name, value in (("signature", signed), ("hmac", mac)):
        items = [
            {"input": TEXT, name: value, "reference": "r"},
            {"input": "aaaa", name: value},
            {name: value},
            {"input": "a", name: "x"},
        ]
        first, second = await both(sides, "verify/k", {"batch_input": items})
        assert [result.get("valid", False) for result in first.data["batch_results"]] == [True, False, False, False]
        assert first == second


async def test_a_batch_of_derived_signatures_carries_each_public_key(sides):
    ours, theirs = sides
    options = {"type": "ed25519", "derived": True, "exportable": True, "allow_plaintext_backup": True}
    await theirs("POST", "keys/k", options)
    await ours("POST", "restore", (await theirs("GET", "backup/k")).data)
    first, second = await both(sides, "sign/k", {"batch_input": [{"input": TEXT, "context": "aaaa"}, {"input": TEXT}]})
    assert first == second
    assert first.data["batch_results"][0]["publickey"]


async def test_a_rewrapped_batch_is_answered_with_200(sides):
    items = [{"ciphertext": "x", "reference": "r"}, {}, {"ciphertext": 5}]
    for side in sides:
        await side("POST", "keys/k")
    ours, theirs = await both(sides, "rewrap/k", {"batch_input": items})
    assert ours.status == 200
    assert ours == theirs


async def test_a_long_batch_lets_other_requests_in(call):
    await call("POST", "keys/k")
    order = []

    async def run(name, items):
        await call("POST", "encrypt/k", {"batch_input": [{"plaintext": TEXT}] * items})
        order.append(name)

    await asyncio.gather(run("long", 500), run("short", 1))
    assert order == ["short", "long"]
