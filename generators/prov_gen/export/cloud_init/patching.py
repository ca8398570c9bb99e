"""Security updates that install themselves: unattended-upgrades on Debian and Ubuntu, dnf-automatic on Rocky.

Sources: the packages' own configuration files; systemd.time(7) for the timer.
"""

import re
from dataclasses import dataclass
from typing import Any

from prov_gen.export.tracking import Ledger, path_of

_WINDOW = re.compile(
    r"(?:(?P<day>mon|tue|wed|thu|fri|sat|sun)\s+)?(?P<start>(?:[01]\d|2[0-3]):[0-5]\d)-(?P<end>(?:[01]\d|2[0-3]):[0-5]\d)",
    re.IGNORECASE,
)
_APT = {True: "1", False: "0"}


@dataclass(frozen=True, slots=True)
class Steps:
    """What cloud-init does for one subject: packages, files (`path` -> content) and commands."""

    packages: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()


def patching_steps(patching: Any, family: str, ledger: Ledger) -> Steps:
    """What makes a server's patching as stated; what its distribution cannot do is left in the ledger."""
    where = path_of(patching)
    if family == "alpine":
        ledger.leave((*where, "window"), "Alpine has no unattended security updates")
        if patching.automatic:
            ledger.tell((*where, "automatic"), "Alpine has no unattended security updates")
        return Steps()
    if not patching.automatic:
        ledger.leave((*where, "window"), "nothing installs itself, so there is no window")
        return Steps(files=(_apt_periodic(on=False),)) if family != "rocky" else Steps()
    timer = _timer(patching, "dnf-automatic-install" if family == "rocky" else "apt-daily-upgrade", ledger)
    reload = (("systemctl", "daemon-reload"),) if timer else ()
    if family == "rocky":
        # This timer installs whatever the file says about it; what is installed is the file's matter.
        settings = ("sed", "-i", "s/^upgrade_type *=.*/upgrade_type = security/", "/etc/dnf/automatic.conf")
        enable = ("systemctl", "enable", "--now", "dnf-automatic-install.timer")
        return Steps(("dnf-automatic",), timer, (settings, *reload, enable))
    restart = (("systemctl", "restart", "apt-daily-upgrade.timer"),) if timer else ()
    return Steps(("unattended-upgrades",), (_apt_periodic(on=True), *timer), (*reload, *restart))


def _apt_periodic(*, on: bool) -> tuple[str, str]:
    lines = f'APT::Periodic::Update-Package-Lists "{_APT[on]}";\nAPT::Periodic::Unattended-Upgrade "{_APT[on]}";\n'
    return "/etc/apt/apt.conf.d/52prov-unattended-upgrades", lines


def _timer(patching: Any, unit: str, ledger: Ledger) -> tuple[tuple[str, str], ...]:
    """The drop-in that moves a timer into the window, if one is stated and can be read."""
    window = patching.window
    if window is None:
        return ()
    match = _WINDOW.fullmatch(window.strip())
    if match is None:
        ledger.leave((*path_of(patching), "window"), "not of the form 'sun 03:00-05:00'")
        return ()
    day = f"{match['day'].capitalize()} " if match["day"] else ""
    # An update may start at any minute of the window; how long it takes is its own matter.
    length = (_minutes(match["end"]) - _minutes(match["start"])) % (24 * 60)
    text = f"[Timer]\nOnCalendar=\nOnCalendar={day}*-*-* {match['start']}:00\nRandomizedDelaySec={length}min\nPersistent=false\n"
    return ((f"/etc/systemd/system/{unit}.timer.d/50-prov.conf", text),)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
