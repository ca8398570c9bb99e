"""The tree of commands: what only a person runs is here, the tools join from the registry when they are asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from rich_click import RichHelpConfiguration

from prov_server.cli.commands.apply import apply, destroy, rollback
from prov_server.cli.commands.approve import approve, approver_group, deny
from prov_server.cli.commands.audit import audit
from prov_server.cli.commands.cert import cert_commands
from prov_server.cli.commands.completion import completion
from prov_server.cli.commands.compliance import compliance_commands
from prov_server.cli.commands.config import config
from prov_server.cli.commands.demo import demo
from prov_server.cli.commands.init import init
from prov_server.cli.commands.mcp import mcp_commands
from prov_server.cli.commands.plan import plan
from prov_server.cli.commands.prices import prices
from prov_server.cli.commands.provider import provider_commands
from prov_server.cli.commands.query import query
from prov_server.cli.commands.rag import rag_commands
from prov_server.cli.commands.sandbox import sandbox_group
from prov_server.cli.commands.schema import schema_list
from prov_server.cli.commands.serve import serve
from prov_server.cli.commands.state import state_commands
from prov_server.cli.commands.troubleshoot import troubleshoot
from prov_server.cli.commands.trust import trust
from prov_server.cli.commands.vault import vault_commands
from prov_server.cli.commands.version import version
from prov_server.cli.commands.workflow import workflow_commands
from prov_server.cli.groups import Group
from prov_server.cli.session import Session

if TYPE_CHECKING:
    from prov_server.compose import Application
    from stratumops.registry import Registry

START, ASSISTANTS, HERE, CONFIGURATIONS, SECRETS = "Start here", "Assistants", "This workspace", "Configurations", "Secrets"
CHANGES, RECORDED, KNOWN = "Plan and apply", "What there is", "What is known"

HELP = "Infrastructure from an idea to a typed, validated configuration; for people and, over MCP, for assistants."

CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 110,
    "rich_help_config": RichHelpConfiguration(
        text_markup=None,
        force_terminal=None,  # a pipe gets plain text, whatever CI sets
        max_width=110,
        show_arguments=True,
    ),
}

NEXT_STEPS = (
    ("prov demo", "see it at work (a minute; machines only in a sandbox)"),
    ('prov generate "two web servers behind a load balancer on aws"', "words to a configuration"),
    ("prov validate main.ncl", "check a configuration in seven layers"),
    ("prov init", "make this folder a workspace"),
    ("prov --sandbox plan main.ncl", "what applying it would do, in a cloud on this machine"),
    ("prov mcp install --client claude-code", "let your assistant use it"),
    ("prov --help", "all commands"),
)


def build_root(
    registry: "Callable[[], Registry[Any]] | None" = None, *, build: "Callable[..., Application] | None" = None
) -> Group:
    """The command `prov`. `registry` and `build` stand in for the product's own, for other sets of tools."""
    loaded = False

    def load() -> None:
        nonlocal loaded
        if not loaded:
            loaded = True
            from prov_server.cli.generated import attach

            attach(root, (registry or _registry)(), build=build)

    root = Group("prov", callback=_start, help=HELP, context_settings=CONTEXT, root=True, load=load)
    root.put(init, START)
    root.put(demo, START)
    schema = Group("schema", commands=[schema_list], load=load, help="Look up what a configuration may say")
    mcp = Group("mcp", commands=mcp_commands(), load=load, help="Set up assistants, serve them, use their tools by hand")
    root.put(schema, CONFIGURATIONS)
    root.put(
        Group("compliance", commands=compliance_commands(), load=load, help="Judge by what auditors ask for"), "Before you apply"
    )
    for change in (plan, apply, destroy, rollback, approve, deny, trust, approver_group()):
        root.put(change, CHANGES)
    root.put(Group("provider", commands=provider_commands(), load=load, help="The clouds that can be used here"), CHANGES)
    root.put(Group("workflow", commands=workflow_commands(), load=load, help="Run workflows, watch what is under way"), CHANGES)
    root.put(sandbox_group(), CHANGES)
    root.put(query, RECORDED)
    root.put(Group("state", commands=state_commands(), load=load, help="What is recorded, and putting it right"), RECORDED)
    root.put(troubleshoot, KNOWN)
    root.put(Group("rag", commands=rag_commands(), load=load, help="Find runbooks and other documents"), KNOWN)
    root.put(Group("vault", commands=vault_commands(), load=load, help="Keep secrets, and use them by handle"), SECRETS)
    root.put(Group("cert", commands=cert_commands(), load=load, help="Issue, rotate and revoke TLS certificates"), SECRETS)
    root.put(mcp, ASSISTANTS)
    root.put(serve, ASSISTANTS)
    for command in (config(), prices(load), audit(load), completion(), version):
        root.put(command, HERE)
    return root


def _registry() -> "Registry[Any]":
    from prov_tools.registry import REGISTRY

    return REGISTRY


@click.pass_context
def _start(ctx: click.Context) -> None:
    """`prov` alone: what to try first."""
    if ctx.invoked_subcommand is not None:
        return
    from rich.text import Text

    from stratumops import __version__

    out = Session.current().out
    out.print(Text.assemble(("stratumops ", "heading"), (__version__, "quiet"), f"  {HELP}"))
    out.print()
    width = max(len(command) for command, _ in NEXT_STEPS)
    for command, words in NEXT_STEPS:
        out.print(Text.assemble("  ", (command.ljust(width), "name"), "  ", (words, "quiet")), soft_wrap=True)
