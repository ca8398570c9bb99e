"""The verdict on a configuration: its findings in the source, the layers, and one line that sums up."""

from rich.console import Console
from rich.text import Text

from prov_gen.findings import LAYERS
from prov_gen.source import PASTED, looks_like_path
from prov_server.cli.configuration import STDIN as STDIN_ARGUMENT
from prov_server.cli.views import Answer
from prov_server.cli.views.excerpt import STDIN, Sources, show_findings
from prov_tools.config import ValidateConfigOutput


def show(answer: Answer) -> None:
    """Print the verdict."""
    output = answer.output
    assert isinstance(output, ValidateConfigOutput)
    config = str(answer.arguments["config"])
    if looks_like_path(config):
        sources = Sources(answer.session.workspace, name=config.strip())
    else:
        name = STDIN if answer.stated["config"] == STDIN_ARGUMENT else PASTED
        sources = Sources(answer.session.workspace, name=name, text=config)
    show_verdict(answer.session.out, output, sources)


def show_verdict(console: Console, output: ValidateConfigOutput, sources: Sources) -> None:
    """Print findings, layers and summary."""
    show_findings(console, output.findings, sources)
    if output.omitted:
        console.print(f"... and {plural(output.omitted, 'more finding')} (validation.max_findings sets how many are shown)\n")
    console.print(layers(output), soft_wrap=True)
    console.print(summary(output), soft_wrap=True)


def layers(output: ValidateConfigOutput) -> Text:
    """The seven layers, each with its mark: ✗ errors, ! warnings, ✓ neither, · not reached.

    A text without a readable record in it goes no further than the first layer; a record of the wrong shape is not rendered.
    """
    first, *_, last = LAYERS
    has_shape_errors = any(finding.layer == first and finding.severity == "error" for finding in output.findings)
    line = Text("layers  ", "quiet")
    for number, name in LAYERS.items():
        found = {finding.severity for finding in output.findings if finding.layer == number}
        is_reached = number == first or not has_shape_errors or (number != last and bool(output.resources))
        mark, style = ("✓", "good") if is_reached else ("·", "quiet")
        if "error" in found:
            mark, style = "✗", "error"
        elif "warning" in found:
            mark, style = "!", "warning"
        line.append(mark, style).append(f" {name}  ")
    line.rstrip()
    return line


def summary(output: ValidateConfigOutput) -> Text:
    """Such as "not valid: 2 errors, 1 warning in 3 resources"."""
    counts = [plural(n, word) for n, word in ((output.errors, "error"), (output.warnings, "warning")) if n]
    total = sum(output.resources.values())
    said = f"{', '.join(counts) or 'nothing to mend'} in {plural(total, 'resource')}"
    return Text.assemble(("valid", "good") if output.valid else ("not valid", "error"), f": {said}")


def plural(count: int, word: str) -> str:
    """Such as "1 error", "2 errors"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
