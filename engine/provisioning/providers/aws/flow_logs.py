"""Flow logs of a network: to a log group of its own in CloudWatch, written under a role that may do nothing else."""

import json
from collections.abc import Sequence

from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.roles import drop_role, ensure_role
from provisioning.providers.aws.tags import specification, tags_of
from provisioning.providers.base import Calls
from provisioning.resource import Wanted

PART = "flow-log"
RETENTION_DAYS = 365
_WRITE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"],
                "Resource": "*",
            }
        ],
    }
)


def _group_of(vpc: str) -> str:
    return f"/stratumops/flow-logs/{vpc}"


def _role_of(vpc: str) -> str:
    return f"stratumops-flow-logs-{vpc}"


def flow_logs_of(aws: Aws, vpcs: Sequence[str]) -> dict[str, str]:
    """The flow log of each network that has one."""
    logs = aws.described("describe_flow_logs", "FlowLogs", "resource-id", vpcs, filters="Filter")
    return {log["ResourceId"]: log["FlowLogId"] for log in logs}


def ensure_flow_logs(aws: Aws, vpc: str, wanted: Wanted, calls: Calls) -> None:
    """Log all traffic of a network."""
    if flow_logs_of(aws, [vpc]):
        return
    tags = tags_of(wanted, PART)
    role = ensure_role(aws, calls, _role_of(vpc), "vpc-flow-logs.amazonaws.com", tags, inline=("write", _WRITE))
    group = _group_of(vpc)
    if not aws.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=group):
        aws.change(calls, "logs", "create_log_group", part=PART, logGroupName=group, tags=tags)
    aws.change(calls, "logs", "put_retention_policy", part=PART, logGroupName=group, retentionInDays=RETENTION_DAYS)
    aws.change(
        calls,
        "ec2",
        "create_flow_logs",
        part=PART,
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName=group,
        DeliverLogsPermissionArn=role,
        ClientToken=token_of(wanted.token, PART),
        **specification("vpc-flow-log", tags),
    )


def drop_flow_logs(aws: Aws, vpc: str, calls: Calls) -> None:
    """Log no more. What was logged stays in its log group until its retention is over."""
    logs = flow_logs_of(aws, [vpc])
    if logs:
        aws.remove(calls, "ec2", "delete_flow_logs", part=PART, FlowLogIds=list(logs.values()))
    try:
        aws.call("iam", "get_role", RoleName=_role_of(vpc))
    except GoneError:
        return
    drop_role(aws, calls, _role_of(vpc))
