"""Google Cloud: the main kinds. Written for version 7 of the provider, hashicorp/google."""

import re
from collections.abc import Sequence
from typing import Any

from prov_corpus import catalogue
from prov_corpus.catalogue.managed_sizes import managed_sku
from prov_gen.effective import region_of
from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item, subnet_label
from prov_gen.export.terraform.parts import leave_unwritten, region_row, sku_rows
from prov_gen.export.terraform.rows import Attribute, Fixed, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main
from prov_gen.model.base import SIZES

_LABELS = Tags("labels", key=r"[a-z][a-z0-9_-]{0,62}", value=r"[a-z0-9_-]{0,63}")
_IMAGES = {
    "ubuntu": "ubuntu-os-cloud/ubuntu-{}-lts-amd64",
    "debian": "debian-cloud/debian-{}",
    "rocky": "rocky-linux-cloud/rocky-linux-{}",
}
_RELEASES = {"ubuntu": r"\d\d\.\d\d(?!\d)", "debian": r"\d+", "rocky": r"\d+"}
_DISKS = {"hdd": "pd-standard", "ssd": "pd-ssd"}


def _write_image(item: Item, body: Body) -> None:
    family = item.get("spec.os.family")
    version = item.get("spec.os.version") or catalogue.images()[family].default
    release = re.match(_RELEASES[family], version) if family in _IMAGES else None
    if release is None:
        item.leave("spec.os", f"Google has no image of {family} {version}")
        return
    if release[0] != version:
        item.leave("spec.os.version", f"Google names its images by release; {release[0]} is written")
    body["boot_disk"] = {"initialize_params": {"image": _IMAGES[family].format(release[0].replace(".", ""))}}


def _read_image(body: Body, record: dict[str, Any]) -> None:
    image = str(find(body, "boot_disk.initialize_params.image"))
    found = re.fullmatch(r"[\w-]+/(?:(ubuntu)-(\d\d)(\d\d)-lts-amd64|(debian|rocky)(?:-linux)?-(\d+))", image)
    if found:
        family, version = (found[1], f"{found[2]}.{found[3]}") if found[1] else (found[4], found[5])
        settle(record, "spec.os", {"family": family, "version": version})


def _write_place(item: Item, body: Body) -> None:
    region = region_of(item.raw, item.config)
    body["zone"] = item.get("zone") or f"{region}-b"
    if not body["zone"].startswith(f"{region}-"):
        item.leave("region", "the zone decides, and it is in another region")
    network: Body = {}
    Refers("networking.subnet", "subnetwork", "subnet").write(item, network)
    if item.get("networking.public_ip"):
        network["access_config"] = [{"network_tier": "PREMIUM"}]
    body["network_interface"] = [network or {"network": "default"}]


def _read_place(body: Body, record: dict[str, Any]) -> None:
    if isinstance(body.get("zone"), str):
        record["zone"] = body["zone"]
        if re.fullmatch(r"[a-z].+-[a-z0-9]", body["zone"]):
            record["region"] = body["zone"].rpartition("-")[0]
    network = find(body, "network_interface")
    part = network[0] if isinstance(network, list) and network else network
    first: Body = part if isinstance(part, dict) else {}
    Refers("networking.subnet", "subnetwork", "subnet").read(first, record)
    settle(record, "networking.public_ip", "access_config" in first)


SERVER = Main(
    "server",
    "google_compute_instance",
    (
        Attribute("name", "name"),
        sku_rows("machine_type"),
        Special(_write_place, _read_place),
        Special(_write_image, _read_image),
        Attribute("spec.disk_gb", "boot_disk.initialize_params.size"),
        Attribute("spec.disk_type", "boot_disk.initialize_params.type", _DISKS),
        Fixed("shielded_instance_config.enable_secure_boot", value=True),
        Attribute("instance_profile", "service_account.email"),
        Attribute("user_data", "metadata.user-data"),
        _LABELS,
    ),
    more=leave_unwritten("server"),
)


def _networks(item: Item) -> None:
    for record, cidr in ((item.record, "vpc_cidr"), *((vpc, "cidr") for vpc in item.get("vpcs"))):
        one = item.inside(record, label_of(record.name))
        if f"google_compute_network.{one.label}" in item.document.origin:
            item.ledger.leave(one.path, "another network has that name")
            continue
        one.leave(cidr, "a network of Google has no addresses of its own; its subnets have")
        item.put("google_compute_network", one.label, {"name": record.name, "auto_create_subnetworks": False})
        for subnet in (one.inside(found, "") for found in one.get("subnets")):
            label = subnet_label(one.raw.name, subnet.get("name"))
            if f"google_compute_subnetwork.{label}" in item.document.origin:
                item.ledger.leave(subnet.path, "another subnet of the network has that name")
                continue
            body: Body = {
                "name": subnet.raw.name,
                "network": reference("google_compute_network", one.label),
                "region": region_of(item.config, item.config),
            }
            body |= {"ip_cidr_range": subnet.get("cidr"), "private_ip_google_access": True}
            item.put("google_compute_subnetwork", label, body)
            if record.flow_logs:
                body["log_config"] = {"aggregation_interval": "INTERVAL_5_SEC", "flow_sampling": 1}
    _nat(item)


