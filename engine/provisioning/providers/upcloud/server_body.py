"""A server as UpCloud is asked for it."""

from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.upcloud import disks, firewall
from provisioning.providers.upcloud.cloud import Cloud, Row, zone_of
from provisioning.providers.upcloud.images import template
from provisioning.providers.upcloud.labels import GROUPS, labels, labels_of
from provisioning.providers.upcloud.networks import PART as NETWORK
from provisioning.resource import TAG_PART, Wanted

DISK = "disk"


def root_disk(row: Row) -> Row | None:
    """The device that a server came with: the one with our label, else the first disk."""
    devices = [one for one in row["storage_devices"]["storage_device"] if one.get("type") == "disk"]
    mine = [one for one in devices if labels_of(one).get("prov-part") == DISK]
    return next(iter([*mine, *devices]), None)


def groups_of(wanted: Wanted) -> list[firewall.Group]:
    """A server's security groups, as they are recorded."""
    refs = wanted.named("networking.security_groups[]")
    return [firewall.Group(firewall.group_key(ref.address), ref.values.get("rules") or []) for ref in refs]


def network_of(wanted: Wanted) -> str:
    """The id of the network that a server shall be in: its subnet, else its vpc's own one; "" when it names none."""
    subnets, vpcs = wanted.named("networking.subnet"), wanted.named("networking.vpc")
    if subnets:
        return subnets[0].id
    return vpcs[0].parts.get(NETWORK, "") if vpcs else ""


def size_body(wanted: Wanted) -> dict[str, str]:
    """A server's size: a plan, or cores and memory. Raises ProviderError when nothing says it."""
    plan, spec = wanted.values.get("plan"), wanted.values["spec"]
    if plan and plan != "custom":
        return {"plan": str(plan)}
    if not spec.get("cpu") or not spec.get("memory_gb"):
        raise ProviderError(f"{wanted.address} has neither a plan nor cores and memory", hint="name a plan of UpCloud's")
    return {"plan": "custom", "core_number": str(spec["cpu"]), "memory_amount": str(int(spec["memory_gb"] * 1024))}


def server_labels(wanted: Wanted) -> dict[str, Any]:
    """All labels of a server, in the form that servers take."""
    groups = ",".join(sorted(group.key for group in groups_of(wanted)))
    return {"label": labels(wanted.tags, {GROUPS: groups} if groups else None)}


def server_body(cloud: Cloud, wanted: Wanted) -> dict[str, Any]:
    """What makes a server. Raises ProviderError when a template, a zone or a size is missing."""
    values, spec = wanted.values, wanted.values["spec"]
    disks.backup_rule(values.get("backup"))
    one_address = {"ip_addresses": {"ip_address": [{"family": "IPv4"}]}}
    interfaces: list[dict[str, Any]] = [{**one_address, "type": "public"}] if values["networking"].get("public_ip") else []
    network = network_of(wanted)
    if network:
        interfaces.append({**one_address, "type": "private", "network": network})
    # A server needs an interface; this one leads nowhere but to the account's other servers.
    interfaces = interfaces or [{**one_address, "type": "utility"}]
    disk = {
        "action": "clone", "storage": template(cloud, spec["os"]["family"], spec["os"]["version"]),
        "title": f"{values['name']}-disk", "size": spec["disk_gb"], "tier": disks.tier(spec.get("disk_type")),
        "encrypted": disks.yes(spec.get("encrypted_disk", True)), "labels": labels({**wanted.tags, TAG_PART: DISK}),
    }  # fmt: skip
    body: dict[str, Any] = {
        "hostname": values["name"], "title": values["name"], "zone": zone_of(wanted, cloud.account), **size_body(wanted),
        "labels": server_labels(wanted), "metadata": "yes", "firewall": "on" if groups_of(wanted) else "off",
        "networking": {"interfaces": {"interface": interfaces}}, "password_delivery": "none",
        "storage_devices": {"storage_device": [disk]}, "remote_access_enabled": "no",
    }  # fmt: skip
    keys = [key.strip() for key in cloud.account.options.get("ssh_keys", "").splitlines() if key.strip()]
    if keys:
        body["login_user"] = {"username": "root", "create_password": "no", "ssh_keys": {"ssh_key": keys}}
    if values.get("user_data"):
        body["user_data"] = opened(str(values["user_data"]), wanted)
    return {"server": body}


def opened(text: str, wanted: Wanted) -> str:
    """A text with every handle's value in its place."""
    for handle, secret in wanted.secrets.items():
        text = text.replace(handle, secret)
    return text
