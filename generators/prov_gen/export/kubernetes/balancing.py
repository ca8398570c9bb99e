"""Load balancers before workloads: an Ingress for HTTP, a Service of type LoadBalancer for the rest."""

from typing import Any

from prov_gen.export.kubernetes.metadata import NAME_LABEL, metadata, object_name, own_tags
from prov_gen.export.kubernetes.workload import Manifest
from prov_gen.export.tracking import Ledger, path_of, record_of

_HTTP = frozenset({"http", "https"})
_INGRESS_CLASS = "nginx"
_INGRESS_PORTS = {("http", 80), ("https", 443)}


def probe_of(balancer: Any) -> Manifest | None:
    """The readiness probe that a load balancer's stated health check means; None when nobody stated one."""
    if "health_check" not in record_of(balancer).model_fields_set or balancer.kind != "application" or not balancer.listeners:
        return None
    check = balancer.health_check
    return {
        "httpGet": {"path": check.path, "port": check.port or balancer.listeners[0].target_port},
        "periodSeconds": check.interval_seconds,
        "successThreshold": check.healthy_threshold,
        "failureThreshold": check.unhealthy_threshold,
    }


def target_ports(balancer: Any) -> list[tuple[int, str]]:
    """The ports of its target that a load balancer reaches, with their protocols."""
    return list(dict.fromkeys((one.target_port, _transport(one)) for one in balancer.listeners))


def balancer_objects(
    balancer: Any, names: tuple[str, str], workload: Any, config: Any, common: dict[str, str], ledger: Ledger, *, has_nginx: bool
) -> list[Manifest]:
    """The objects of a load balancer before one workload; what fits neither form is left in the ledger.

    `names` are those of what stands behind an Ingress and of what is reached directly.
    """
    where = path_of(balancer)
    ledger.leave((*where, "kind"), "its listeners' protocols say what stands for it: an Ingress for HTTP, a Service for the rest")
    if balancer.scheme == "internal":
        ledger.leave((*where, "scheme"), "how a balancer is kept internal differs from provider to provider")
    ports: dict[tuple[int, str], Manifest] = {}
    web: list[Any] = []
    plain: list[Any] = []
    for listener in balancer.listeners:
        key = (listener.port, _transport(listener))
        if key in ports:
            ledger.leave(path_of(listener), f"port {listener.port} is taken by another listener")
            continue
        (web if listener.protocol in _HTTP else plain).append(listener)
        ports[key] = {
            "name": f"{key[1].lower()}-{listener.port}",
            "port": listener.port,
            "targetPort": listener.target_port,
            "protocol": key[1],
        }
    if not ports:
        ledger.leave(where, "it has no listeners")
        return []
    for listener in plain:
        if listener.certificate or listener.protocol == "tls":
            ledger.leave((*path_of(listener), "certificate"), "a Service passes TLS through to the workload")
            ledger.leave((*path_of(listener), "protocol"), "a Service passes TLS through to the workload")
        ledger.leave((*path_of(listener), "redirect_to_https"), "only an Ingress redirects")
    objects: list[Manifest] = []
    for name, group, kind in ((names[0], web, "ClusterIP"), (names[1], plain, "LoadBalancer")):
        if not group:
            continue
        about = metadata(name, workload.namespace, common | own_tags(balancer, where, ledger), {NAME_LABEL: workload.name})
        spec = {
            "type": kind,
            "selector": {NAME_LABEL: workload.name},
            "ports": [ports[one.port, _transport(one)] for one in group],
        }
        objects.append({"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": spec})
        if group is web:
            objects.append(_ingress(web, about, config, ledger, has_nginx=has_nginx))
    return objects


def _ingress(web: list[Any], about: Manifest, config: Any, ledger: Ledger, *, has_nginx: bool) -> Manifest:
    tls = _certificates(web, config, ledger)
    for listener in web:
        if (listener.protocol, listener.port) not in _INGRESS_PORTS:
            ledger.leave((*path_of(listener), "port"), "an Ingress is reached at 80 and 443, its controller's ports")
        if listener.target_port != web[0].target_port:
            ledger.leave((*path_of(listener), "target_port"), "an Ingress sends all its ports to one port of the workload")
        if not has_nginx:
            ledger.leave((*path_of(listener), "redirect_to_https"), "each Ingress controller has its own way to say so")
    backend = {"service": {"name": about["name"], "port": {"number": web[0].port}}}
    path = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    hosts = dict.fromkeys(host for entry in tls for host in entry["hosts"])
    spec: Manifest = {"rules": [{"host": host, **path} for host in hosts] or [path]}
    if tls:
        spec["tls"] = tls
    if not has_nginx:
        return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": about, "spec": spec}
    redirects = {"nginx.ingress.kubernetes.io/ssl-redirect": str(any(one.redirect_to_https for one in web)).lower()}
    noted = about | {"annotations": about.get("annotations", {}) | redirects}
    spec = {"ingressClassName": _INGRESS_CLASS, **spec}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": noted, "spec": spec}


def _certificates(web: list[Any], config: Any, ledger: Ledger) -> list[Manifest]:
    """`tls` of an Ingress: the hosts of each listener's certificate, and the Secret that holds it."""
    found = []
    for listener in web:
        if listener.certificate is None:
            continue
        certificate = next((one for one in config.certificates if one.name == listener.certificate), None)
        if certificate is None:
            ledger.leave((*path_of(listener), "certificate"), "no certificate has that name")
            continue
        if "_" in certificate.domain:
            ledger.leave((*path_of(certificate), "domain"), "no name of a host: it holds an underscore")
        for index, name in enumerate(certificate.alternative_names):
            if "_" in name:
                ledger.leave((*path_of(certificate), "alternative_names", index), "no name of a host: it holds an underscore")
        names = dict.fromkeys(name for name in (certificate.domain, *certificate.alternative_names) if "_" not in name)
        if names:
            found.append({"hosts": list(names), "secretName": object_name(f"{certificate.name}-tls")})
    return found


def _transport(listener: Any) -> str:
    return "UDP" if listener.protocol == "udp" else "TCP"
