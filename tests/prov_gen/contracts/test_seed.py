"""The shapes and defaults that the product was first described with, word by word, and what they take and refuse."""

import pytest

from prov_gen.contracts.generate import FOLDER
from prov_gen.nickel import NickelError

SERVER = '(import "schemas/server.ncl").Server'
CLUSTER = '(import "schemas/kubernetes.ncl").KubernetesCluster'
CONFIG = '(import "schemas/infrastructure.ncl").InfrastructureConfig'


def test_a_server_has_the_defaults_of_the_seed(evaluate):
    server = evaluate('{ name = "web-01", provider = \'aws }', SERVER)
    assert {key: server["spec"][key] for key in ("cpu", "memory_gb", "disk_gb")} == {"cpu": 2, "memory_gb": 4, "disk_gb": 50}
    assert server["networking"] == {"public_ip": False, "security_groups": []}
    assert server["tags"] == {}


@pytest.mark.parametrize("plan", ["small", "m5.4xlarge"])
def test_a_server_with_a_plan_leaves_cores_and_memory_to_it(plan, evaluate):
    spec = evaluate(f'{{ name = "web", plan = "{plan}" }}', SERVER)["spec"]
    assert {"cpu", "memory_gb"} & set(spec) == set()
    assert spec["disk_gb"] == 50


@pytest.mark.parametrize("family", ["ubuntu", "debian", "rocky", "alpine"])
def test_a_server_starts_from_one_of_four_distributions(family, evaluate):
    server = evaluate(f'{{ name = "web", spec.os = {{ family = \'{family}, version = "24.04" }} }}', SERVER)
    assert server["spec"]["os"] == {"family": family, "version": "24.04"}
    with pytest.raises(NickelError, match="must be one of 'ubuntu, 'debian, 'rocky, 'alpine"):
        evaluate('{ name = "web", spec.os.family = \'windows }', SERVER)


def test_a_cluster_has_the_defaults_of_the_seed(evaluate):
    cluster = evaluate('{ name = "k", provider = \'upcloud, region = "de-fra1", workers.auto_scaling = {} }', CLUSTER)
    assert cluster["control_plane"] == {"count": 3, "plan": "medium", "high_availability": True}
    assert (cluster["workers"]["count"], cluster["workers"]["plan"]) == (3, "medium")
    assert cluster["workers"]["auto_scaling"] == {"enabled": False, "min": 3, "max": 10}
    networking = cluster["networking"]
    assert networking["vpc_cidr"] == "10.0.0.0/16"
    assert networking["pod_cidr"] == "10.244.0.0/16"
    assert networking["service_cidr"] == "10.96.0.0/12"
    assert networking["cni"] == "cilium"
    assert cluster["addons"] == {"ingress_nginx": True, "cert_manager": True, "metrics_server": True, "prometheus": False}


def test_auto_scaling_is_optional(evaluate):
    assert "auto_scaling" not in evaluate('{ name = "k" }', CLUSTER)["workers"]


@pytest.mark.parametrize("cni", ["cilium", "calico", "flannel"])
def test_a_cluster_takes_one_of_three_network_plugins(cni, evaluate):
    assert evaluate(f'{{ name = "k", networking.cni = \'{cni} }}', CLUSTER)["networking"]["cni"] == cni


def test_the_network_and_the_audit_trail_have_the_defaults_of_the_seed(evaluate):
    config = evaluate("{ networking = {}, security = { audit_logging = { enabled = true } } }", CONFIG)
    assert config["networking"]["vpc_cidr"] == "10.0.0.0/16"
    assert config["security"]["audit_logging"]["retention_days"] == 2555
    assert config["security"]["encryption_at_rest"] is True


