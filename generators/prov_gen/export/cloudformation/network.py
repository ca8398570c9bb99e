"""Networks: VPCs, subnets, gateways, routes, peerings, flow logs, security groups."""

import re
from typing import Any

from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.template import Value, assumed_by, get_att, policy, ref, sub
from prov_gen.export.tracking import path_of, record_of

ANYWHERE = "0.0.0.0/0"
_SPREAD = 2
"""Zones over which subnets that name none are spread: every region has at least two."""

_GROUP_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
_ALL_PORTS = (0, 65535)
_PREFIX = (16, 28)
_NOWHERE: Value = {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "No other traffic goes out"}
"""AWS lets everything out of a group that has no egress rule inside; with this one it lets out what its rules say.

Source: AWS::EC2::SecurityGroup, "Remove the default rule".
"""
_VPC_ID = re.compile(r"vpc-[0-9a-f]{8,17}")


def zone(scope: Scope, name: str) -> Value:
    """A stated availability zone: a parameter, because zones are an account's own."""
    return scope.template.parameter(("zone", name), "AWS::EC2::AvailabilityZone::Name", f"Availability zone, as {name}", name)


def build_networks(scope: Scope) -> None:
    """The configuration's own network and the further ones. A configuration of another provider has none here."""
    if scope.config.networking is None:
        return
    networking = scope.root.networking
    if scope.config.provider != PROVIDER:
        scope.ledger.leave(path_of(networking), f"{scope.config.provider} is no provider that CloudFormation knows")
        return
    for view, field in [(networking, "vpc_cidr"), *((vpc, "cidr") for vpc in networking.vpcs)]:
        logical_id = scope.reserve("vpc", view.name)
        if logical_id is None:
            scope.ledger.leave(path_of(view), f"another network is called {view.name}")
            continue
        _network(scope, view, field, logical_id, nat=networking.nat if view is networking else "none")
    for peering in networking.peerings:
        _peering(scope, peering, networking)


def _network(scope: Scope, view: Any, field: str, logical_id: str, nat: str) -> None:
    template, where = scope.template, path_of(view)
    cidr = scope.network(getattr(view, field), (*where, field))
    if cidr is None or not _is_small(cidr):
        cidr = type(record_of(view)).model_fields[field].default
        scope.ledger.leave((*where, field), f"a VPC has an IPv4 network from /16 to /28; {cidr} is written")
    tags = scope.tags(view)
    template.add(
        "EC2::VPC",
        {"CidrBlock": cidr, "EnableDnsSupport": True, "EnableDnsHostnames": True, "Tags": tags},
        logical_id=logical_id,
    )
    template.output(logical_id, "id", ref(logical_id), f"Network {view.name}")
    if view.default_security_group_closed:
        reason = "CloudFormation cannot change the default security group: remove its rules, and use none but your own"
        scope.ledger.tell((*where, "default_security_group_closed"), reason)
    made = [found for index, subnet in enumerate(view.subnets) if (found := _subnet(scope, subnet, logical_id, index))]
    public = [one for one in made if one[0].tier == "public"]
    private = [one for one in made if one[0].tier == "private"]
    if public:
        gateway = template.add("EC2::InternetGateway", {"Tags": tags}, logical_id, "InternetGateway")
        attached = template.add(
            "EC2::VPCGatewayAttachment", {"VpcId": ref(logical_id), "InternetGatewayId": ref(gateway)}, logical_id, "Attachment"
        )
        _routes(scope, logical_id, "Public", public, {"GatewayId": ref(gateway)}, attached)
        if nat != "none":
            _nat(scope, logical_id, public[: 1 if nat == "single" else None], private, attached)
    elif nat != "none":
        scope.ledger.leave((*where, "nat"), "a NAT gateway stands in a public subnet, and there is none")
    if view.flow_logs:
        _flow_logs(scope, logical_id, tags)


def _is_small(cidr: str) -> bool:
    """Whether AWS takes it for a network of its own. Source: Amazon VPC, "VPC CIDR blocks"."""
    return ":" not in cidr and _PREFIX[0] <= int(cidr.split("/")[1]) <= _PREFIX[1]


