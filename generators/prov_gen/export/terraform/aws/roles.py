"""IAM roles that services of AWS assume for a configuration, each with no more than AWS's documentation asks for.

A role that AWS has a policy of its own for is shared; one that works on a single resource has a policy for that one.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prov_gen.export.terraform.document import Expression, reference
from prov_gen.export.terraform.item import Item

_LONGEST_NAME = 64
# Service that assumes the role, and AWS's own policies for it.
_MANAGED = {
    "backup": (
        "backup",
        ("service-role/AWSBackupServiceRolePolicyForBackup", "service-role/AWSBackupServiceRolePolicyForRestores"),
    ),
    "eks": ("eks", ("AmazonEKSClusterPolicy",)),
    "nodes": ("ec2", ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")),
}


def account(item: Item) -> Expression:
    """The number of the account that Terraform works in."""
    item.document.share("data", "aws_caller_identity", "_own", {})
    return reference("data.aws_caller_identity", "_own", "account_id")


def policy(*statements: Mapping[str, Any]) -> Expression:
    """A policy document. Its texts are ours and references that we made; none is a configuration's."""
    return Expression(json.dumps({"Version": "2012-10-17", "Statement": statements}))


def role(item: Item, purpose: str) -> Expression:
    """A reference to the ARN of a shared role; it is added to the document when it is first asked for."""
    service, policies = _MANAGED[purpose]
    label = f"_{purpose}"
    _add(item, label, f"{item.config.name}-{purpose}", service)
    for managed in policies:
        attachment = {"role": reference("aws_iam_role", label, "name"), "policy_arn": f"arn:aws:iam::aws:policy/{managed}"}
        item.document.share("resource", "aws_iam_role_policy_attachment", f"{label}_{managed.rpartition('/')[2]}", attachment)
    return reference("aws_iam_role", label, "arn")


def own_role(item: Item, purpose: str, service: str, statements: Sequence[Mapping[str, Any]]) -> Expression:
    """A reference to the ARN of a role that a service assumes for this one record, with a policy of its own."""
    label = f"_{purpose}_{item.label}"
    _add(item, label, f"{item.config.name}-{purpose.replace('_', '-')}-{item.raw.name}", service)
    inline = {"name": purpose.replace("_", "-"), "role": reference("aws_iam_role", label), "policy": policy(*statements)}
    item.document.share("resource", "aws_iam_role_policy", label, inline)
    return reference("aws_iam_role", label, "arn")


def _add(item: Item, label: str, name: str, service: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    # A longer name is Terraform's to make up.
    named = {"name": name} if len(name) <= _LONGEST_NAME else {}
    item.document.share("resource", "aws_iam_role", label, named | {"assume_role_policy": policy(trust)})