def _nat(item: Item) -> None:
    if item.get("nat") == "none":
        return
    label, region = item.label, region_of(item.config, item.config)
    if item.raw.nat == "per_zone":
        item.leave("nat", "Cloud NAT is for a whole region; one is written")
    item.put(
        "google_compute_router",
        label,
        {"name": item.raw.name, "network": reference("google_compute_network", label), "region": region},
    )
    body = {"name": item.raw.name, "router": reference("google_compute_router", label, "name"), "region": region}
    body |= {"nat_ip_allocate_option": "AUTO_ONLY", "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}
    item.put("google_compute_router_nat", label, body)


def read_networking(found: Found) -> dict[str, Any] | None:
    """The networks: the first is the configuration's own."""
    networks = []
    for label in found("google_compute_network"):
        own = {
            name: body
            for name, body in found("google_compute_subnetwork").items()
            if (referred(body.get("network")) or ("", ""))[1] == label
        }
        subnets: Sequence[dict[str, Any]] = [
            {
                "name": Refers("", "", "subnet").named(reference("google_compute_subnetwork", name)),
                "cidr": body.get("ip_cidr_range"),
            }
            for name, body in own.items()
        ]
        networks.append(
            {"name": name_of(label), "subnets": subnets, "flow_logs": any("log_config" in body for body in own.values())}
        )
    nat = "single" if found("google_compute_router_nat") else "none"
    return networks[0] | {"vpcs": networks[1:], "nat": nat} if networks else None


NETWORKING = Main("networking", "", (), more=_networks)
BUCKET = Main(
    "bucket",
    "google_storage_bucket",
    (
        Attribute("name", "name"),
        region_row("location"),
        Attribute("versioning", "versioning.enabled", absent=False),
        Attribute("block_public", "public_access_prevention", {True: "enforced", False: "inherited"}, absent=False),
        Fixed("uniform_bucket_level_access", value=True),
        Refers("log_bucket", "logging.log_bucket", "bucket"),
        _LABELS,
    ),
)
_STANDARD = re.compile(r"db-n1-standard-(\d+)")
_STANDARD_MIB = 3840
"""Memory for each core of db-n1-standard, which is a name of MySQL's: PostgreSQL takes the same machine as db-custom."""
_ENGINES = {"postgresql": "POSTGRES_", "mysql": "MYSQL_"}


def _write_engine(item: Item, body: Body) -> None:
    engine = item.get("engine")
    version = item.get("version") or catalogue.default_engine(engine).version
    parts = version.split(".")
    release = parts[: 2 if engine == "mysql" else 1]
    if release != parts:
        item.leave("version", "Google chooses the minor release")
    body["database_version"] = _ENGINES[engine] + "_".join(release)
    body["name"] = item.raw.name


def _read_engine(body: Body, record: dict[str, Any]) -> None:
    engine, _, version = str(body.get("database_version", "")).partition("_")
    if engine in {"POSTGRES", "MYSQL"}:
        record |= {"engine": "postgresql" if engine == "POSTGRES" else "mysql", "version": version.replace("_", ".")}


def _other_engine(body: Body) -> str:
    version = body.get("database_version")
    known = isinstance(version, str) and version.startswith(tuple(_ENGINES.values()))
    return "" if known else f"a configuration has no such engine as {str(version)[:64]!r}"


def _write_tier(item: Item, body: Body) -> None:
    plan = item.get("plan")
    tier = (managed_sku("gcp", "database", plan) if plan in SIZES else None) or plan
    standard = _STANDARD.fullmatch(tier)
    if standard and item.raw.engine == "postgresql":
        tier = f"db-custom-{standard[1]}-{int(standard[1]) * _STANDARD_MIB}"
    body["settings"]["tier"] = tier


def _read_tier(body: Body, record: dict[str, Any]) -> None:
    tier = find(body, "settings.tier")
    if isinstance(tier, str):
        record["plan"] = tier


DATABASE = Main(
    "database",
    "google_sql_database_instance",
    (
        Special(_write_engine, _read_engine),
        region_row("region"),
        Attribute("deletion_protection", "deletion_protection", absent=True),
        Attribute("storage_gb", "settings.disk_size"),
        Attribute("multi_az", "settings.availability_type", {True: "REGIONAL", False: "ZONAL"}, absent=False),
        Attribute("publicly_accessible", "settings.ip_configuration.ipv4_enabled", absent=True),
        Attribute(
            "require_tls",
            "settings.ip_configuration.ssl_mode",
            {True: "ENCRYPTED_ONLY", False: "ALLOW_UNENCRYPTED_AND_ENCRYPTED"},
            absent=False,
        ),
        Attribute("backup.enabled", "settings.backup_configuration.enabled", absent=False),
        Special(_write_tier, _read_tier),
    ),
    accepts=lambda item: "" if item.raw.engine in _ENGINES else f"Cloud SQL has no {item.raw.engine}",
    refuses=_other_engine,
    name_attribute="name",
)
TABLE = (NETWORKING, SERVER, BUCKET, DATABASE)
