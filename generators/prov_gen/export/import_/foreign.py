"""Documents that look like Terraform's and hold no configuration: what they are, and what to give instead."""

from collections.abc import Mapping
from typing import Any

from stratumops.errors import InvalidInputError

_BLOCKS = {
    *("resource", "data", "module", "provider", "variable", "output", "terraform", "locals", "moved", "import", "removed"),
    *("check", "ephemeral"),
}
_INSTEAD = (
    "give the configuration in Terraform's JSON form (.tf.json), which has a block `resource`; "
    "HCL is converted with `hcl2json main.tf > main.tf.json`"
)


def refuse_other_documents(value: Mapping[str, Any], name: str) -> None:
    """Raise InvalidInputError for a state, a plan, CloudFormation, or an object without any block of Terraform's."""
    what = _what(value)
    if what:
        raise InvalidInputError(f"{name} is {what}, and no Terraform configuration", hint=_INSTEAD)
    if not _BLOCKS & value.keys():
        has = f"its keys are {', '.join(sorted(value)[:5])}"[:200] if value else "it is empty"
        raise InvalidInputError(f"{name} has no block of a Terraform configuration: {has}", hint=_INSTEAD)


def _what(value: Mapping[str, Any]) -> str:
    keys = value.keys()
    if "format_version" in keys and keys & {"planned_values", "resource_changes", "prior_state"}:
        return "a plan as `terraform show -json` writes it"
    if ("format_version" in keys and keys & {"values", "provider_schemas"}) or keys == {"format_version"}:
        return "a state as `terraform show -json` writes it"
    if isinstance(value.get("resources"), list) and keys & {"terraform_version", "lineage", "serial"}:
        return "a state file (terraform.tfstate)"
    if "AWSTemplateFormatVersion" in keys or (isinstance(value.get("Resources"), dict) and "resource" not in keys):
        return "a CloudFormation template"
    return ""
