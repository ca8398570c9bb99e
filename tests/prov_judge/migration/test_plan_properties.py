"""What holds for the plan between every two configurations."""

import os
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructures import changed, configuration, model, shuffled
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.things import things
from prov_judge.migration.plan import plan_steps
from prov_judge.migration.risk import kept_by
from strategies import models

# A seed, and not hypothesis' own randomness: thousands of small draws cost it more than the plans do.
RANDOM = st.integers().map(Random)
SOAK = bool(os.environ.get("PROV_TESTS_SOAK"))
FEW = settings(max_examples=50 if SOAK else 4)
MANY = settings(max_examples=2000 if SOAK else 70)


def pair(rng: Random, *, other_provider: bool = False) -> tuple[InfrastructureConfig, InfrastructureConfig]:
    before = configuration(rng)
    after = changed(rng, before)
    if other_provider:
        after["provider"] = rng.choice(["aws", "gcp", "hetzner"])
        after.pop("region", None)
    return model(before), model(after)


@given(st.lists(models(InfrastructureConfig), min_size=4, max_size=4))
@FEW
def test_every_pair_of_configurations_has_a_plan(every):
    # Drawing a configuration takes longer than planning does: each is planned against all others.
    for before, after in permutations(every, 2):
        plan = plan_steps(before, after)
        assert len({step.id for step in plan.steps}) == len(plan.steps)
        assert all(step.title and step.rollback and step.wave >= 1 for step in plan.steps)


@given(RANDOM, st.booleans())
@MANY
def test_every_step_comes_after_all_that_it_needs(rng: Random, other_provider: bool):
    plan = plan_steps(*pair(rng, other_provider=other_provider))
    waves = {step.id: step.wave for step in plan.steps}
    for step in plan.steps:
        assert all(waves[need] < step.wave for need in step.needs), step
    assert set(waves.values()) == set(range(1, 1 + max(waves.values(), default=0)))


@given(RANDOM)
@MANY
def test_waves_respect_references(rng: Random):
    current, target = pair(rng)
    plan = plan_steps(current, target)
    waves = {step.id: step.wave for step in plan.steps}
    for address, thing in things(target).items():
        made = waves.get(f"create:{address}") or waves.get(f"update:{address}")
        for _, named in thing.names:
            if made and f"create:{named}" in waves:
                assert waves[f"create:{named}"] < made
    before = things(current)
    for address, thing in before.items():
        for _, named in thing.names:
            if f"delete:{address}" in waves and f"delete:{named}" in waves:
                assert waves[f"delete:{address}"] < waves[f"delete:{named}"]


@given(RANDOM, st.booleans())
@MANY
def test_every_deletion_of_data_has_a_backup_before_it(rng: Random, other_provider: bool):
    current, target = pair(rng, other_provider=other_provider)
    plan = plan_steps(current, target)
    waves = {step.id: step.wave for step in plan.steps}
    kept = {address for address, thing in things(current).items() if kept_by(thing.item)}
    for step in plan.steps:
        if step.action == "delete" and step.address in kept:
            assert waves[f"backup:{step.address}"] < step.wave
            assert step.data_loss


@given(RANDOM, st.booleans())
@MANY
def test_a_plan_is_the_same_whatever_the_order_of_lists(rng: Random, other_provider: bool):
    before, after = configuration(rng), configuration(rng)
    if other_provider:
        after["provider"] = "gcp"
    first = plan_steps(model(before), model(after))
    second = plan_steps(model(shuffled(rng, before)), model(shuffled(rng, after)))
    assert [(s.id, s.wave, s.title, s.needs, s.affects) for s in first.steps] == [
        (s.id, s.wave, s.title, s.needs, s.affects) for s in second.steps
    ]
    assert (first.notes, first.mappings, first.blast_radius) == (second.notes, second.mappings, second.blast_radius)


@given(RANDOM)
@MANY
def test_the_changes_of_a_plan_are_all_done_by_steps(rng: Random):
    plan = plan_steps(*pair(rng))
    wanted = {"create": {"create"}, "update": {"update"}, "delete": {"delete"}, "replace": {"create", "delete"}, "no_op": set()}
    for change in plan.changes:
        if change.address.partition(".")[0] in {"infrastructure", "limits", "waiver"}:
            continue
        done = {step.id.partition(":")[0] for step in plan.steps if step.change is change and step.phase == "change"}
        assert done == wanted[change.action]


@given(RANDOM)
@MANY
def test_what_makes_way_for_its_successor_goes_no_earlier_than_somebody_needs(rng: Random):
    plan = plan_steps(*pair(rng))
    by_id = {step.id: step for step in plan.steps}
    for step in plan.steps:
        if step.change is None or step.change.action != "replace" or step.action != "replace":
            continue
        gone = by_id.get(f"delete:{step.change.previous or step.address}")
        if gone is not None and gone.id in step.needs:
            assert gone.wave == min(other.wave for other in plan.steps if gone.id in other.needs) - 1
