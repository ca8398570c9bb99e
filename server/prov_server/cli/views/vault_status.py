"""The vault's state in a few lines."""

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.vault.status import VaultStatusOutput


def show(answer: Answer) -> None:
    """Print where the vault is, whether it is open, and its engines."""
    output = answer.output
    assert isinstance(output, VaultStatusOutput)
    out = answer.session.out
    state, style = ("open", "good") if output.passed() else ("sealed", "error") if output.sealed else ("cannot be used", "error")
    if not output.initialized:
        state, style = "not made yet", "warning"
    for name, value, look in (
        ("vault", "this workspace's own" if output.place == "workspace" else output.place, "name"),
        ("state", state, style),
        ("keys", output.keys, ""),
        ("version", output.version, ""),
    ):
        if value:
            out.print(Text.assemble((name.ljust(9), "quiet"), (visible(value), look)), soft_wrap=True)
    for engine in output.engines:
        out.print(Text.assemble(("engine".ljust(9), "quiet"), (visible(engine.path), "name"), f"  {visible(engine.description)}"))
    for note in output.notes:
        out.print(Text(visible(note)), soft_wrap=True)
