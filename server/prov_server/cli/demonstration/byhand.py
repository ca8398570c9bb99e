"""What somebody changes in the sandbox behind everybody's back, with plain boto3."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

MODULES = ("boto3", "moto", "flask", "flask_cors", "werkzeug")


def is_sandbox_installed() -> bool:
    """Whether the scenes that need the sandbox can be played."""
    return all(find_spec(name) is not None for name in MODULES)


def open_ssh(endpoint: str) -> None:
    """Open SSH to the world in the security group `web`."""
    ec2 = _client(endpoint)
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "tag:prov:id", "Values": ["security_group.web"]}])["SecurityGroups"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])


def _client(endpoint: str) -> Any:
    import boto3  # type: ignore[import-untyped] # it ships no types

    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    return boto3.client("ec2", region_name="eu-west-1", endpoint_url=endpoint, **keys)


DEEDS: Mapping[str, Callable[[str], None]] = {"open-ssh": open_ssh}
"""What a scene can ask for, by name."""
