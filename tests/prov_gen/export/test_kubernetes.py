"""Kubernetes manifests: safe defaults, secrets by name only, and that the API's own schemas take them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import peers
from export_cases import EVERY_KIND, configurations, drawn, every_kind, silent_losses
from prov_gen.export.kubernetes import export
from prov_gen.model.infrastructure import InfrastructureConfig

READ = "import json, sys, yaml; print(json.dumps({n: list(yaml.safe_load_all(t)) for n, t in json.load(sys.stdin).items()}))"
NEWEST, OLDEST = "1.37", "1.25"


def config(**workload: Any) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate({"workloads": [{"name": "api", "image": "api:1", **workload}]})


def reasons(made: InfrastructureConfig) -> dict[str, str]:
    return {".".join(map(str, one.path)): one.reason for one in export(made).not_carried}


def read(made: InfrastructureConfig) -> list[dict[str, Any]]:
    """Every object of an export, as a YAML parser reads it."""
    python = peers.environment("kubernetes-validate") / "venv" / "bin" / "python"
    given_files = json.dumps(dict(export(made).files))
    done = subprocess.run([python, "-c", READ], input=given_files, capture_output=True, text=True, check=True)
    return [one for objects in json.loads(done.stdout).values() for one in objects]


def of_kind(made: InfrastructureConfig, kind: str) -> list[dict[str, Any]]:
    return [one for one in read(made) if one["kind"] == kind]


def validate(folder: Path, files: dict[str, str], version: str) -> str:
    """What the validator objects to; it knows versions 1.25 to 1.37."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    program = peers.environment("kubernetes-validate") / "venv" / "bin" / "kubernetes-validate"
    command = [program, "--strict", "--quiet", "--kubernetes-version", version, *sorted(folder.rglob("*.yaml"))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or "it failed without a word"


@pytest.mark.parametrize("version", [OLDEST, "1.34", NEWEST])
def test_the_validator_takes_every_kind(version: str, tmp_path: Path) -> None:
    made = {name: text for name, text in export(every_kind()).files.items() if name.endswith(".yaml")}
    assert len(made) == 3
    assert validate(tmp_path, made, version) == ""


def test_the_validator_takes_drawn_workloads(tmp_path: Path) -> None:
    configs = enumerate(drawn(100, "workloads", "load_balancers", "clusters"))
    made = {f"{number}/{name}": text for number, one in configs for name, text in export(one).files.items()}
    assert len(made) > 10
    assert validate(tmp_path, made, "1.35") == ""


def test_the_validator_would_object_to_a_manifest_that_is_wrong(tmp_path: Path) -> None:
    wrong = export(config()).files["workloads/default/api.yaml"].replace("replicas: 2", "replica: 2")
    assert "replica" in validate(tmp_path, {"wrong.yaml": wrong}, "1.35")


def test_every_stated_value_changes_a_manifest_or_is_listed() -> None:
    assert silent_losses(export, EVERY_KIND) == []


@given(configurations("workloads", "load_balancers", "clusters"))
@settings(max_examples=20, deadline=None)
def test_the_same_configuration_gives_the_same_manifests(made: InfrastructureConfig) -> None:
    assert export(made) == export(made.model_copy(deep=True))


def test_a_secret_is_named_and_never_written() -> None:
    (deployment,) = of_kind(config(env={"PASSWORD": "vault:secret/shop#password", "MODE": "fast"}), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "secret-shop-85148783", "key": "password"}}},
        {"name": "MODE", "value": "fast"},
    ]
    assert of_kind(config(env={"PASSWORD": "vault:secret/shop#password"}), "Secret") == []


def test_a_text_that_only_looks_like_a_handle_is_listed_and_not_written() -> None:
    made = config(env={"PASSWORD": "vault:no key"})
    assert "workloads.0.env.PASSWORD" in reasons(made)
    assert "no key" not in "".join(export(made).files.values())


