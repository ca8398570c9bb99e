"""Databases (RDS), with their subnet group, their parameters, their read replicas."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.database_settings import (
    CHANGED_BY,
    ENGINE_LOGS,
    ENGINES,
    groups_of,
    settings_of,
    status_of,
    told_of,
)
from provisioning.providers.aws.errors import GoneError
from provisioning.providers.aws.keys import key_of
from provisioning.providers.aws.kind import Query, concerns, groups_named, refuse_protected
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.places import subnets_of
from provisioning.providers.aws.tags import carries, differing, identity, pairs, tags_of, tags_told, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_PART, Found, Recorded, Wanted

ADMINISTRATOR = "dbadmin"
LIMIT = 3600.0  # seconds: a standby or another size takes that long
_READ_BY = 100  # RDS tells at most so many in one page


class DatabaseKind:
    """A database. Its identifier is its name; a rename changes it in place."""

    name: ClassVar[str] = "database"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Subnets and parameters first, the replicas when it can be used."""
        if wanted.values["engine"] not in ENGINES:
            raise ProviderError(
                f"AWS: RDS has no {wanted.values['engine']} that this provider makes",
                hint=f"It makes {', '.join(sorted(ENGINES))}; another engine runs on servers, installed by a taskserv.",
            )
        name = str(wanted.values["name"])
        known = _described(aws, name)
        if known is None:
            group = self._ensure_subnets(aws, name, wanted, calls)
            parameters = self._ensure_parameters(aws, name, wanted, calls)
            request = self._request(aws, name, wanted, group, parameters)
            aws.change(calls, "rds", "create_db_instance", **request)
        elif not carries(unpaired(known.get("TagList")), identity(wanted)):
            raise ProviderError(
                f"AWS: the database {name} exists and is not this configuration's",
                hint="Import it (`prov state import`), or choose another name.",
            )
        self._wait(aws, name, calls)
        self._replicate(aws, name, wanted, calls)
        return name

    def _request(self, aws: Aws, name: str, wanted: Wanted, group: str, parameters: str) -> dict[str, Any]:
        values = wanted.values
        request: dict[str, Any] = {
            "DBInstanceIdentifier": name,
            "Engine": ENGINES[values["engine"]],
            "MasterUsername": ADMINISTRATOR,
            "DBSubnetGroupName": group,
            "StorageEncrypted": values["encryption_at_rest"],
            "CopyTagsToSnapshot": True,
            "VpcSecurityGroupIds": groups_named(wanted, "security_groups[]") or None,
            "DBParameterGroupName": parameters or None,
            "KmsKeyId": (key_of(aws, wanted) or None) if values["encryption_at_rest"] else None,
            "Tags": pairs(tags_of(wanted)),
            **settings_of(values),
            **self._login(wanted),
        }
        if values["logs_exported"]:
            request["EnableCloudwatchLogsExports"] = list(ENGINE_LOGS[values["engine"]])
        return {key: value for key, value in request.items() if value is not None}

    def _login(self, wanted: Wanted) -> dict[str, Any]:
        handle = wanted.values.get("password")
        if not handle:
            return {"ManageMasterUserPassword": True}
        if handle not in wanted.secrets:
            raise ProviderError(
                f"AWS: the password of {wanted.address} is at {handle}, which was not resolved",
                hint="Unseal the vault, and try again.",
            )
        return {"MasterUserPassword": wanted.secrets[handle]}

    def _ensure_subnets(self, aws: Aws, name: str, wanted: Wanted, calls: Calls) -> str:
        group = f"{name}-subnets"
        if not aws.look("rds", "describe_db_subnet_groups", DBSubnetGroupName=group).get("DBSubnetGroups"):
            subnets = subnets_of(aws, wanted, "subnets[]", least_zones=2)
            aws.change(
                calls,
                "rds",
                "create_db_subnet_group",
                part="subnets",
                DBSubnetGroupName=group,
                DBSubnetGroupDescription=f"Subnets of {name}",
                SubnetIds=subnets,
                Tags=pairs(tags_of(wanted, "subnets")),
            )
        return group

    def _ensure_parameters(self, aws: Aws, name: str, wanted: Wanted, calls: Calls) -> str:
        """The parameter group that says whether clients must use TLS; SQL Server has its own way."""
        named = groups_of(wanted.values)
        if named is None:
            return ""
        family, parameter = named
        group = f"{name}-{family.replace('.', '-')}"
        if not aws.look("rds", "describe_db_parameter_groups", DBParameterGroupName=group).get("DBParameterGroups"):
            aws.change(
                calls,
                "rds",
                "create_db_parameter_group",
                part="parameters",
                DBParameterGroupName=group,
                DBParameterGroupFamily=family,
                Description=f"Parameters of {name}",
                Tags=pairs(tags_of(wanted, "parameters")),
            )
        value = "1" if wanted.values["require_tls"] else "0"
        change = [{"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": "immediate"}]
        aws.change(calls, "rds", "modify_db_parameter_group", part="parameters", DBParameterGroupName=group, Parameters=change)
        return group

    def _wait(self, aws: Aws, name: str, calls: Calls) -> None:
        def is_available() -> bool:
            now = _described(aws, name)
            if now is None:
                return False
            if status_of(now["DBInstanceStatus"]) == "failed":
                raise ProviderError(f"AWS: database {name} is {now['DBInstanceStatus']}", hint="Look at its events in RDS.")
            return bool(now["DBInstanceStatus"] == "available") and not now.get("PendingModifiedValues")

        aws.wait(calls, f"database {name} is available", is_available, LIMIT)

    def _replicate(self, aws: Aws, name: str, wanted: Wanted, calls: Calls) -> None:
        shall = [f"{name}-replica-{number}" for number in range(1, wanted.values["replicas"] + 1)]
        for replica in shall:
            if _described(aws, replica) is None:
                aws.change(
                    calls,
                    "rds",
                    "create_db_instance_read_replica",
                    part=replica,
                    DBInstanceIdentifier=replica,
                    SourceDBInstanceIdentifier=name,
                    DBInstanceClass=settings_of(wanted.values)["DBInstanceClass"],
                    PubliclyAccessible=wanted.values["publicly_accessible"],
                    AutoMinorVersionUpgrade=wanted.values["auto_minor_upgrades"],
                    CopyTagsToSnapshot=True,
                    Tags=pairs(tags_of(wanted, replica)),
                )
        for replica in shall:
            self._wait(aws, replica, calls)
        self._drop([one for one in _replicas(aws, name) if one not in shall], aws, calls)

    def _drop(self, replicas: Sequence[str], aws: Aws, calls: Calls) -> None:
        for replica in replicas:
            aws.remove(calls, "rds", "delete_db_instance", part=replica, DBInstanceIdentifier=replica, SkipFinalSnapshot=True)
        for replica in replicas:
            aws.wait(calls, f"replica {replica} is gone", lambda one=replica: _described(aws, one) is None, LIMIT)  # type: ignore[misc] # bound now

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> str:
        """One modification with everything that differs, done at once and not in the next window."""
        name, new = one.id, str(wanted.values["name"])
        if _described(aws, name) is None and _described(aws, new) is not None:
            # An earlier attempt renamed it already.
            name = new
        now = _described(aws, name)
        if now is None:
            raise ProviderError(f"AWS: database {name} is gone", hint="Refresh the state and plan again.")
        request = self._modification(now, wanted, paths)
        if concerns(paths, "require_tls", "version"):
            # Its groups keep the name that it was made with.
            group = self._ensure_parameters(aws, name, wanted, calls)
            if group and group not in [used["DBParameterGroupName"] for used in now.get("DBParameterGroups", ())]:
                request["DBParameterGroupName"] = group
        if name != new:
            request["NewDBInstanceIdentifier"] = new
        if request:
            aws.change(calls, "rds", "modify_db_instance", DBInstanceIdentifier=name, ApplyImmediately=True, **request)
            self._wait(aws, new, calls)
        if concerns(paths, "replicas"):
            self._replicate(aws, new, wanted, calls)
        arn = now["DBInstanceArn"].replace(f":db:{name}", f":db:{new}")
        setting, gone = differing(unpaired(now.get("TagList")), tags_of(wanted), paths)
        if setting:
            aws.change(calls, "rds", "add_tags_to_resource", ResourceName=arn, Tags=pairs(setting))
        if gone:
            aws.change(calls, "rds", "remove_tags_from_resource", ResourceName=arn, TagKeys=gone)
        return new

    def _modification(self, now: Mapping[str, Any], wanted: Wanted, paths: frozenset[str]) -> dict[str, Any]:
        values = wanted.values
        request: dict[str, Any] = {}
        settings = settings_of(values)
        for field, keys in CHANGED_BY.items():
            if concerns(paths, field):
                request |= {key: settings[key] for key in keys if key in settings}
        if "EngineVersion" in request:
            request["AllowMajorVersionUpgrade"] = True
        if concerns(paths, "security_groups"):
            request["VpcSecurityGroupIds"] = groups_named(wanted, "security_groups[]")
        if concerns(paths, "password"):
            request |= self._login(wanted)
        if concerns(paths, "logs_exported"):
            logs = list(ENGINE_LOGS[values["engine"]])
            has = now.get("EnabledCloudwatchLogsExports") or []
            turned = {"EnableLogTypes": logs} if values["logs_exported"] else {"DisableLogTypes": has}
            if values["logs_exported"] or has:
                request["CloudwatchLogsExportConfiguration"] = turned
        return request

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Replicas first, its groups last. Protection is taken off only where the state says that it is unprotected."""
        now = _described(aws, one.id)
        if now is not None and now["DBInstanceStatus"] != "deleting":
            if now.get("DeletionProtection"):
                if one.values.get("deletion_protection", True):
                    refuse_protected(one)
                off: dict[str, Any] = {"DeletionProtection": False, "ApplyImmediately": True}
                aws.change(calls, "rds", "modify_db_instance", DBInstanceIdentifier=one.id, **off)
            # What was to be backed up can be brought back for as long as its backups are kept.
            keeps = bool((one.values.get("backup") or {}).get("enabled", True))
            self._drop(_replicas(aws, one.id), aws, calls)
            aws.remove(
                calls,
                "rds",
                "delete_db_instance",
                DBInstanceIdentifier=one.id,
                SkipFinalSnapshot=True,
                DeleteAutomatedBackups=not keeps,
            )
        aws.wait(calls, f"database {one.id} is gone", lambda: _described(aws, one.id) is None, LIMIT)
        groups = _groups_by_name(one) | dict(one.parts)
        if group := groups.get("subnets"):
            aws.remove(calls, "rds", "delete_db_subnet_group", part="subnets", DBSubnetGroupName=group)
        if group := groups.get("parameters"):
            aws.remove(calls, "rds", "delete_db_parameter_group", part="parameters", DBParameterGroupName=group)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Databases; replicas are parts."""
        listed: list[Any] = []
        if query.ids is None:
            listed = aws.pages("rds", "describe_db_instances", "DBInstances")
        else:
            ids = sorted(set(query.ids))
            for start in range(0, len(ids), _READ_BY):
                filters = [{"Name": "db-instance-id", "Values": ids[start : start + _READ_BY]}]
                listed += aws.pages("rds", "describe_db_instances", "DBInstances", Filters=filters)
        found = []
        for database in listed:
            tags = unpaired(database.get("TagList"))
            is_gone = status_of(database["DBInstanceStatus"]) == "gone"
            if is_gone or TAG_PART in tags or database.get("ReadReplicaSourceDBInstanceIdentifier"):
                continue
            if carries(tags, query.tags):
                found.append(self._found(aws, database, tags, query))
        if not found and query.ids is None and query.tags.get(TAG_ADDRESS, "").startswith("database."):
            found += self._begun(aws, query.tags)
        return found

    def _begun(self, aws: Aws, own: Mapping[str, str]) -> list[Found]:
        """What an attempt made that was cut off before it had a database."""
        name, parts, all_tags = own[TAG_ADDRESS].partition(".")[2], {}, dict(own)
        listed = aws.look("rds", "describe_db_subnet_groups", DBSubnetGroupName=f"{name}-subnets").get("DBSubnetGroups", [])
        groups = [("subnets", one["DBSubnetGroupName"], one["DBSubnetGroupArn"]) for one in listed]
        listed = aws.pages("rds", "describe_db_parameter_groups", "DBParameterGroups")
        alike = [one for one in listed if one["DBParameterGroupName"].startswith(f"{name}-")]
        groups += [("parameters", one["DBParameterGroupName"], one["DBParameterGroupArn"]) for one in alike]
        for part, group, arn in groups:
            tags = unpaired(aws.look("rds", "list_tags_for_resource", ResourceName=arn).get("TagList"))
            if carries(tags, own):
                parts[part], all_tags = group, {**tags, **own}
        return [Found(self.name, name, "pending", own[TAG_ADDRESS], {}, {}, parts, all_tags)] if parts else []

    def _found(self, aws: Aws, database: Mapping[str, Any], tags: Mapping[str, str], query: Query) -> Found:
        id_ = database["DBInstanceIdentifier"]
        values = query.values_of(id_)
        group_ids = [one["VpcSecurityGroupId"] for one in database.get("VpcSecurityGroups", ())]
        groups = aws.described("describe_security_groups", "SecurityGroups", "group-id", group_ids)
        names = sorted(group["GroupName"] for group in groups)
        if names == ["default"] and values is not None and not values["security_groups"]:
            names = []
        told = {**told_of(database, values), "security_groups": names, **tags_told(tags, values)}
        endpoint = database.get("Endpoint") or {}
        outputs = {
            "id": id_,
            "arn": database.get("DBInstanceArn", ""),
            "endpoint": endpoint.get("Address", ""),
            "port": endpoint.get("Port", 0),
            "username": database.get("MasterUsername", ""),
            "password_secret": (database.get("MasterUserSecret") or {}).get("SecretArn", ""),
        }
        parts = {replica: replica for replica in database.get("ReadReplicaDBInstanceIdentifiers", ())}
        if group := (database.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"):
            parts["subnets"] = group
        for used in database.get("DBParameterGroups", ()):
            if not used["DBParameterGroupName"].startswith("default."):
                parts["parameters"] = used["DBParameterGroupName"]
        status = status_of(database["DBInstanceStatus"])
        return Found(self.name, id_, status, tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, parts, dict(tags))


def _described(aws: Aws, name: str) -> Mapping[str, Any] | None:
    try:
        listed = aws.call("rds", "describe_db_instances", DBInstanceIdentifier=name)["DBInstances"]
    except GoneError:
        return None
    return listed[0] if listed else None


def _replicas(aws: Aws, name: str) -> list[str]:
    now = _described(aws, name) or {}
    return list(now.get("ReadReplicaDBInstanceIdentifiers") or ())


def _groups_by_name(one: Recorded) -> dict[str, str]:
    named = groups_of(one.values)
    parameters = {"parameters": f"{one.id}-{named[0].replace('.', '-')}"} if named else {}
    return {"subnets": f"{one.id}-subnets", **parameters}
