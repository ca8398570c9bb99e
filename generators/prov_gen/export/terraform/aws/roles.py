"""IAM roles that services of AWS assume for a configuration: one for each service."""

import json

from prov_gen.export.terraform.document import Expression, reference
from prov_gen.export.terraform.item import Item

# Service that assumes the role, and AWS's own policies for it.
_ROLES = {
    "backup": (
        "backup",
        ("service-role/AWSBackupServiceRolePolicyForBackup", "service-role/AWSBackupServiceRolePolicyForRestores"),
    ),
    "eks": ("eks", ("AmazonEKSClusterPolicy",)),
    "nodes": ("ec2", ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")),
    "flow_logs": ("vpc-flow-logs", ("CloudWatchLogsFullAccess",)),
    "replication": ("s3", ("AmazonS3FullAccess",)),
}


def role(item: Item, purpose: str) -> Expression:
    """A reference to the role's ARN; the role is added to the document when it is first asked for."""
    service, policies = _ROLES[purpose]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    label = f"_{purpose}"
    name = f"{item.config.name}-{purpose.replace('_', '-')}"
    item.document.share("resource", "aws_iam_role", label, {"name": name, "assume_role_policy": json.dumps(trust)})
    for policy in policies:
        attachment = {"role": reference("aws_iam_role", label, "name"), "policy_arn": f"arn:aws:iam::aws:policy/{policy}"}
        short = policy.rpartition("/")[2]
        item.document.share("resource", "aws_iam_role_policy_attachment", f"{label}_{short}", attachment)
    return reference("aws_iam_role", label, "arn")
