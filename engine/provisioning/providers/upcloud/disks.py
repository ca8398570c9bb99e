"""Block storage: its tier, its backup rule, a backup made now. Root disks and volumes are the same to UpCloud."""

import re
from collections.abc import Mapping
from typing import Any

from prov_corpus.catalogue import disk_type
from provisioning.errors import ProviderError
from provisioning.providers.base import Calls
from provisioning.providers.upcloud.cloud import Cloud, Row
from provisioning.resource import Status

_KINDS = ("ssd", "gp3", "hdd", "gp2", "io1", "io2")
"""Kinds of disk in the configuration's words; the first of a tier stands for it where nobody said which."""
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
STATUS: Mapping[str, Status] = {"online": "available", "maintenance": "pending", "cloning": "pending", "backuping": "available"}


def tier(kind: str | None) -> str:
    """UpCloud's tier of a kind of disk."""
    return disk_type("upcloud", kind or "ssd")


def kind_of(found: str, known: str | None) -> str:
    """The kind of disk of a tier: the known one where it is of that tier."""
    if known and tier(known) == found:
        return known
    return next((kind for kind in _KINDS if tier(kind) == found), found)


def yes(value: bool) -> str:
    """A truth as the API writes it."""
    return "yes" if value else "no"


def backup_rule(backup: Mapping[str, Any] | None) -> dict[str, str]:
    """A schedule as UpCloud's rule; empty is none. Raises ProviderError for what is neither daily nor weekly."""
    if not backup or not backup.get("enabled", True):
        return {}
    schedule = str(backup.get("schedule", "@daily"))
    interval, time = _interval(schedule)
    return {"interval": interval, "time": time, "retention": str(min(int(backup.get("retention_days", 7)), 1095))}


def _interval(schedule: str) -> tuple[str, str]:
    short = {"@daily": ("daily", "0000"), "@weekly": ("sun", "0000")}
    if schedule in short:
        return short[schedule]
    match = re.fullmatch(r"(\d{1,2}) (\d{1,2}) \* \* (\*|[0-7]|[a-zA-Z]{3})", schedule)
    if match and int(match[1]) < 60 and int(match[2]) < 24:
        day = match[3].lower()
        time = f"{int(match[2]):02}{int(match[1]):02}"
        if day == "*":
            return "daily", time
        if day.isdigit():
            return _DAYS[int(day) % 7], time
        if day in _DAYS:
            return day, time
    raise ProviderError(
        f"UpCloud cannot back up by the schedule '{schedule}'",
        hint="it backs up once a day or once a week: @daily, @weekly, or a cron expression such as '30 4 * * *' or '0 3 * * sun'",
    )


def backup_values(rule: Mapping[str, Any], known: Mapping[str, Any] | None) -> dict[str, Any]:
    """A rule as the observed values of a `backup`; nothing where there is none and none is wanted."""
    if not rule:
        return {"backup.enabled": False} if known else {}
    interval, time = str(rule["interval"]), str(rule["time"])
    schedule = str((known or {}).get("schedule", ""))
    try:
        is_same = bool(schedule) and _interval(schedule) == (interval, time)
    except ProviderError:
        is_same = False
    if not is_same:
        day = "*" if interval == "daily" else str(_DAYS.index(interval))
        schedule = f"{int(time[2:])} {int(time[:2])} * * {day}"
    return {"backup.enabled": True, "backup.retention_days": int(rule["retention"]), "backup.schedule": schedule}


def set_backup_rule(cloud: Cloud, storage: str, backup: Mapping[str, Any] | None, calls: Calls, part: str = "") -> None:
    """Bring a storage's backup rule to what is wanted."""
    rule = backup_rule(backup)
    row = cloud.got(f"/storage/{storage}", "storage")
    if row is not None and (row.get("backup_rule") or {}) != rule:
        body = {"storage": {"backup_rule": rule}}
        calls.run("ModifyStorage", lambda: cloud.api.put(f"/storage/{storage}", body), part=part)


def grow(cloud: Cloud, storage: str, size_gb: int, calls: Calls, part: str = "") -> None:
    """Make a storage larger that no running server uses. A smaller size is refused by UpCloud."""
    body = {"storage": {"size": str(size_gb)}}
    calls.run("ModifyStorage", lambda: cloud.api.put(f"/storage/{storage}", body), part=part)
    wait_online(cloud, storage, calls)


def wait_online(cloud: Cloud, storage: str, calls: Calls) -> Row:
    """A storage in full once it can be used. Raises ProviderErrors."""
    seen: list[Row] = []

    def look() -> str:
        seen[:] = [cloud.api.get(f"/storage/{storage}")["storage"]]
        return str(seen[0]["state"])

    cloud.wait(f"storage {storage}", look, lambda state: state in {"online", "backuping"}, calls)
    return seen[0]


def back_up(cloud: Cloud, storage: str, label: str, calls: Calls) -> str:
    """A backup of a storage by its title, made now where there is none. Answers its id once it holds the data."""
    rows = cloud.api.get("/storage/backup")["storages"]["storage"]
    made = next((row["uuid"] for row in rows if row.get("origin") == storage and row.get("title") == label), None)
    if made is None:
        body = {"storage": {"title": label}}
        made = calls.run("CreateBackup", lambda: cloud.api.post(f"/storage/{storage}/backup", body))["storage"]["uuid"]
    wait_online(cloud, made, calls)
    return str(made)
