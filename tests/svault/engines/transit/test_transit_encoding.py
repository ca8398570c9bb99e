"""Base64 as Go reads it, and the prefix of what a key version made."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.engines.transit.encoding import decode, decode_jws, encode, encode_jws, parse_versioned, versioned
from svault.errors import BadRequestError

# Texts that the real decoder refuses are mostly valid ones with one thing wrong.
ALMOST_BASE64 = st.text(alphabet="aA0+/=\r\n-_*é", max_size=13)


@given(st.binary(max_size=64))
def test_what_is_encoded_decodes_to_itself(data):
    assert decode(encode(data)) == data
    assert decode_jws(encode_jws(data)) == data


@given(st.binary(max_size=64), st.integers(1, 9))
def test_line_breaks_in_base64_are_ignored(data, width):
    text = encode(data)
    broken = "\r\n".join(text[start : start + width] for start in range(0, len(text), width))
    assert decode(broken) == data


@given(ALMOST_BASE64)
def test_base64_is_decoded_or_the_damaged_byte_is_named(text):
    try:
        decoded = decode(text)
    except BadRequestError as error:
        sentence, _, byte = error.errors[0].rpartition(" ")
        assert sentence == "illegal base64 data at input byte"
        assert 0 <= int(byte) <= len(text.encode())
    else:
        assert encode(decoded).rstrip("=")[:-1] == text.replace("\r", "").replace("\n", "").rstrip("=")[:-1]


@pytest.mark.anyio
async def test_damaged_base64_is_refused_at_the_byte_that_openbao_names(call, bao):
    texts = ["".join(letters) for length in range(9) for letters in product("a=", repeat=length)]
    texts += [
        "aa\n=\n=\n",
        "aa\n=\n",
        "a\r\na==",
        "aaaa\n\n*",
        "aaaaaaaa*aaa",
        "*",
        "aaé=",
        "a-_a",
        "aaaaaaa\na",
        "ab==\r\n",
        "a\n",
    ]
    for text in texts:
        ours, theirs = await call("POST", "hash", {"input": text}), await bao("POST", "hash", {"input": text})
        assert (ours.status, ours.errors, ours.data) == (theirs.status, theirs.errors, theirs.data), text


@given(st.integers(1, 10**6), st.binary(max_size=20))
def test_a_versioned_text_is_read_back(version, data):
    assert parse_versioned(versioned(version, encode(data)), "ciphertext") == (version, encode(data))
