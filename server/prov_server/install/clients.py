"""The MCP clients that `prov mcp install` knows: data in `clients.toml`, read once."""

import os
import sys
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from stratumops.errors import InvalidInputError, NotFoundError

Scope = Literal["user", "project"]
Format = Literal["json", "jsonc", "toml"]


@dataclass(frozen=True, slots=True)
class Client:
    """One client: where its list of servers lies and what an entry looks like. The fields are explained in `clients.toml`."""

    name: str
    title: str
    format: Format
    key: tuple[str, ...]
    source: str
    after: str
    user: dict[str, str]
    project: str | None = None
    entry: dict[str, Any] = field(default_factory=dict)
    folder_variable: str | None = None
    starts_anywhere: bool = False

    def config_path(
        self, scope: Scope = "user", *, home: Path | None = None, project: Path | None = None, platform: str = sys.platform
    ) -> Path:
        """The file that this client reads.

        With `home`, everything is below that folder and the environment is not asked; without it, the person's own home
        and the variables that move folders (`XDG_CONFIG_HOME`, the client's own) count.
        Raises InvalidInputError when the client has no such file on this platform or in this scope.
        """
        if scope == "project":
            if self.project is None:
                raise InvalidInputError(
                    f"{self.title} has no settings of a project", hint="install it for the user: --scope user", client=self.name
                )
            return (project or Path.cwd()) / self.project
        template = self.user.get(platform)
        if template is None:
            raise InvalidInputError(
                f"where {self.title} keeps its servers on {platform} is not known",
                hint="add the server in the client's own settings; `mcp.json` shows the entry",
                client=self.name,
            )
        environment: dict[str, str] = dict(os.environ) if home is None else {}
        home = home or Path.home()
        if self.folder_variable and environment.get(self.folder_variable):
            return Path(environment[self.folder_variable]).expanduser() / Path(template).name
        return Path(
            template.format(
                home=home,
                config=environment.get("XDG_CONFIG_HOME") or home / ".config",
                appdata=environment.get("APPDATA") or home / "AppData" / "Roaming",
            )
        )


@cache
def clients() -> tuple[Client, ...]:
    """Every known client, in the order of `clients.toml`."""
    data = tomllib.loads((files(__package__ or "") / "clients.toml").read_text(encoding="utf-8"))
    return tuple(Client(**{**row, "key": tuple(row["key"])}) for row in data["client"])


def find_client(name: str) -> Client:
    """The client of that name. Raises NotFoundError with the nearest names."""
    by_name = {one.name: one for one in clients()}
    if name in by_name:
        return by_name[name]
    near = get_close_matches(name, by_name, n=3, cutoff=0.5)
    raise NotFoundError(
        f"there is no client named {name[:80]!r}",
        hint=f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(by_name)}",
        clients=list(by_name),
    )