def _subnet(scope: Scope, subnet: Any, vpc: str, index: int) -> tuple[Any, str] | None:
    logical_id = scope.reserve("subnet", subnet.name)
    cidr = scope.network(subnet.cidr, (*path_of(subnet), "cidr"))
    if logical_id is None or cidr is None or not _is_small(cidr):
        reason = (
            f"another subnet is called {subnet.name}" if logical_id is None else "a subnet has an IPv4 network from /16 to /28"
        )
        scope.ledger.leave(path_of(subnet), reason)
        return None
    somewhere = {"Fn::Select": [index % _SPREAD, {"Fn::GetAZs": ""}]}
    properties = {
        "VpcId": ref(vpc),
        "CidrBlock": cidr,
        "AvailabilityZone": zone(scope, subnet.zone) if subnet.zone else somewhere,
        "MapPublicIpOnLaunch": subnet.map_public_ip,
        "Tags": scope.tags(subnet),
    }
    scope.template.add("EC2::Subnet", properties, logical_id=logical_id)
    return subnet, logical_id


def _routes(scope: Scope, vpc: str, name: str, subnets: list[tuple[Any, str]], way: Value, after: str) -> None:
    """A route table with a way out, for some subnets."""
    template = scope.template
    table = template.add("EC2::RouteTable", {"VpcId": ref(vpc)}, vpc, name, "Routes")
    template.add(
        "EC2::Route", {"RouteTableId": ref(table), "DestinationCidrBlock": ANYWHERE, **way}, vpc, name, "WayOut", after=after
    )
    for _, subnet in subnets:
        properties = {"RouteTableId": ref(table), "SubnetId": ref(subnet)}
        template.add("EC2::SubnetRouteTableAssociation", properties, subnet, "Routes")


def _nat(scope: Scope, vpc: str, public: list[tuple[Any, str]], private: list[tuple[Any, str]], attached: str) -> None:
    """NAT gateways in public subnets; a private subnet takes the one of its own zone, else the next in turn."""
    behind: list[list[tuple[Any, str]]] = [[] for _ in public]
    for index, one in enumerate(private):
        same = [number for number, (subnet, _) in enumerate(public) if subnet.zone and subnet.zone == one[0].zone]
        behind[same[0] if same else index % len(public)].append(one)
    for number, (_, subnet) in enumerate(public):
        address = scope.template.add("EC2::EIP", {"Domain": "vpc"}, subnet, "NatAddress", after=attached)
        properties = {"SubnetId": ref(subnet), "AllocationId": get_att(address, "AllocationId")}
        gateway = scope.template.add("EC2::NatGateway", properties, subnet, "Nat")
        if behind[number]:
            _routes(scope, vpc, f"Private{number + 1}", behind[number], {"NatGatewayId": ref(gateway)}, attached)


