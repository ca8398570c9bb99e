"""Image registries and log groups."""

from typing import Any

from prov_gen.export.terraform.document import Body
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Refers, Special, Tags
from prov_gen.export.terraform.table import Main

REGISTRY = Main(
    "registry",
    "aws_ecr_repository",
    (
        Attribute("name", "name"),
        Attribute("scan_on_push", "image_scanning_configuration.scan_on_push", absent=False),
        Attribute("immutable_tags", "image_tag_mutability", {True: "IMMUTABLE", False: "MUTABLE"}, absent=False),
        Tags(),
    ),
)

# The only values that CloudWatch takes.
_RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def _write_retention(item: Item, body: Body) -> None:
    days = item.get("retention_days")
    longer = [allowed for allowed in _RETENTION if allowed >= days]
    if days not in _RETENTION:
        item.leave("retention_days", f"CloudWatch keeps logs for set times only; {longer[0] if longer else 'no end'} is written")
    # 0 is for ever.
    body["retention_in_days"] = longer[0] if longer else 0


def _read_retention(body: Body, record: dict[str, Any]) -> None:
    if isinstance(body.get("retention_in_days"), int):
        record["retention_days"] = body["retention_in_days"] or 36500


LOG_GROUP = Main(
    "log_group",
    "aws_cloudwatch_log_group",
    (
        Attribute("name", "name"),
        Special(_write_retention, _read_retention),
        Refers("kms_key", "kms_key_id", "kms_key", "arn"),
        Tags(),
    ),
)
