"""`prov cert`: certificates for a person. Issuing, rotating and revoking are tools; these commands take a person's words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from prov_server.cli.views.columns import Row
    from prov_server.vault.access import VaultAccess
    from prov_tools.vault.kept import Kept, State
    from stratumops.tool import ToolOutput

ENGINE = "pki"
STATES: "Mapping[State, str]" = {"valid": "good", "expires soon": "warning", "expired": "error", "revoked": "error"}
"""How each state looks."""


def _generate(domain: str, engine: str, **more: Any) -> None:
    session = Session.current()
    given = {name: value for name, value in more.items() if value}
    for name in ("alt_names", "ip_addresses"):
        if name in given:
            given[name] = [one.strip() for words in given[name] for one in words.split(",") if one.strip()]
    output = session.call("issue_certificate", {"domain": domain, "engine": engine, **given})
    _tell(session, [output])


def _rotate(domain: str | None, cluster: str | None) -> None:
    session = Session.current()
    if (domain is None) == (cluster is None):
        raise InvalidInputError("which certificate?", hint="--domain example.com, or --cluster NAME for all of a cluster's")
    if cluster is None:
        _tell(session, [session.call("vault_rotate", {"handle": _handle(str(domain))})])
        return
    rows = [one for one in with_vault(session, _kept)[0] if one.cluster == cluster]
    if rows:
        _tell(session, [session.call("vault_rotate", {"handle": one.handle}) for one in rows])
        return
    from prov_tools.vault.issuing import CLUSTER_NAMES

    session.notes.print(f"the cluster {visible(cluster)} had no certificate: this is its first one", style="quiet")
    asked = {"domain": cluster, "alt_names": list(CLUSTER_NAMES), "cluster": cluster}
    _tell(session, [session.call("issue_certificate", asked)])


def _handle(domain: str) -> str:
    from prov_tools.vault.issuing import FOLDER, KEY_FIELD
    from stratumops.handles import SecretHandle

    return str(SecretHandle(f"{FOLDER}/{domain}", KEY_FIELD))


def _tell(session: Session, outputs: "list[ToolOutput]") -> None:
    from stratumops.schema import compact_dump

    answers = [compact_dump(output) for output in outputs]
    if session.as_json:
        session.say_json(answers[0] if len(answers) == 1 else answers)
        return
    for answer in answers:
        for name, label in (("handle", "private key"), ("serial", "serial"), ("expires", "valid until")):
            if name in answer:
                session.out.print(Text.assemble((label.ljust(12), "quiet"), (visible(str(answer[name])), "name")), soft_wrap=True)
        if "certificate" in answer:
            session.out.print(answer["certificate"].strip(), soft_wrap=True)
        for note in answer["notes"]:
            session.notes.print(visible(note), style="quiet", soft_wrap=True)


async def _kept(vault: "VaultAccess") -> "tuple[list[Kept], list[str]]":
    from prov_tools.vault.kept import certificates
    from prov_tools.vault.listing import MAX_LISTED

    return await certificates(await vault.client(), MAX_LISTED)


def _list() -> None:
    from prov_server.cli.views.tall import print_rows

    session = Session.current()
    found, notes = with_vault(session, _kept)
    if session.as_json:
        session.say_json([one.as_dict() for one in found])
    elif found:
        heading = [(word, "quiet") for word in ("domain", "state", "days", "valid until", "cluster", "private key")]
        print_rows(session.out, heading, [(_row(one), _tall(one)) for one in found], "llrlll", (5, 0))
    else:
        notes = ["there are no certificates: prov cert generate --domain example.com"]
    for note in notes:
        session.notes.print(visible(note), style="quiet", soft_wrap=True)


def _row(one: "Kept") -> "Row":
    return [
        (visible(one.domain), "name"),
        (one.state, STATES[one.state]),
        (str(one.days), ""),
        (f"{one.expires:%Y-%m-%d %H:%M:%SZ}", ""),
        (visible(one.cluster or "-"), ""),
        (visible(one.handle), "quiet"),
    ]


def _tall(one: "Kept") -> list[Text]:
    days = f"{abs(one.days):,} {'day' if abs(one.days) == 1 else 'days'}"
    left = f"ended {days} ago" if one.days < 0 else f"{days} left"
    return [
        Text(visible(one.domain), "name"),
        Text.assemble((one.state, STATES[one.state]), f", {left}"),
        Text(f"until {one.expires:%Y-%m-%d %H:%M:%SZ}"),
        *([Text(f"cluster {visible(one.cluster)}")] if one.cluster else []),
        Text(visible(one.handle), "quiet"),
    ]


def cert_commands() -> list[click.Command]:
    """The commands of `prov cert` that are for people; the tools join them."""
    many: dict[str, Any] = {"multiple": True, "metavar": "NAME"}
    generate = [
        RichOption(["--domain"], required=True, help="Host name, such as example.com"),
        RichOption(["--engine"], default=ENGINE, show_default=True, help="Where the PKI engine is mounted"),
        RichOption(["--alt-name", "alt_names"], help="One more host name; again for more", **many),
        RichOption(["--ip", "ip_addresses"], help="An IP address; again for more", multiple=True, metavar="ADDRESS"),
        RichOption(["--ttl"], help="How long it is valid, such as 720h [default: 720h]"),
        RichOption(["--role"], help="The engine's role; without it the workspace's own"),
        RichOption(["--cluster"], help="The cluster it is for, to rotate all of its certificates at once"),
    ]
    rotate = [
        RichOption(["--domain"], help="Of the certificate to replace"),
        RichOption(["--cluster"], help="Replace all certificates of this cluster; its first one is issued if it has none"),
    ]
    about = "Issue a TLS certificate: it is printed, and its private key is kept in the vault. A root is made on first use."
    return [
        Command("generate", callback=_generate, params=list(generate), help=about),
        Command("rotate", callback=_rotate, params=list(rotate), help="Replace certificates, with new keys, for the same names."),
        Command(
            "list",
            callback=_list,
            help="List the certificates whose keys are kept here: valid, expires soon, expired or revoked.",
        ),
    ]