def _flow_logs(scope: Scope, vpc: str, tags: list[dict[str, str]]) -> None:
    template = scope.template
    group = template.add("Logs::LogGroup", {"RetentionInDays": 365}, vpc, "FlowLogs", keep="Retain")
    write = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
        "Resource": get_att(group, "Arn"),
    }
    # Groups are listed for a whole account; AWS knows no such permission for a single one.
    every = sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
    look = {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": every}
    role = template.add(
        "IAM::Role",
        {
            "AssumeRolePolicyDocument": assumed_by("vpc-flow-logs.amazonaws.com"),
            "Policies": [{"PolicyName": "write", "PolicyDocument": policy(write, look)}],
        },
        vpc,
        "FlowLogRole",
    )
    properties = {
        "ResourceId": ref(vpc),
        "ResourceType": "VPC",
        "TrafficType": "ALL",
        "LogGroupName": ref(group),
        "DeliverLogsPermissionArn": get_att(role, "Arn"),
        "Tags": tags,
    }
    template.add("EC2::FlowLog", properties, vpc, "FlowLog")


def _peering(scope: Scope, peering: Any, networking: Any) -> None:
    other = scope.id_of("vpc", peering.peer)
    if other is None and not _VPC_ID.fullmatch(peering.peer):
        scope.ledger.leave(path_of(peering), "the other network is neither in this template nor named by its id (vpc-...)")
        return
    vpc = scope.id_of("vpc", record_of(networking).name)
    scope.ledger.leave((*path_of(peering), "peer_cidr"), "the routes to it are yours to add when the other side has accepted")
    properties = {
        "VpcId": ref(vpc or ""),
        "PeerVpcId": ref(other) if other else peering.peer,
        "Tags": [{"Key": "Name", "Value": peering.name}],
    }
    scope.template.add("EC2::VPCPeeringConnection", properties, peering.name, "peering")


def vpc_of(scope: Scope, name: str | None, where: Any) -> Value:
    """The network that a record names, else the configuration's own, else a parameter."""
    networking = scope.config.networking
    if name and not scope.id_of("vpc", name):
        scope.ledger.leave(where, f"no network in this template is called {name}")
    found = scope.id_of("vpc", name) or scope.id_of("vpc", networking.name if networking else None)
    return ref(found) if found else scope.template.parameter(("own", "vpc"), "AWS::EC2::VPC::Id", "An existing network")


def subnets_of(scope: Scope, names: list[str], where: Any, tier: str = "private") -> Value:
    """The subnets that a record names, else those of a tier of the configuration's own network, else a parameter."""
    found = scope.refs("subnet", names, where)
    networking = scope.config.networking
    if not found and networking and not names:
        tiers = [one for one in networking.subnets if one.tier == tier] or networking.subnets
        found = [ref(logical_id) for one in tiers if (logical_id := scope.id_of("subnet", one.name))]
    kind = "List<AWS::EC2::Subnet::Id>"
    return found or scope.template.parameter(("own", f"{tier} subnets"), kind, f"Existing {tier} subnets, in two zones or more")


def build_security_groups(scope: Scope, groups: list[Any]) -> None:
    """Security groups; rules stand beside them, so that groups can name each other."""
    for group in groups:
        logical_id = scope.id_of("security_groups", group.name) or ""
        description = group.description
        if description is not None and not _GROUP_TEXT.fullmatch(description):
            scope.ledger.leave((*path_of(group), "description"), "AWS takes at most 255 plain characters")
            description = None
        described = scope.text(description, (*path_of(group), "description")) or group.name
        properties = {
            "GroupDescription": described,
            "VpcId": vpc_of(scope, group.vpc, (*path_of(group), "vpc")),
            "SecurityGroupEgress": [_NOWHERE],
            "Tags": scope.tags(group),
        }
        scope.template.add("EC2::SecurityGroup", properties, logical_id=logical_id)
        seen: set[str] = set()
        for rule in group.rules:
            _rule(scope, rule, logical_id, seen)


def _rule(scope: Scope, rule: Any, group: str, seen: set[str]) -> None:
    where = path_of(rule)
    ingress = rule.direction == "ingress"
    networks = [scope.network(cidr, (*where, "cidrs", index)) for index, cidr in enumerate(rule.cidrs)]
    sides: list[tuple[str, Value]] = [("CidrIpv6" if ":" in cidr else "CidrIp", cidr) for cidr in dict.fromkeys(networks) if cidr]
    others = scope.refs("security_groups", rule.groups, (*where, "groups"))
    field = "SourceSecurityGroupId" if ingress else "DestinationSecurityGroupId"
    sides += [(field, {"Fn::GetAtt": [other["Ref"], "GroupId"]}) for other in others]
    if not sides:
        scope.ledger.leave(where, "it names nobody on the other side")
        return
    properties: dict[str, Value] = {
        "GroupId": get_att(group, "GroupId"),
        "IpProtocol": "-1" if rule.protocol == "all" else rule.protocol,
    }
    if rule.protocol in ("tcp", "udp"):
        first = _ALL_PORTS[0] if rule.from_port is None else rule.from_port
        last = rule.to_port if rule.to_port is not None else _ALL_PORTS[1] if rule.from_port is None else first
        properties |= {"FromPort": first, "ToPort": last}
    else:
        scope.ledger.leave((*where, "from_port"), f"{rule.protocol} has no ports")
        scope.ledger.leave((*where, "to_port"), f"{rule.protocol} has no ports")
        if rule.protocol == "icmp":
            properties |= {"FromPort": -1, "ToPort": -1}
    if rule.description is not None:
        if _GROUP_TEXT.fullmatch(rule.description):
            properties["Description"] = scope.text(rule.description, (*where, "description"))
        else:
            scope.ledger.leave((*where, "description"), "AWS takes at most 255 plain characters")
    for name, side in sides:
        mark = repr(
            (
                ingress,
                sorted((key, value) for key, value in properties.items() if key not in {"Description", "GroupId"}),
                side,
            )
        )
        if mark in seen:
            continue
        seen.add(mark)
        kind = "EC2::SecurityGroupIngress" if ingress else "EC2::SecurityGroupEgress"
        scope.template.add(kind, properties | {name: side}, group, "In" if ingress else "Out", str(len(seen)))
