"""Answers as tables for people or as Vault's JSON for programs. stdout holds the answer and nothing else."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from svault.cli.failure import LOCAL, CommandError
from svault.logical.durations import format_duration

GAP = 4
_ORDER = ("request_id", "lease_id", "lease_duration", "renewable", "data", "warnings", "auth", "wrap_info")
_WHEN_THERE = {"auth", "wrap_info"}


def as_json(value: Any) -> None:
    """Vault's two-space JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def secret_json(body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in the order and with the members that Vault's command line prints."""
    if "request_id" not in body:
        return dict(body)
    return {name: body.get(name) for name in _ORDER if name not in _WHEN_THERE or body.get(name)}


def rows(table: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Columns under underlined heads; a value with line breaks stays one row for grep only as long as it has none."""
    lines = [tuple(heads), tuple("-" * len(head) for head in heads), *(tuple(row) for row in table)]
    widths = [max(len(line[column]) for line in lines) + GAP for column in range(len(heads))]
    for line in lines:
        click.echo("".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def pairs(values: Mapping[str, Any], heads: tuple[str, str] = ("Key", "Value")) -> None:
    """A table of names and values, sorted as Vault's."""
    rows([(name, shown(value)) for name, value in sorted(values.items())], heads)


def ordered_pairs(values: Sequence[tuple[str, Any]], *, heads: bool = True) -> None:
    """A table in the order given; without heads where Vault has none."""
    if heads:
        rows([(name, shown(value)) for name, value in values], ("Key", "Value"))
        return
    width = max(len(name) for name, _ in values) + GAP
    for name, value in values:
        click.echo(f"{name.ljust(width)}{shown(value)}")


def titled(title: str, values: Mapping[str, Any]) -> None:
    """A table under a title, as `kv get` has them."""
    texts = [(name, shown(value)) for name, value in sorted(values.items())]
    width = max([len(name) for name, _ in texts] + [3]) + GAP + len("Value")
    click.echo(f" {title} ".center(width, "="))
    rows(texts, ("Key", "Value"))


def shown(value: Any) -> str:
    """A value as Go prints it: `<nil>`, `[a b]`, `map[a:1]`, `true`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value or "n/a"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{name}:{shown(one)}' for name, one in sorted(value.items()))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(shown(one) for one in value)}]"
    return str(value)


def field_of(body: Mapping[str, Any], name: str) -> Any:
    """What `-field` names: of the data, the token, the lease or the whole answer. Raises CommandError."""
    auth, wrapped = body.get("auth") or {}, body.get("wrap_info") or {}
    data = body.get("data")
    places: list[Mapping[str, Any]] = [
        {"token": auth.get("client_token"), "token_accessor": auth.get("accessor"), "token_duration": auth.get("lease_duration")}
        if auth
        else {},
        {"wrapping_token": wrapped.get("token"), "wrapping_accessor": wrapped.get("accessor")} if wrapped else {},
        data if isinstance(data, Mapping) else {},
        auth,
        body,
    ]
    for place in places:
        if name in place:
            return place[name]
    raise CommandError(f"the answer has no field {name!r}", hint="leave -field out to see all")


def one_field(value: Any, *, is_json: bool) -> int:
    """A value alone, without a line break, so that it can be used in a script."""
    if is_json:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False), nl=False)
    elif isinstance(value, str):
        click.echo(value, nl=False)
    elif value is None:
        return LOCAL
    else:
        click.echo(json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else shown(value), nl=False)
    return 0


def secret(body: Mapping[str, Any]) -> None:
    """An answer as a table: the wrapping token, the token, or the data with its lease."""
    if body.get("wrap_info"):
        info = body["wrap_info"]
        ordered_pairs(
            [
                (f"{label}:", shown(value))
                for label, value in (
                    ("wrapping_token", info["token"]),
                    ("wrapping_accessor", info["accessor"]),
                    ("wrapping_token_ttl", duration(info["ttl"])),
                    ("wrapping_token_creation_time", info["creation_time"]),
                    ("wrapping_token_creation_path", info["creation_path"]),
                    ("wrapped_accessor", info.get("wrapped_accessor")),
                )
                if value
            ]
        )
    elif body.get("auth"):
        token(body["auth"])
    else:
        data = body.get("data")
        lease = [
            ("lease_id", body["lease_id"]),
            ("lease_duration", duration(body["lease_duration"])),
            ("lease_renewable", body["renewable"]),
        ]
        listed = sorted((data if isinstance(data, Mapping) else {}).items())
        values = [*(lease if body.get("lease_id") else ()), *listed]
        if values:
            ordered_pairs(values)


def token(auth: Mapping[str, Any]) -> None:
    """A token as `login` and `token create` print it."""
    ordered_pairs(
        [
            ("token", auth["client_token"]),
            ("token_accessor", auth.get("accessor", "")),
            ("token_duration", duration(auth.get("lease_duration", 0)) if auth.get("lease_duration") else "∞"),
            ("token_renewable", auth.get("renewable", False)),
            ("token_policies", _quoted(auth.get("token_policies"))),
            ("identity_policies", _quoted(auth.get("identity_policies"))),
            ("policies", _quoted(auth.get("policies"))),
            *((f"token_meta_{name}", value) for name, value in sorted((auth.get("metadata") or {}).items())),
        ]
    )


def duration(seconds: int) -> str:
    """`1h`, `1m`, `768h`, as Vault's command line shortens them."""
    text = format_duration(int(seconds))
    return text.removesuffix("0s").removesuffix("0m") if seconds and text.endswith(("m0s", "h0m0s")) else text


def _quoted(names: Any) -> str:
    return f"[{' '.join(json.dumps(name) for name in names or ())}]"


def warned(body: Mapping[str, Any]) -> None:
    """The vault's warnings, to stderr."""
    for text in body.get("warnings") or ():
        click.echo(f"warning: {text}", err=True)
