"""Networks as ranges of numbers: the standard library's networks cost ten times as much, and there may be 100,000 of them."""

import socket
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from prov_gen.findings import Path

_BITS = {4: 32, 6: 128}


@dataclass(frozen=True)
class Block:
    """A network and where it is written. `first` and `last` are its addresses as numbers, `address` the one written."""

    version: int
    first: int
    last: int
    prefix: int
    address: int
    where: Path

    @classmethod
    def parse(cls, cidr: str, where: Path) -> "Block | None":
        """A text of the models' form of a network; None when it is no network all the same (1:2:3/64)."""
        address, _, length = cidr.rpartition("/")
        version = 6 if ":" in address else 4
        try:
            number = int.from_bytes(socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, address))
        except OSError:
            return None
        mask = (1 << (_BITS[version] - int(length))) - 1
        return cls(version, number & ~mask, number | mask, int(length), number, where)

    @cached_property
    def text(self) -> str:
        """As people write it, with the network's first address."""
        # By its version: a small number would be taken for an IPv4 address.
        network = IPv4Network if self.version == 4 else IPv6Network
        return str(network((self.first, self.prefix)))

    @property
    def size(self) -> int:
        """The number of its addresses."""
        return self.last - self.first + 1

    def holds(self, inner: "Block") -> bool:
        """Whether every address of another one is in this one."""
        return self.version == inner.version and self.first <= inner.first and inner.last <= self.last


def overlaps(blocks: Sequence[Block]) -> list[tuple[Block, Block]]:
    """For each block that shares addresses with another: it and that other one; the later written of the two is first.

    Networks overlap only when one holds the other, so in the order of addresses each is compared with the one that holds the
    current place: a thousand subnets are not a million pairs.
    """
    order = {one.where: index for index, one in enumerate(blocks)}
    found: list[tuple[Block, Block]] = []
    holder: Block | None = None
    for one in sorted(blocks, key=lambda block: (block.version, block.first, block.prefix)):
        if holder is None or one.version != holder.version or one.first > holder.last:
            holder = one
        else:
            found.append((one, holder) if order[one.where] > order[holder.where] else (holder, one))
    return found


class Blocks:
    """Blocks in which another one is looked up without asking each of them."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        ordered = sorted(blocks, key=lambda block: (block.version, block.first, block.prefix))
        # Those that lie in no other one: they are apart from each other, so that one place of the order tells.
        self._outer: list[Block] = []
        for block in ordered:
            if not self._outer or not self._outer[-1].holds(block):
                self._outer.append(block)
        self._firsts = [(block.version, block.first) for block in self._outer]

    def sharing(self, other: Block) -> tuple[Block | None, int]:
        """The first block by address that has addresses in common with another one, and how many there are (outermost ones)."""
        end = bisect_right(self._firsts, (other.version, other.last))
        start = bisect_right(self._firsts, (other.version, other.first))
        before = self._outer[start - 1] if start else None
        if before is not None and before.version == other.version and before.last >= other.first:
            start -= 1
        return (self._outer[start], end - start) if end > start else (None, 0)
