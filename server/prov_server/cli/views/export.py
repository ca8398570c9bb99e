"""A configuration in another form: a single file on stdout, alone, so that it can be piped; what it does not carry on stderr."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.writing import STDOUT, write_new
from prov_tools.exports import ExportConfigOutput, ImportTerraformOutput, NotCarriedRow
from stratumops.errors import InvalidInputError


def act(answer: Answer) -> None:
    """Write what `--output` asks for: a file for an import; for an export a folder, or one file under a file's name.

    Raises ConflictError, InvalidInputError.
    """
    target = answer.extras.get("output")
    if not target or target == STDOUT:
        return
    output = answer.output
    if isinstance(output, ImportTerraformOutput):
        files = {target: output.config}
    else:
        assert isinstance(output, ExportConfigOutput)
        files = _placed(output.files, target)
    for written in write_new(files, force=bool(answer.extras.get("force"))):
        answer.session.notes.print(Text.assemble(("wrote ", "good"), visible(written)), soft_wrap=True)


def _placed(files: Mapping[str, str], target: str) -> dict[str, str]:
    """Texts by path: a single file under the name that was given, when that looks like a file's; else all in a folder."""
    folder = target.rstrip("/")
    if not folder:
        raise InvalidInputError(f"{target!r} is no place to write to", hint="name a folder of your own")
    path = Path(folder)
    if len(files) == 1 and folder == target and path.suffix and not path.is_dir():
        return {folder: next(iter(files.values()))}
    return {f"{folder}/{name}": text for name, text in files.items()}


def show(answer: Answer) -> None:
    """Print a single file, or the list of several; then, beside it, what was not carried."""
    output, out, notes = answer.output, answer.session.out, answer.session.notes
    assert isinstance(output, ExportConfigOutput | ImportTerraformOutput)
    if not answer.extras.get("output") or answer.extras.get("output") == STDOUT:
        files = output.files if isinstance(output, ExportConfigOutput) else {"": output.config}
        if len(files) == 1:
            _print_whole(out, next(iter(files.values())))
        else:
            _list_files(out, notes, files)
    _show_losses(notes, output.not_carried)


def _print_whole(out: Console, text: str) -> None:
    if out.is_terminal:
        out.print(Text(visible(text)), soft_wrap=True, end="")
    else:
        # A pipe gets the file as it is: whoever reads it may sign or parse it.
        out.file.write(text)


def _list_files(out: Console, notes: Console, files: Mapping[str, str]) -> None:
    if not files:
        notes.print(Text("nothing of this configuration has a place in that form", "warning"))
        return
    for name, text in files.items():
        lines = text.count("\n")
        out.print(Text.assemble((visible(name), "name"), f"  {lines:,} line{'' if lines == 1 else 's'}"), soft_wrap=True)
    notes.print(Text("--output FOLDER writes them", "quiet"))


def _show_losses(notes: Console, losses: list[NotCarriedRow]) -> None:
    if not losses:
        return
    values = "1 value is" if len(losses) == 1 else f"{len(losses):,} values are"
    notes.print(Text(f"{values} not carried", "heading"))
    for loss in losses:
        notes.print(Text.assemble("  ", (visible(loss.path), "name"), "  ", visible(loss.reason)), soft_wrap=True)