def test_two_handles_have_two_secrets_even_where_their_names_come_out_alike() -> None:
    (deployment,) = of_kind(config(env={"A": "vault:a/b#k", "B": "vault:a-b#k", "C": "vault:a.b#k"}), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert len({one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"]}) == 3


def test_a_reference_to_another_variable_stays_text() -> None:
    (deployment,) = of_kind(config(env={"A": "$(B)"}), "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "$$(B)"}]


def test_a_workload_is_closed_unless_it_says_otherwise() -> None:
    (deployment,) = of_kind(config(), "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"][0]["securityContext"] == {
        "privileged": False,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_a_privileged_container_gains_privileges_as_the_api_demands_and_that_is_told() -> None:
    made = config(privileged=True)
    (deployment,) = of_kind(made, "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is True
    assert "workloads.0.allow_privilege_escalation" in reasons(made)


def test_a_namespace_lets_in_nobody_but_to_stated_ports() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(config(ports=[8080]), "NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    (rule,) = policies["allow-api"]["ingress"]
    assert rule == {"ports": [{"port": 8080, "protocol": "TCP"}], "from": [{"podSelector": {}}]}


def test_a_cluster_without_network_policies_has_none() -> None:
    fields = {
        "clusters": [{"name": "main", "networking": {"network_policies": False}}],
        "workloads": [{"name": "api", "image": "a"}],
    }
    assert of_kind(InfrastructureConfig.model_validate(fields), "NetworkPolicy") == []


@pytest.mark.parametrize(("replicas", "budgets"), [(0, 0), (1, 0), (2, 1)])
def test_only_several_copies_have_a_disruption_budget(replicas: int, budgets: int) -> None:
    assert len(of_kind(config(replicas=replicas), "PodDisruptionBudget")) == budgets


def test_a_probe_is_there_only_when_somebody_stated_a_health_check() -> None:
    def probes(**balancer: Any) -> list[Any]:
        fields = {
            "load_balancers": [{"name": "front", "targets": ["api"], **balancer}],
            "workloads": [{"name": "api", "image": "a"}],
        }
        found = of_kind(InfrastructureConfig.model_validate(fields), "Deployment")
        return [one["spec"]["template"]["spec"]["containers"][0].get("readinessProbe") for one in found]

    assert probes() == [None]
    assert probes(health_check={"path": "/up"})[0]["httpGet"] == {"path": "/up", "port": 80}


def test_plain_http_behind_an_ingress_is_not_reached_around_it() -> None:
    listeners = [{"port": 443}, {"port": 9000, "protocol": "tcp", "target_port": 9001}]
    fields = {
        "load_balancers": [{"name": "front", "targets": ["api"], "listeners": listeners}],
        "workloads": [{"name": "api", "image": "a"}],
    }
    made = InfrastructureConfig.model_validate(fields)
    services = {one["spec"]["type"]: [port["port"] for port in one["spec"]["ports"]] for one in of_kind(made, "Service")}
    assert services == {"ClusterIP": [443], "LoadBalancer": [9000]}
    assert len(of_kind(made, "Ingress")) == 1


def test_a_workload_of_no_known_cluster_is_listed() -> None:
    made = InfrastructureConfig.model_validate({"workloads": [{"name": "a", "image": "a", "cluster": "nowhere"}]})
    assert export(made).files == {}
    assert reasons(made)["workloads.0"] == "no cluster is called nowhere"


def test_with_several_clusters_a_workload_has_to_name_its_own() -> None:
    clusters = [{"name": "one"}, {"name": "two"}]
    workloads = [{"name": "a", "image": "a"}, {"name": "b", "image": "b", "cluster": "two"}]
    made = InfrastructureConfig.model_validate({"clusters": clusters, "workloads": workloads})
    assert set(export(made).files) == {"two/default/b.yaml", "two/00-namespaces.yaml"}
    assert "workloads.0" in reasons(made)
