"""What holds for every two configurations."""

from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructures import changed, configuration, model, shuffled
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.compare import compare
from prov_judge.changes.things import things
from strategies import models

# A seed, and not hypothesis' own randomness: thousands of small draws cost it more than the plans do.
RANDOM = st.integers().map(Random)
FEW = settings(max_examples=40)


@given(st.lists(models(InfrastructureConfig), min_size=4, max_size=4))
@settings(max_examples=8)
def test_whatever_is_compared_every_thing_is_told_once_and_nothing_changes_against_itself(every):
    # Drawing a configuration takes longer than comparing does: each is compared with all.
    for before, after in product(every, every):
        changes = compare(before, after)
        told = [change.address for change in changes if change.after]
        gone = [change.previous or change.address for change in changes if change.before]
        silent = {"infrastructure.main"}
        assert sorted(set(told) | silent) == sorted(things(after))
        assert len(told) == len(set(told))
        assert sorted(set(gone) | silent) == sorted(things(before))
        assert len(gone) == len(set(gone))
        if before is after:
            assert {change.action for change in changes} <= {"no_op"}


@given(RANDOM)
@FEW
def test_the_order_of_lists_changes_nothing(rng: Random):
    before = configuration(rng)
    after = changed(rng, before)
    first = compare(model(before), model(after))
    second = compare(model(shuffled(rng, before)), model(shuffled(rng, after)))
    assert [(one.address, one.action, one.previous, one.fields, one.reasons) for one in first] == [
        (one.address, one.action, one.previous, one.fields, one.reasons) for one in second
    ]


@given(RANDOM)
@FEW
def test_doing_the_changes_leads_to_the_target(rng: Random):
    before = configuration(rng)
    current, target = model(before), model(changed(rng, before))
    state = {address: thing.item.record for address, thing in things(current).items()}
    for change in compare(current, target):
        if change.before is not None:
            assert state.pop(change.previous or change.address) is change.before.record
    for change in compare(current, target):
        if change.after is not None:
            assert change.address not in state
            state[change.address] = change.after.record
    state["infrastructure.main"] = target
    assert state == {address: thing.item.record for address, thing in things(target).items()}
