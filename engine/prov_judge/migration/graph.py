"""Steps in an order: what needs what, cycles opened, waves counted. Linear in steps and needs, and the same every time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ordered:
    """The wave of each step (from 1), the needs that were kept, and the groups whose needs went round in a circle."""

    waves: Mapping[str, int]
    needs: Mapping[str, frozenset[str]]
    circles: tuple[tuple[str, ...], ...]


Needs = Mapping[str, Iterable[str]]


def ordered(needs: Needs, must: Needs, wishes: Needs, late: Needs) -> Ordered:
    """Waves from what each step needs, what it must have, and what it had better have, by step.

    `late` are steps behind which one had better wait, so that what it takes away is away for a short time; they are followed
    only where nothing else is given up for them.

    Where they go round in a circle the wishes inside it are given up, and nobody is told. Where a circle is left only what
    `must` holds is kept: two security groups that name each other are both made, then joined.
    """
    firm = {step: frozenset(needs[step]) | frozenset(must[step]) for step in needs}
    wished = {step: firm[step] | frozenset(wishes[step]) for step in needs}
    kept = {step: frozenset(one for one in wanted if one in needs and one != step) for step, wanted in wished.items()}
    _opened(kept, firm)
    circles = _opened(kept, must)
    settled = dict(kept)
    for step, waited in _possible(kept, late).items():
        kept[step] |= waited
    _opened(kept, settled)
    waves: dict[str, int] = {}
    for group in components(kept):
        (step,) = group
        waves[step] = 1 + max((waves[one] for one in kept[step]), default=0)
    return Ordered(waves, kept, tuple(sorted(circles)))


def _possible(kept: Needs, late: Needs) -> dict[str, frozenset[str]]:
    """What of `late` goes round in no circle with what is kept."""
    if not late:
        return {}
    bit: dict[str, int] = {}
    behind: dict[str, int] = {}
    for number, (step,) in enumerate(components(kept)):
        bit[step] = behind[step] = 1 << number
        for one in kept[step]:
            behind[step] |= behind[one]
    return {
        step: frozenset(one for one in waited if one in behind and not behind[one] & bit[step]) for step, waited in late.items()
    }


def _opened(kept: dict[str, frozenset[str]], held: Needs) -> list[tuple[str, ...]]:
    """Drop from every circle what is not held; answers which steps each went through."""
    circles = []
    for group in components(kept):
        if len(group) == 1:
            continue
        inside = frozenset(group)
        circles.append(tuple(sorted(group)))
        for step in group:
            kept[step] = frozenset(one for one in kept[step] if one not in inside or one in held[step])
    return circles


def components(needs: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The strongly connected groups, those that are needed first (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    inside: set[str] = set()
    found: list[list[str]] = []
    for root in sorted(needs):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        inside.add(root)
        work = [(root, iter(sorted(needs[root])))]
        while work:
            step, rest = work[-1]
            for one in rest:
                if one not in index:
                    index[one] = low[one] = len(index)
                    stack.append(one)
                    inside.add(one)
                    work.append((one, iter(sorted(needs[one]))))
                    break
                if one in inside:
                    low[step] = min(low[step], index[one])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[step])
                if low[step] == index[step]:
                    group = _pop_to(stack, step)
                    inside.difference_update(group)
                    found.append(group)
    return found


def _pop_to(stack: list[str], step: str) -> list[str]:
    group = []
    while True:
        one = stack.pop()
        group.append(one)
        if one == step:
            return group
