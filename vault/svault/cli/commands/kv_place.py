"""Where a secret is: its mount, the path below it, and which version of kv keeps it."""

from typing import NamedTuple

import click

from svault.cli.failure import CommandError
from svault.cli.session import Session

mount_option = click.option("--mount", default="", help="Where the engine is mounted; the path is below it then.")


class Place(NamedTuple):
    """A path below a mount."""

    mount: str
    path: str
    version: int

    def at(self, part: str) -> str:
        """The path of a part (`data`, `metadata`, ...) of version 2; version 1 has none."""
        return "/".join(word for word in (self.mount, part if self.version == 2 else "", self.path) if word)

    def need_versions(self) -> None:
        """Raise CommandError for version 1."""
        if self.version != 2:
            raise CommandError(
                f"{self.mount}/ is kv version 1, which keeps no versions", hint="svault secrets enable -version=2 kv"
            )


def place_of(session: Session, mount: str, path: str) -> Place:
    """Where a path is: the vault knows its mount and version. Raises ApiError."""
    asked = (mount or path).strip("/")
    body = session.vault.ask("GET", f"sys/internal/ui/mounts/{asked}", wrap_ttl="")
    data = body.get("data") or body
    found = data["path"].strip("/")
    version = int((data.get("options") or {}).get("version") or 1)
    return Place(found, path.strip("/") if mount else asked[len(found) :].strip("/"), version)
