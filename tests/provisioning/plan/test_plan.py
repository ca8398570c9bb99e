"""From what is recorded to what is wanted: which steps, in which order, at which risk, and what the hash is bound to."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from provisioning.errors import CycleError
from provisioning.plan.model import IMPORTED, PlanStep, RetryPolicy, deposed, parsed
from provisioning.plan.order import require_order
from provisioning.plan.picture import as_svg
from provisioning.plan.words import as_text, blast_radius, cost_words, risks, summary
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Recorded
from stratumops.errors import ConflictError

from .conftest import LINEAGE, SHOP, Make

PROTECTED = {**SHOP, "databases": [{"name": "orders", "deletion_protection": True}]}
Rows = Callable[[dict[str, Any]], list[Recorded]]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The shop with one value changed; `path` is `servers.0.plan`."""
    config = copy.deepcopy(SHOP)
    inner: Any = config
    *above, leaf = path.split(".")
    for step in above:
        inner = inner[int(step)] if step.isdecimal() else inner[step]
    inner[leaf] = value
    return config


def actions(plan: Any) -> dict[str, str]:
    return {step.id: step.action for step in plan.steps}


def test_everything_that_is_not_there_is_created_after_what_it_stands_on(make: Make):
    plan = make(SHOP)
    waves = {step.address: step.wave for step in plan.steps}
    assert waves["vpc.shop"] < waves["subnet.public"] < waves["server.web"]
    assert {step.action for step in plan.steps} == {"create"}
    assert plan.counts == {"create": 4}
    server = next(step for step in plan.steps if step.address == "server.web")
    assert set(server.needs) == {"create:subnet.public", "create:vpc.shop"}
    assert server.wanted is not None
    assert server.wanted["values"]["plan"] == "t3.micro"
    assert server.wanted["names"] == [["networking.subnet", "subnet.public"], ["networking.vpc", "vpc.shop"]]


def test_what_is_as_it_shall_be_needs_no_step(make: Make, recorded: Rows):
    plan = make(SHOP, recorded(SHOP))
    assert plan.steps == ()
    assert summary(plan) == "nothing to do: what is there is what is wanted"


def test_a_change_in_place_names_its_leaves_and_tells_both_values(make: Make, recorded: Rows):
    plan = make(changed("servers.0.plan", "t3.large"), recorded(SHOP))
    (step,) = plan.steps
    assert (step.id, step.action) == ("update:server.web", "update")
    assert "plan" in step.paths
    assert ("plan", "t3.micro", "t3.large") in step.fields
    assert step.downtime


def test_what_cannot_be_changed_in_place_is_made_beside_the_old_one_which_goes_last(make: Make, recorded: Rows):
    plan = make(changed("servers.0.spec", {"os": {"family": "debian"}}), recorded(SHOP))
    made = next(step for step in plan.steps if step.action == "create")
    gone = next(step for step in plan.steps if step.action == "delete")
    assert made.is_replacement
    assert made.address == "server.web"
    assert gone.address == deposed("server.web")
    assert made.id in gone.needs
    assert made.why


def test_data_is_saved_before_it_is_in_danger(make: Make, recorded: Rows):
    without = {key: value for key, value in SHOP.items() if key != "databases"}
    plan = make(without, recorded(SHOP))
    assert actions(plan) == {"backup:database.orders": "backup", "delete:database.orders": "delete"}
    gone = plan.steps[-1]
    assert gone.needs == ("backup:database.orders",)
    assert gone.data_loss
    assert any("data" in line for line in risks(plan))


def test_a_destruction_deletes_in_reverse_order(make: Make, recorded: Rows):
    plan = make(None, recorded(SHOP))
    waves = {step.address: step.wave for step in plan.steps if step.action == "delete"}
    assert waves["server.web"] < waves["subnet.public"] < waves["vpc.shop"]
    assert plan.counts["delete"] == 4


def test_a_destruction_of_some_leaves_the_others_alone(make: Make, recorded: Rows):
    plan = make(None, recorded(SHOP), only=frozenset({"server.web"}))
    assert [step.id for step in plan.steps if step.action == "delete"] == ["delete:server.web"]


def test_only_what_is_named_is_touched_with_what_it_stands_on(make: Make):
    plan = make(SHOP, only=frozenset({"server.web"}))
    assert {step.address for step in plan.steps} == {"vpc.shop", "subnet.public", "server.web"}


def test_what_was_changed_by_hand_is_brought_back(make: Make, recorded: Rows):
    rows = [replace(one, observed={"plan": "t3.large"}) if one.address == "server.web" else one for one in recorded(SHOP)]
    (step,) = make(SHOP, rows).steps
    assert ("plan", "t3.large", "t3.micro") in step.fields


def test_what_is_gone_is_made_again(make: Make, recorded: Rows):
    rows = [replace(one, status="gone") if one.address == "server.web" else one for one in recorded(SHOP)]
    assert actions(make(SHOP, rows)) == {"create:server.web": "create"}


