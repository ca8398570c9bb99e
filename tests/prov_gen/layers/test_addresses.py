"""Ranges of addresses against the standard library's networks."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from prov_gen.layers.addresses import Block, Blocks, overlaps

_v4 = st.builds(lambda n, p: str(ip_network((n << 20, p), strict=False)), st.integers(0, 4095), st.integers(0, 32))
_v6 = st.builds(lambda n, p: str(ip_network((n << 116, p), strict=False)), st.integers(1, 4095), st.integers(0, 128))
_networks = st.one_of(_v4, _v6)


def block(cidr: str, index: int = 0) -> Block:
    found = Block.parse(cidr, (index,))
    assert found is not None
    return found


def share(one: Block, other: Block) -> bool:
    return ip_network(one.text).overlaps(ip_network(other.text)) if one.version == other.version else False


@given(_networks)
def test_a_block_is_the_network_of_the_standard_library(cidr: str) -> None:
    known, own = ip_network(cidr), block(cidr)
    assert (own.first, own.last, own.prefix, own.size, own.text) == (
        int(known.network_address),
        int(known.broadcast_address),
        known.prefixlen,
        known.num_addresses,
        str(known),
    )


def test_host_bits_are_kept_and_nonsense_is_no_block() -> None:
    assert block("10.0.0.7/24").address - block("10.0.0.7/24").first == 7
    assert Block.parse("1:2:3/64", ()) is None
    assert Block.parse(":::/64", ()) is None


@given(st.lists(_networks, max_size=12))
def test_every_network_that_overlaps_another_is_found(cidrs: list[str]) -> None:
    blocks = [block(cidr, index) for index, cidr in enumerate(cidrs)]
    found = overlaps(blocks)
    assert all(share(*pair) and pair[0].where > pair[1].where for pair in found)
    touched = {one.where for pair in found for one in pair}
    assert touched == {one.where for one in blocks if any(one is not other and share(one, other) for other in blocks)}


@given(st.lists(_networks, max_size=12), _networks)
def test_a_lookup_finds_what_asking_each_block_finds(cidrs: list[str], wanted: str) -> None:
    blocks = [block(cidr, index) for index, cidr in enumerate(cidrs)]
    other = block(wanted)
    first, count = Blocks(blocks).sharing(other)
    expected = [one for one in blocks if share(one, other)]
    assert (first is not None) == bool(expected)
    assert (count > 0) == bool(expected)
    assert count <= len(expected)
    if first is not None:
        assert share(first, other)
