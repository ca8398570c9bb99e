"""A configuration's workloads as Kubernetes manifests, one folder a cluster: `export`.

The clusters themselves are made elsewhere. Secrets are named by where they will be, and their values are nowhere in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prov_corpus import catalogue
from prov_gen.export.kubernetes.balancing import balancer_objects, probe_of, target_ports
from prov_gen.export.kubernetes.metadata import object_name, own_tags
from prov_gen.export.kubernetes.secrets import needed
from prov_gen.export.kubernetes.workload import Manifest, allowing, namespace_objects, workload_objects
from prov_gen.export.model import Exported, Path
from prov_gen.export.tracking import Ledger, path_of
from prov_gen.export.yaml_text import yaml_text
from prov_gen.model.infrastructure import InfrastructureConfig

OUTSIDE = "not inside a cluster: manifests say what runs on one"
NO_CLUSTER = "workloads"
"""The folder of workloads in a configuration without clusters."""
FIRST = "00-namespaces.yaml"
"""Sorted before the folders of namespaces, so that `kubectl apply --recursive` meets it first."""


@dataclass(frozen=True, slots=True)
class Before:
    """A load balancer before a workload, and the names of what stands for it: behind an Ingress, and reached directly."""

    balancer: Any
    name: str
    direct: str


def export(config: InfrastructureConfig) -> Exported:
    """`CLUSTER/00-namespaces.yaml`, and `CLUSTER/NAMESPACE/NAME.yaml` for each workload."""
    ledger = Ledger(config)
    if not config.workloads:
        return Exported({}, ledger.not_carried(OUTSIDE))
    root = ledger.root
    common = own_tags(root, (), ledger)
    files: dict[str, str] = {}
    namespaces: dict[str, dict[str, None]] = {}
    clusters = {cluster.name: cluster for cluster in reversed(root.clusters)}
    before = _balancers(root, ledger)
    for workload in root.workloads:
        folder = _folder(workload, clusters, ledger)
        if folder is None:
            continue
        name = f"{folder}/{workload.namespace}/{workload.name}.yaml"
        if name in files:
            ledger.leave(path_of(workload), f"another workload is called {workload.name} in the namespace {workload.namespace}")
            continue
        namespaces.setdefault(folder, {})[workload.namespace] = None
        cluster = clusters.get(folder)
        objects = _objects(workload, before.get(path_of(workload), []), cluster, root, common, ledger)
        files[name] = _documents(objects, _head(cluster, needed(workload.env)))
    for folder, names in namespaces.items():
        cluster = clusters.get(folder)
        objects = [made for name in names for made in namespace_objects(name, common, denies=_has_policies(cluster))]
        if objects:
            files[f"{folder}/{FIRST}"] = _documents(objects, _head(cluster, []))
    return Exported(dict(sorted(files.items())), ledger.not_carried(OUTSIDE))


def _objects(
    workload: Any, before: list[Before], cluster: Any, root: Any, common: dict[str, str], ledger: Ledger
) -> list[Manifest]:
    probe = next((found for one in before if (found := probe_of(one.balancer))), None)
    objects = workload_objects(workload, common, probe, ledger)
    has_nginx = cluster is None or cluster.addons.ingress_nginx
    for one in before:
        objects += balancer_objects(one.balancer, (one.name, one.direct), workload, root, common, ledger, has_nginx=has_nginx)
    if _has_policies(cluster):
        ports = [(port, "TCP") for port in workload.ports]
        ports += [port for one in before for port in target_ports(one.balancer)]
        rule = allowing(workload, common, list(dict.fromkeys(ports)), from_outside=bool(before))
        objects += [rule] if rule else []
    return objects


def _has_policies(cluster: Any) -> bool:
    return cluster is None or bool(cluster.networking.network_policies)


def _folder(workload: Any, clusters: dict[str, Any], ledger: Ledger) -> str | None:
    """The folder of a workload's cluster; None where it is not clear which cluster that is."""
    if workload.cluster is None and len(clusters) < 2:
        return next(iter(clusters), NO_CLUSTER)
    if workload.cluster in clusters:
        return str(workload.cluster)
    reason = f"no cluster is called {workload.cluster}" if workload.cluster else "there are several clusters and it names none"
    ledger.leave(path_of(workload), reason)
    return None


def _balancers(root: Any, ledger: Ledger) -> dict[Path, list[Before]]:
    """The load balancers before each workload, by the workload's path."""
    found: dict[Path, list[Before]] = {}
    workloads = {workload.name: path_of(workload) for workload in reversed(root.workloads)}
    taken = set(workloads)
    for balancer in root.load_balancers:
        where = path_of(balancer)
        reached = [(index, name) for index, name in enumerate(balancer.targets) if name in workloads]
        if not reached or not balancer.name[0].isalpha():
            ledger.leave(
                where, "none of its targets is a workload" if not reached else "a Service's name must begin with a letter"
            )
            continue
        for index, name in enumerate(balancer.targets):
            if index != reached[0][0]:
                reason = "one load balancer leads to one workload here" if name in workloads else "no workload"
                ledger.leave((*where, "targets", index), reason)
        before = Before(balancer, _free(balancer.name, taken), _free(f"{balancer.name}-direct", taken))
        found.setdefault(workloads[reached[0][1]], []).append(before)
    return found


def _free(wanted: str, taken: set[str]) -> str:
    """The name, numbered where another object has it; it is taken from now on."""
    candidates = (object_name(f"{wanted}{ending}") for ending in ("", *(f"-{number}" for number in range(2, 10000))))
    free = next(name for name in candidates if name not in taken)
    taken.add(free)
    return free


def _head(cluster: Any, secrets: Iterable[str]) -> str:
    version = (cluster.version if cluster is not None else None) or catalogue.default_kubernetes().version
    lines = [f"Kubernetes {version}", *(f"needs {line}" for line in secrets)]
    return "".join(f"# {line}\n" for line in lines)


def _documents(objects: list[Manifest], head: str) -> str:
    return head + "---\n" + "---\n".join(yaml_text(one) for one in objects)
