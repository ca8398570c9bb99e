"""No kind of resource is forgotten: each is priced, free with a reason, or listed as unpriced with what to do."""

import pytest

from prov_corpus import PROVIDERS, catalogue
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import KINDS
from prov_judge.cost.estimate import estimate
from prov_judge.cost.rules import RULES

WHOLE = {
    "networking": {"nat": "per_zone", "flow_logs": True, "vpcs": [{"name": "other", "flow_logs": True}]},
    "security_groups": [{"name": "sg"}],
    "servers": [
        {"name": "web", "plan": "medium", "backup": {}, "networking": {"public_ip": True}},
        {"name": "any", "spec": {"cpu": 2, "memory_gb": 4}},
    ],
    "clusters": [
        {"name": "k", "backup": {}, "workers": {"auto_scaling": {"enabled": True, "min": 1, "max": 5}},
         "node_groups": [{"name": "more", "count": 1}]},
        {"name": "own", "managed": False},
    ],
    "workloads": [{"name": "w", "image": "nginx"}],
    "databases": [{"name": f"db-{size}", "plan": size, "multi_az": size == "large", "replicas": 1} for size in catalogue.SIZES],
    "caches": [{"name": f"cache-{size}", "plan": size} for size in catalogue.SIZES],
    "load_balancers": [{"name": "lb", "waf": True}, {"name": "nlb", "kind": "network", "scheme": "internal"}],
    "buckets": [{"name": "b", "access": "public_read"}, {"name": "c", "size_gb": 10, "replicate_to": "elsewhere"}],
    "volumes": [{"name": "v", "attached_to": "web", "backup": {}}, {"name": "slow", "type": "hdd"}],
    "file_systems": [{"name": "fs", "backup": {}}],
    "queues": [{"name": "q"}],
    "dns_zones": [{"domain": "example.org"}],
    "certificates": [{"name": issuer, "domain": "example.org", "issuer": issuer}
                     for issuer in ("provider", "letsencrypt", "vault", "imported")],
    "kms_keys": [{"name": "key"}],
    "secrets": [{"name": "s", "handle": "vault:app#password"}],
    "registries": [{"name": "r"}],
    "log_groups": [{"name": "log"}],
    "backup_plans": [{"name": "all", "targets": ["web", "v", "db-small", "fs", "b", "k", "gone"], "copy_to": "elsewhere"}],
    "taskservs": [{"name": "redis"}],
}  # fmt: skip


def test_every_kind_of_resource_has_a_rule():
    assert set(RULES) == {kind.name for kind in KINDS if kind.is_resource}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_everything_is_priced_free_with_a_reason_or_unpriced_with_a_hint(book, provider):
    config = InfrastructureConfig.model_validate(WHOLE | {"provider": provider})
    found = estimate(config, book=book)
    assert {one.kind for one in found.resources} == set(RULES)
    for resource, part in found.parts():
        where = f"{resource.address}: {part.name}"
        if part.price is None:
            assert part.hint, where
        elif part.price.amount == 0:
            assert part.price.precision == "free", where
            assert part.price.source in part.notes, where
        assert part.quantity >= 0, where
    assert all(resource.parts for resource in found.resources)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_prices_are_for_the_unit_in_which_they_are_asked_for(book, provider):
    found = estimate(InfrastructureConfig.model_validate(WHOLE | {"provider": provider}), book=book)
    assert [line for line in found.unpriced if "its price is for" in line[2]] == []


# Pub/Sub is billed by the data of messages, which no configuration states.
@pytest.mark.parametrize(("provider", "unpriced"), [("aws", []), ("azure", []), ("gcp", ["queue.q"])])
def test_the_large_providers_have_a_price_for_nearly_every_part(book, provider, unpriced):
    found = estimate(InfrastructureConfig.model_validate(WHOLE | {"provider": provider}), book=book)
    assert [address for address, _, _ in found.unpriced] == unpriced


@pytest.mark.parametrize("provider", ["hetzner", "upcloud"])
def test_what_a_provider_does_not_sell_says_what_to_do_instead(book, provider):
    found = estimate(InfrastructureConfig.model_validate(WHOLE | {"provider": provider}), book=book)
    hints = {address: hint for address, _, hint in found.unpriced}
    assert "vault" in hints["kms_key.key"]
    assert "taskserv" in hints["queue.q"]