def test_going_back_to_older_records_is_a_plan_like_any_other(make: Make, recorded: Rows):
    now = recorded(changed("servers.0.plan", "t3.large"))
    plan = make(None, now, kind="rollback", to=recorded(SHOP))
    assert actions(plan) == {"update:server.web": "update"}
    assert ("plan", "t3.large", "t3.micro") in plan.steps[0].fields


def test_what_no_provider_makes_is_left_out_with_the_reason(make: Make):
    config = {**SHOP, "queues": [{"name": "jobs"}], "servers": [{"name": "far", "provider": "hetzner"}]}
    plan = make(config)
    assert "no queue" in plan.left_out["queue.jobs"]
    assert "prov provider add hetzner" in plan.left_out["server.far"]
    assert not any(step.address == "server.far" for step in plan.steps)


def test_a_secret_in_plain_text_is_sealed_in_the_plan_and_the_same_one_is_no_change(make: Make, recorded: Rows):
    config = changed("servers.0.user_data", "#cloud-config\npassword: hunter2-and-more\n")
    plan = make(config)
    assert "hunter2" not in plan.body.decode()
    assert "hunter2" not in as_text(plan)
    assert make(config, recorded(config)).steps == ()
    other = make(changed("servers.0.user_data", "#cloud-config\npassword: another-one-here\n"), recorded(config))
    assert other.steps
    assert "another-one" not in other.body.decode()


def test_a_handle_stays_a_handle(make: Make):
    assert "vault:secret/orders#password" in make(SHOP).body.decode()


def test_the_hash_covers_configuration_serial_lineage_providers_and_steps(make: Make):
    plan = make(SHOP)
    others = [
        replace(plan, config={}),
        replace(plan, basis=replace(plan.basis, serial=9)),
        replace(plan, basis=replace(plan.basis, lineage="other")),
        replace(plan, basis=replace(plan.basis, providers={"aws": "2"})),
        replace(plan, steps=plan.steps[:-1]),
        replace(plan, steps=(replace(plan.steps[0], paths=("x",)), *plan.steps[1:])),
    ]
    assert len({plan.sha256, *(one.sha256 for one in others)}) == 7
    assert plan.basis.providers == {"aws": "1"}


def test_a_plan_is_the_same_value_after_it_was_stored(make: Make, recorded: Rows):
    plan = make(changed("servers.0.spec", {"os": {"family": "debian"}}), recorded(SHOP))
    again = parsed(plan.body)
    assert again == parsed(again.body)
    assert again.sha256 == plan.sha256


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"steps": [{}]}', b"no json"])
def test_what_is_no_plan_is_refused(body: bytes):
    with pytest.raises(ValueError, match=r"plan|JSON|Expecting"):
        parsed(body)


def test_the_order_of_lists_makes_no_other_plan(make: Make):
    config = {**SHOP, "buckets": [{"name": "one"}, {"name": "two"}]}
    turned = {**config, "buckets": config["buckets"][::-1]}  # type: ignore[index] # a list, as written above
    assert [step.id for step in make(config).steps] == [step.id for step in make(turned).steps]


def test_a_circle_of_needs_is_named():
    steps = [step("a", "b"), step("b", "c"), step("c", "a"), step("d")]
    with pytest.raises(CycleError, match="a -> b -> c -> a"):
        require_order(steps)


def test_the_patience_of_retries_doubles_up_to_a_limit():
    policy = RetryPolicy()
    assert [policy.delay_ms(number) for number in (1, 2, 3, 10)] == [1000, 2000, 4000, 60_000]


def test_a_plan_says_what_a_month_costs_more(make: Make, price_book: Any):
    plan = make(SHOP, book=price_book, today=date(2026, 11, 23))
    (line,) = cost_words(plan)
    assert line.startswith("+")
    assert line.endswith(")")
    assert float(plan.cost_after["USD"]) > 0
    assert plan.cost_before == {}


def test_words_and_picture_hold_every_step(make: Make, recorded: Rows):
    plan = make(changed("servers.0.plan", "t3.large"), recorded(SHOP))
    text = as_text(plan)
    assert plan.id in text
    assert "plan: t3.micro -> t3.large" in text
    picture = as_svg(plan)
    assert picture.startswith("<svg")
    assert "server.web" in picture


def test_a_picture_of_a_thousand_steps_groups_them(make: Make):
    config = {"provider": "aws", "servers": [{"name": f"web-{number}", "plan": "t3.micro"} for number in range(300)]}
    picture = as_svg(make(config))
    assert "300 x server" in picture


def test_the_blast_radius_is_what_stands_on_what_changes(make: Make, recorded: Rows):
    plan = make(changed("networking.vpc_cidr", "10.9.0.0/16") | {"databases": []}, recorded(SHOP))
    assert blast_radius(plan) or any(step.affects for step in plan.steps)


