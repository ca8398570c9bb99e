"""Models and contracts say the same: whatever one takes or refuses, the other does too, and both fill the same defaults."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS, Kind
from prov_gen.nickel import NickelError, nickel_literal
from strategies import PROFILE, fits, mutated, stated


def contract_of(kind: Kind) -> str:
    return f'(import "schemas/{kind.name}.ncl").{kind.contract}'


@pytest.mark.timeout(900)  # a soak run is long
def test_any_record_of_a_kind_means_the_same_under_its_contract(evaluate):
    @settings(PROFILE)
    @given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), stated(kind.model))))
    def holds(case):
        kind, written = case
        filled = evaluate(nickel_literal(written), contract_of(kind))
        assert kind.model.model_validate(filled, strict=True) == kind.model.model_validate(written, strict=True)

    holds()


@pytest.mark.timeout(900)  # a soak run is long
def test_any_configuration_means_the_same_under_its_contract(evaluate):
    @settings(PROFILE)
    @given(stated(InfrastructureConfig))
    def holds(written):
        filled = evaluate(nickel_literal(written), contract_of(INFRASTRUCTURE))
        assert InfrastructureConfig.model_validate(filled, strict=True) == InfrastructureConfig.model_validate(written)

    holds()


@pytest.mark.timeout(900)  # a soak run is long
def test_whatever_is_changed_both_refuse_it_or_both_take_it(evaluate):
    @settings(PROFILE, max_examples=PROFILE.max_examples * 3)
    @given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), mutated(kind.model))))
    def holds(case):
        kind, written = case
        try:
            filled = evaluate(nickel_literal(written), contract_of(kind))
        except NickelError:
            assert not fits(kind.model, written)
        else:
            assert fits(kind.model, written)
            assert kind.model.model_validate(filled, strict=True) == kind.model.model_validate(written, strict=True)

    holds()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_smallest_record_gets_every_default_of_the_model(kind: Kind, evaluate):
    needed = {"name": "a", "domain": "example.com", "image": "nginx", "handle": "vault:a#b"}
    needed |= {"check": "NET-07", "reason": "it is the edge", "expires": "2027-01-31"}
    written = {name: needed[name] for name, field in kind.model.model_fields.items() if field.is_required()}
    filled = evaluate(nickel_literal(written), contract_of(kind))
    assert filled == kind.model.model_validate(written).model_dump(mode="json", exclude_none=True)
