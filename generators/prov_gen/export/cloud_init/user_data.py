"""One server's user data: what is set up inside the machine when it starts for the first time."""

from dataclasses import dataclass
from typing import Any

from prov_corpus import catalogue
from prov_gen.export.cloud_init.multipart import kind_of, multipart
from prov_gen.export.cloud_init.packages import packages_of, unit_of
from prov_gen.export.cloud_init.patching import Steps, patching_steps
from prov_gen.export.cloud_init.remote_login import ssh_settings, ssh_steps
from prov_gen.export.tracking import Ledger, path_of, record_of
from prov_gen.export.yaml_text import yaml_text

HEADER = "#cloud-config\n"


@dataclass(frozen=True, slots=True)
class UserData:
    """User data as a provider takes it; `is_multipart` when the user's own stands beside ours."""

    text: str
    is_multipart: bool


def user_data(server: Any, config: Any, ledger: Ledger) -> UserData:
    """The user data of a server, read through the ledger; what cloud-init has no place for is left there."""
    # The image is chosen elsewhere: here it only decides how things are said.
    system = record_of(server).spec.os
    family, version = system.family, system.version or catalogue.images()[system.family].default
    time_sync = config.security.time_sync if config.security else True
    steps = [
        ssh_steps(server.ssh, family, version, ledger),
        patching_steps(server.patching, family, ledger),
        _services(server, config, family, ledger),
    ]
    settings: dict[str, Any] = {
        "hostname": server.name,
        "preserve_hostname": False,
        **ssh_settings(server.ssh),
        "ntp": {"enabled": time_sync},
        "package_update": True,
        "packages": [name for step in steps for name in step.packages],
        "write_files": [{"path": path, "permissions": "0644", "content": text} for step in steps for path, text in step.files],
        "runcmd": [list(command) for step in steps for command in step.commands],
    }
    # The schema wants no empty lists.
    ours = HEADER + yaml_text({key: value for key, value in settings.items() if value != []})
    own = server.user_data
    if not own or not own.strip():
        return UserData(ours, is_multipart=False)
    kind = kind_of(own)
    if kind is None:
        ledger.leave((*path_of(server), "user_data"), "its first line is none by which cloud-init tells user data apart")
        return UserData(ours, is_multipart=False)
    return UserData(multipart(ours, own, kind), is_multipart=True)


def _services(server: Any, config: Any, family: str, ledger: Ledger) -> Steps:
    """Services from the distribution's own packages; a stated version or setting is the distribution's matter, not ours."""
    wanted: dict[str, tuple[str | int, ...]] = {}
    for index, name in enumerate(server.taskservs):
        wanted.setdefault(name, (*path_of(server), "taskservs", index))
    for taskserv in config.taskservs:
        where = path_of(taskserv)
        if taskserv.targets and server.name not in taskserv.targets:
            continue
        ledger.leave((*where, "version"), "the distribution's own version is installed")
        ledger.leave((*where, "settings"), "a package is installed as its distribution sets it up")
        wanted[taskserv.name] = (*where, "name")
    found = {name: packages_of(name, family) for name in wanted}
    for name, where in wanted.items():
        if not found[name]:
            ledger.leave(where, f"{family} has no package of its own for {name}: install it as a taskserv")
    units = [unit for name in wanted if found[name] and (unit := unit_of(name, family))]
    packages = dict.fromkeys(package for group in found.values() for package in group)
    return Steps(tuple(packages), (), tuple(("systemctl", "enable", "--now", unit) for unit in units))
