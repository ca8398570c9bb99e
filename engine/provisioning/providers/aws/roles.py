"""IAM roles that a resource needs and that are made with it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.tags import pairs, unpaired
from provisioning.providers.base import Calls

_KNOWN_AFTER = 120  # seconds


def ensure_role(
    aws: Aws,
    calls: Calls,
    name: str,
    service: str,
    tags: Mapping[str, str],
    *,
    policies: Sequence[str] = (),
    inline: tuple[str, str] | None = None,
) -> str:
    """The ARN of a role that a service may take, made where it is missing. `policies` are AWS's own by name."""
    try:
        role = aws.call("iam", "get_role", RoleName=name)["Role"]
    except GoneError:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = aws.change(
            calls, "iam", "create_role", part=name, RoleName=name, AssumeRolePolicyDocument=document, Tags=pairs(tags)
        )["Role"]
    arn: str = role["Arn"]
    partition = arn.split(":")[1]
    has = {one["PolicyArn"] for one in aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)}
    for policy in policies:
        policy_arn = f"arn:{partition}:iam::aws:policy/{policy}"
        if policy_arn not in has:
            aws.change(calls, "iam", "attach_role_policy", part=name, RoleName=name, PolicyArn=policy_arn)
    if inline and inline[0] not in aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name):
        aws.change(calls, "iam", "put_role_policy", part=name, RoleName=name, PolicyName=inline[0], PolicyDocument=inline[1])
    return arn


def drop_role(aws: Aws, calls: Calls, name: str) -> None:
    """Remove a role with what is attached to it; what is gone already is fine."""
    for policy in aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name):
        aws.remove(calls, "iam", "detach_role_policy", part=name, RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name):
        aws.remove(calls, "iam", "delete_role_policy", part=name, RoleName=name, PolicyName=policy)
    aws.remove(calls, "iam", "delete_role", part=name, RoleName=name)


def role_tags(aws: Aws, name: str) -> dict[str, str]:
    """A role's tags; none where there is no such role."""
    return unpaired(aws.look("iam", "list_role_tags", RoleName=name).get("Tags"))


def is_young(aws: Aws, name: str) -> bool:
    """Whether a role is so new that other services may not know it yet."""
    made = aws.look("iam", "get_role", RoleName=name).get("Role", {}).get("CreateDate")
    return made is not None and (dt.datetime.now(dt.UTC) - made).total_seconds() < _KNOWN_AFTER
