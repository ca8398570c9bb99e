"""A workload as Kubernetes objects: ServiceAccount, Deployment, Service, PodDisruptionBudget, NetworkPolicy."""

from typing import Any

from prov_gen.export.kubernetes.metadata import NAME_LABEL, metadata, object_name, own_tags
from prov_gen.export.kubernetes.secrets import environment
from prov_gen.export.tracking import Ledger, path_of

Manifest = dict[str, Any]


def workload_objects(workload: Any, common: dict[str, str], probe: Manifest | None, ledger: Ledger) -> list[Manifest]:
    """The objects of one workload. `common` are the configuration's tags, `probe` is the stated health check, if any."""
    name, namespace = workload.name, workload.namespace
    tags = common | own_tags(workload, path_of(workload), ledger)
    about = metadata(name, namespace, tags, {NAME_LABEL: name})
    selector = {"matchLabels": {NAME_LABEL: name}}
    objects: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about, "automountServiceAccountToken": False},
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": about,
            "spec": {
                "replicas": workload.replicas,
                "selector": selector,
                "template": {
                    "metadata": {"labels": about["labels"]},
                    "spec": {
                        "serviceAccountName": name,
                        "automountServiceAccountToken": False,
                        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                        "containers": [_container(workload, probe, ledger)],
                    },
                },
            },
        },
    ]
    if workload.ports:
        objects.append(_service(workload, about, ledger))
    if workload.replicas > 1:
        budget = {"maxUnavailable": 1, "selector": selector}
        objects.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": about, "spec": budget})
    return [one for one in objects if one]


def _container(workload: Any, probe: Manifest | None, ledger: Ledger) -> Manifest:
    limits = {"cpu": workload.limits.cpu, "memory": workload.limits.memory}
    stated = {kind: amount for kind, amount in limits.items() if amount is not None}
    made: Manifest = {
        "name": workload.name,
        "image": workload.image,
        "ports": [{"containerPort": port} for port in dict.fromkeys(workload.ports)],
        "env": environment(workload.env, (*path_of(workload), "env"), ledger),
        "resources": {"limits": stated} if stated else {},
        "readinessProbe": probe,
        "securityContext": _security(workload, ledger),
    }
    return {field: value for field, value in made.items() if value}


def _security(workload: Any, ledger: Ledger) -> Manifest:
    escalates = workload.allow_privilege_escalation
    if workload.privileged and not escalates:
        # The API server refuses both together.
        ledger.tell((*path_of(workload), "allow_privilege_escalation"), "a privileged container may always gain privileges")
        escalates = True
    context = {
        "privileged": workload.privileged,
        "runAsNonRoot": workload.run_as_non_root,
        "allowPrivilegeEscalation": escalates,
        "readOnlyRootFilesystem": workload.read_only_root,
    }
    # A process that is not root and cannot become root has no use for capabilities.
    return (
        context
        if workload.privileged or escalates or not workload.run_as_non_root
        else context | {"capabilities": {"drop": ["ALL"]}}
    )


def _service(workload: Any, about: Manifest, ledger: Ledger) -> Manifest:
    if not workload.name[0].isalpha():
        ledger.tell((*path_of(workload), "ports"), "no Service: its name must begin with a letter")
        return {}
    ports = [{"name": f"port-{port}", "port": port, "targetPort": port} for port in dict.fromkeys(workload.ports)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {"selector": {NAME_LABEL: workload.name}, "ports": ports},
    }


def namespace_objects(namespace: str, common: dict[str, str], *, denies: bool) -> list[Manifest]:
    """A namespace, unless every cluster has it, and the policy that closes it to what no other policy lets in."""
    objects: list[Manifest] = []
    if namespace != "default" and not namespace.startswith("kube-"):
        objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(namespace, None, common, {})})
    if denies:
        spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
        about = metadata("default-deny", namespace, common, {})
        objects.append({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": about, "spec": spec})
    return objects


def allowing(workload: Any, common: dict[str, str], ports: list[tuple[int, str]], *, from_outside: bool) -> Manifest | None:
    """The policy that lets the namespace, or with a load balancer before it everybody, reach these ports of a workload."""
    if not ports:
        return None
    rule: Manifest = {"ports": [{"port": port, "protocol": protocol} for port, protocol in ports]}
    if not from_outside:
        rule["from"] = [{"podSelector": {}}]
    name = object_name(f"allow-{workload.name}")
    about = metadata(name, workload.namespace, common, {NAME_LABEL: workload.name})
    spec = {"podSelector": {"matchLabels": {NAME_LABEL: workload.name}}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": about, "spec": spec}
