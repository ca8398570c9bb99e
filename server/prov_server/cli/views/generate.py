"""A generated configuration: the Nickel text on stdout, alone, so that it can be piped; how it came about on stderr."""

from rich.console import Console
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.highlight import show_code
from prov_server.cli.views import Answer
from prov_server.cli.views.excerpt import Sources, show_findings
from prov_server.cli.writing import STDOUT, require_place, write_new
from prov_tools.config import FindingRow, GenerateConfigOutput

GROUPS = (
    ("understood", "understood", "✓", "good"),
    ("assumed", "assumed", "~", "info"),
    ("unplaced", "found no place", "?", "warning"),
)


def act(answer: Answer) -> None:
    """Write what `--output` and `--split` ask for. Raises ConflictError for a file that exists, without `--force`."""
    output = answer.output
    assert isinstance(output, GenerateConfigOutput)
    files: dict[str, str] = {}
    workspace = answer.session.workspace
    if (target := answer.extras.get("output")) and target != STDOUT:
        require_place(target, workspace)
        files[target] = output.config
    if folder := answer.extras.get("split"):
        require_place(f"{folder.rstrip('/')}/main.ncl", workspace)
        files |= {f"{folder.rstrip('/')}/{name}": text for name, text in (output.files or {}).items()}
    for written in write_new(files, force=bool(answer.extras.get("force"))):
        answer.session.notes.print(Text.assemble(("wrote ", "good"), visible(written)), soft_wrap=True)


def show(answer: Answer) -> None:
    """Print the configuration, and around it what was understood and found."""
    output = answer.output
    assert isinstance(output, GenerateConfigOutput)
    notes = answer.session.notes
    show_understanding(notes, output)
    if answer.extras.get("output") == STDOUT or not (answer.extras.get("output") or answer.extras.get("split")):
        show_code(answer.session.out, output.config)
        if answer.session.out.is_terminal:
            notes.print()
    if output.findings:
        # They speak about the words as well as about the text, so they have no place in it.
        findings = [FindingRow(layer=0, **problem.model_dump()) for problem in output.findings]
        show_findings(notes, findings, Sources(None, name="<generated>", text=output.config))


def show_understanding(console: Console, output: GenerateConfigOutput) -> None:
    """Print what was understood, assumed, and not placed."""
    for field, title, mark, style in GROUPS:
        items: list[str] = getattr(output, field)
        if items:
            console.print(Text(title, "heading"))
            for item in items:
                console.print(Text.assemble("  ", (mark, style), " ", visible(item)), soft_wrap=True)
    console.print()