def test_the_configuration_of_a_plan_can_be_read_again(make: Make):
    InfrastructureConfig.model_validate(json.loads(json.dumps(make(SHOP).config)))


def test_what_is_protected_against_deletion_is_no_part_of_a_plan_that_deletes_it(make: Make, recorded: Rows):
    with pytest.raises(ConflictError, match=r"database\.orders is protected") as caught:
        make(None, recorded(PROTECTED))
    assert "deletion_protection = false" in caught.value.hint
    make(None, recorded(PROTECTED), only=frozenset({"server.web"}))


def test_a_nat_gateway_comes_after_the_subnets_and_goes_before_them(make: Make, recorded: Rows):
    config = changed("networking.nat", "single")
    made = {step.id: step for step in make(config).steps}
    assert "create:subnet.public" in made["create:nat.shop"].needs
    assert made["create:nat.shop"].wave > made["create:subnet.public"].wave
    gone = {step.id: step for step in make(None, recorded(config)).steps}
    assert "delete:nat.shop" in gone["delete:subnet.public"].needs


def test_groups_that_name_each_other_are_made_first_and_joined_afterwards(make: Make):
    groups = [
        {"name": one, "rules": [{"from_port": 80, "groups": [other]}]} for one, other in (("front", "back"), ("back", "front"))
    ]
    steps = {step.id: step for step in make({"provider": "aws", "security_groups": groups}).steps}
    joins = [step for step in steps.values() if step.id.startswith("join:")]
    assert joins
    for step in joins:
        assert step.action == "update"
        assert set(step.needs) >= {"create:security_group.front", "create:security_group.back"}
        assert step.paths
        assert step.wanted is not None


def test_a_creation_tells_every_value_that_is_no_default_and_where_it_will_be(make: Make):
    config = changed("servers.0.ssh", {"root_login": True})
    config["servers"][0]["user_data"] = "#cloud-config\npassword: hunter2-and-more\n"
    server = next(step for step in make(config).steps if step.address == "server.web")
    told = {path: (before, after) for path, before, after in server.fields}
    assert told["plan"] == (None, "t3.micro")
    assert told["ssh.root_login"] == (None, True)
    assert told["region"] == (None, "eu-west-1")
    assert told["user_data"] == (None, "(hidden)")
    assert not {"name", "provider", "ssh.password_auth", "patching.automatic"} & set(told)


def test_everything_that_is_created_says_in_which_region(make: Make):
    steps = make(changed("networking.nat", "single") | {"security_groups": [{"name": "sg", "rules": [{"from_port": 22}]}]}).steps
    assert len(steps) == 6
    assert all(("region", None, "eu-west-1") in step.fields for step in steps)
    group = next(step for step in steps if step.address == "security_group.sg")
    assert any(path.startswith("rules[ingress tcp 22") for path, _, _ in group.fields)


def test_a_rule_is_told_whole(make: Make):
    open_to_all = {"provider": "aws", "security_groups": [{"name": "sg", "rules": [{"from_port": 8080, "cidrs": ["0.0.0.0/0"]}]}]}
    assert "8080 8080 0.0.0.0/0" in as_text(make(open_to_all))


def test_what_is_changed_saved_or_deleted_is_named_as_its_provider_names_it(make: Make, recorded: Rows):
    (updated,) = make(changed("servers.0.plan", "t3.large"), recorded(SHOP)).steps
    assert updated.id_there == "id-web"
    gone = {step.id: step.id_there for step in make(None, recorded(SHOP)).steps}
    assert gone["delete:server.web"] == "id-web"
    assert gone["backup:database.orders"] == gone["delete:database.orders"] == "id-orders"
    replaced = make(changed("servers.0.spec", {"os": {"family": "debian"}}), recorded(SHOP))
    assert {step.action: step.id_there for step in replaced.steps} == {"create": "", "delete": "id-web"}
    assert "id-web" in as_text(replaced)


def test_what_bears_no_sign_of_ours_is_told_to_have_come_by_import(make: Make, recorded: Rows):
    def why(tags: dict[str, str]) -> str:
        rows = [replace(one, tags=tags) for one in recorded(SHOP) if one.address == "server.web"]
        (step,) = make(None, rows).steps
        return " ".join(step.why)

    ours = {TAG_ADDRESS: "server.web", TAG_LINEAGE: LINEAGE}
    assert IMPORTED not in why(ours)
    for tags in ({}, {TAG_ADDRESS: "server.web"}, ours | {TAG_LINEAGE: "another"}):
        assert f"{IMPORTED}: id-web" in why(tags)


def test_a_plan_that_was_stored_keeps_what_it_touches(make: Make, recorded: Rows):
    plan = make(None, recorded(SHOP))
    assert [step.id_there for step in parsed(plan.body).steps] == [step.id_there for step in plan.steps]


def step(name: str, *needs: str) -> PlanStep:
    return PlanStep(id=name, action="task", address=name, provider="", title=name, wave=1, needs=needs)