def test_a_configuration_in_the_form_of_the_seeds_template_is_taken(evaluate):
    text = """{
      provider = "aws",
      region = "us-east-1",
      servers = [
        {
          name = "web", plan = "t3.micro", role = null, provider = "aws",
          spec = { cpu = 2, memory_gb = 4, disk_gb = 50, os = { family = 'ubuntu, version = "22.04" } },
          networking = { vpc = "main", subnet = "app", public_ip = false, security_groups = [] },
          tags = { Environment = "production", ManagedBy = "provisioning" },
        },
      ],
      taskservs = [{ name = "containerd" }],
      networking = { vpc_cidr = "10.0.0.0/16", pod_cidr = "10.244.0.0/16", service_cidr = "10.96.0.0/12" },
      security = {
        encryption_at_rest = true,
        kms_key_id = "alias/main",
        audit_logging = { enabled = true, retention_days = 2555 },
      },
    }"""
    assert evaluate(text, CONFIG)["servers"][0]["plan"] == "t3.micro"


def test_the_words_of_the_seed_stand_in_the_schema():
    text = (FOLDER / "server.ncl").read_text(encoding="utf-8")
    for words in ("CPU cores must be positive", "Memory must be positive GB", "Disk must be at least 20GB"):
        assert f'doc "{words}"' in text
        assert f'message = "{words}"' in text


TAKEN = {
    "a cluster with every part stated": (
        "{ name = \"prod\", provider = 'upcloud, workers = { count = 5, auto_scaling = { enabled = true, max = 8 } } }",
        CLUSTER,
    ),
    "a disk of 20 GB": ('{ name = "web", spec.disk_gb = 20 }', SERVER),
    "a text instead of an enum's tag": ('{ name = "a", provider = "aws" }', SERVER),
    "null for what may be left out": ('{ name = "a", role = null, plan = null, spec.cpu = null, backup = null }', SERVER),
    "a merged override": ('{ name = "c", workers.count | default = 3 } & { workers.count = 7 }', CLUSTER),
    "an override by force": ('{ name = "a" } & { name | force = "b" }', SERVER),
    "no server at all": ("{}", CONFIG),
}  # fmt: skip
REFUSED = {
    "no core": ('{ name = "web", spec.cpu = 0 }', SERVER, "CPU cores must be positive"),
    "half a core": ('{ name = "web", spec.cpu = 0.5 }', SERVER, "CPU cores must be positive"),
    "no memory": ('{ name = "web", spec.memory_gb = 0 }', SERVER, "Memory must be positive GB"),
    "a disk of 10 GB": ('{ name = "web", spec = { disk_gb = 10 } }', SERVER, "Disk must be at least 20GB"),
    "an unknown provider": ("{ name = \"web\", provider = 'aws2 }", SERVER, "must be one of 'aws"),
    "a misspelt field": ('{ name = "web", spec = { cpus = 4 } }', SERVER, "extra field `cpus`"),
    "no name": ("{ provider = 'aws }", SERVER, "missing definition for `name`"),
    "a tag that is no text": ('{ name = "a", tags = { x = 1 } }', SERVER, "must be a text of 1 to 256 characters"),
    "an even control plane": ('{ name = "c", control_plane.count = 2 }', CLUSTER, "etcd needs a quorum"),
    "fewest above most": (
        '{ name = "c", workers.auto_scaling = { min = 9, max = 3 } }', CLUSTER, "auto_scaling.min is greater than",
    ),
    "an address that is none": (
        '{ name = "c", networking.pod_cidr = "10.0.0.300/16" }', CLUSTER, "must be an IPv4 or IPv6 network such as 10.0.0.0/16",
    ),
    "null for what has to be there": ("{ name = null }", SERVER, "must be a DNS label"),
    "a list instead of a record": ("[]", CONFIG, "contract broken"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "contract"), TAKEN.values(), ids=TAKEN)
def test_a_contract_takes(text, contract, evaluate):
    assert isinstance(evaluate(text, contract), dict)


@pytest.mark.parametrize(("text", "contract", "message"), REFUSED.values(), ids=REFUSED)
def test_a_contract_refuses(text, contract, message, evaluate):
    with pytest.raises(NickelError) as failed:
        evaluate(text, contract)
    assert any(message in one.message for one in failed.value.diagnostics)
