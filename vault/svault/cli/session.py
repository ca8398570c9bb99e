"""The options that every command which asks a vault takes, and what a command does with them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import click

from svault.cli import output
from svault.cli.client import Connection, Vault, setting
from svault.cli.failure import ApiError
from svault.cli.groups import Command, Group

_KEPT = "svault.options"
FORMATS = ["table", "json"]


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta.setdefault(_KEPT, {})[param.name] = value


def _options() -> list[click.Option]:
    """Options as Vault's command line names them."""
    words = (
        ("--address", "URL", "Where the vault is (VAULT_ADDR)."),
        ("--ca-cert", "FILE", "PEM file with the CA of the vault's certificate (VAULT_CACERT)."),
        ("--client-cert", "FILE", "PEM file with this client's certificate (VAULT_CLIENT_CERT)."),
        ("--client-key", "FILE", "PEM file with its key (VAULT_CLIENT_KEY)."),
        ("--wrap-ttl", "DURATION", "Wrap the answer: a token that shows it once."),
        ("--field", "NAME", "Print this field alone, without a line break."),
    )
    made = [
        click.Option([name], metavar=kind, default="", help=text, expose_value=False, callback=_keep)
        for name, kind, text in words
    ]
    flag = click.Option(
        ["--tls-skip-verify"], is_flag=True, help="Do not check the certificate.", expose_value=False, callback=_keep
    )
    shape = click.Option(
        ["--format"],
        type=click.Choice(FORMATS),
        default=None,
        help="table or json (VAULT_FORMAT).",
        expose_value=False,
        callback=_keep,
    )
    return [*made, flag, shape]


class AskingCommand(Command):
    """A command that asks a vault."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {name for param in self.params for name in param.opts}
        self.params.extend(option for option in _options() if option.opts[0] not in own)


class AskingGroup(Group):
    """A group of such commands."""

    command_class = AskingCommand


class Session:
    """What one command was told about the vault and the shape of its answer."""

    def __init__(self, given: Mapping[str, Any], token: str | None = None) -> None:
        self._given = given
        self._token = token
        self.field: str = given.get("field") or ""
        self.is_json = (given.get("format") or setting("FORMAT")) == "json"

    @classmethod
    def current(cls, token: str | None = None) -> "Session":
        """Of the running command; `token` instead of the environment's or kept one."""
        return cls(click.get_current_context().meta.get(_KEPT, {}), token)

    @cached_property
    def vault(self) -> Vault:
        """The vault."""
        given = self._given
        return Vault(
            Connection(
                given.get("address") or "",
                given.get("ca_cert") or "",
                given.get("client_cert") or "",
                given.get("client_key") or "",
                bool(given.get("tls_skip_verify")),
                given.get("wrap_ttl") or "",
                self._token,
            )
        )

    def show(self, body: Mapping[str, Any], said: str = "") -> int:
        """Print an answer in the chosen shape; `said` stands for one without content."""
        output.warned(body)
        if self.field:
            return output.one_field(output.field_of(body, self.field), is_json=self.is_json)
        if self.is_json:
            if body:
                output.as_json(output.secret_json(body))
        elif body and (body.get("data") or body.get("auth") or body.get("wrap_info")):
            output.secret(body)
        elif said:
            click.echo(said)
        return 0

    def show_data(self, data: Mapping[str, Any], said: str = "") -> int:
        """Print an answer that is all data."""
        if self.field:
            return output.one_field(output.field_of({"data": data}, self.field), is_json=self.is_json)
        if self.is_json:
            output.as_json(data)
            return 0
        if said:
            click.echo(f"{said}\n")
        output.pairs(data)
        return 0

    def show_names(self, names: list[str]) -> int:
        """Print a list of names."""
        if self.is_json:
            output.as_json(names)
        else:
            output.rows([(name,) for name in names], ("Keys",))
        return 0

    def listed(self, path: str) -> list[str]:
        """The names below a path. Raises ApiError when there is none (exit code 2, as Vault)."""
        try:
            body = self.vault.ask("LIST", path)
        except ApiError as error:
            if error.status != 404:
                raise
            body = {}
        names: list[str] = (body.get("data") or {}).get("keys") or []
        if not names:
            if self.is_json:
                output.as_json({})
            raise ApiError(f"no value found at {path}", status=404)
        return names


def absent(path: str) -> ApiError:
    """Nothing is there: exit code 2."""
    return ApiError(f"no value found at {path}", status=404)
