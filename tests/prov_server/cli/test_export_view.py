"""How an export and an import look: the text alone on stdout, what they do not carry on stderr, files only when asked for."""

from pathlib import Path
from typing import Any

import pytest

from prov_server.cli.options import Choices
from prov_server.cli.session import Session
from prov_server.cli.views import Answer
from prov_server.cli.views.export import act, show
from prov_tools.exports import ExportConfigOutput, ImportTerraformOutput, NotCarriedRow, export_config, import_terraform
from stratumops.errors import ConflictError, InvalidInputError

LOST = NotCarriedRow(path="servers.0.plan", reason="made elsewhere")
TEXT = '{"a": "\u202e [bold]x[/bold] ' + "long " * 100 + '\\r"}\n'


def exported(files: dict[str, str], *lost: NotCarriedRow) -> ExportConfigOutput:
    return ExportConfigOutput(format="cloudformation", files=files, not_carried=list(lost), notes=[])


def answer(output: ExportConfigOutput | ImportTerraformOutput, /, **extras: Any) -> Answer:
    tool = export_config if isinstance(output, ExportConfigOutput) else import_terraform
    return Answer(tool, output, {}, {}, extras, Session(Choices()))


def test_a_single_file_is_on_stdout_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(exported({"template.json": TEXT}, LOST)))
    out, notes = capsys.readouterr()
    assert out == TEXT
    assert "1 value is not carried" in notes
    assert "servers.0.plan  made elsewhere" in notes


def test_nothing_is_said_where_everything_was_carried(capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(exported({"template.json": TEXT})))
    assert capsys.readouterr().err == ""


def test_several_files_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(exported({"a.yaml": "1\n2\n", "b.yaml": "1\n"}, LOST, LOST)))
    out, notes = capsys.readouterr()
    assert out == "a.yaml  2 lines\nb.yaml  1 line\n"
    assert "--output FOLDER" in notes
    assert "2 values are not carried" in notes


def test_an_export_without_files_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(exported({}, LOST)))
    out, notes = capsys.readouterr()
    assert out == ""
    assert "nothing of this configuration" in notes


def test_output_writes_every_file_into_a_folder_and_prints_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = answer(exported({"main/shop/api.yaml": "1\n", "main/namespaces.yaml": "2\n"}), output=str(tmp_path / "out") + "/")
    act(made)
    show(made)
    assert (tmp_path / "out" / "main" / "shop" / "api.yaml").read_text(encoding="utf-8") == "1\n"
    out, notes = capsys.readouterr()
    assert out == ""
    assert notes.count("wrote ") == 2


def test_a_single_file_goes_under_the_name_of_a_file(tmp_path: Path) -> None:
    act(answer(exported({"main.tf.json": "1\n"}), output=str(tmp_path / "out.tf.json")))
    assert (tmp_path / "out.tf.json").read_text(encoding="utf-8") == "1\n"


@pytest.mark.parametrize("target", ["out", "v1.2/", "there.d"])
def test_a_single_file_goes_into_a_folder_that_is_called_one(tmp_path: Path, target: str) -> None:
    (tmp_path / "there.d").mkdir()
    act(answer(exported({"main.tf.json": "1\n"}), output=f"{tmp_path}/{target}"))
    assert (tmp_path / target / "main.tf.json").read_text(encoding="utf-8") == "1\n"


def test_several_files_go_into_a_folder_whatever_its_name(tmp_path: Path) -> None:
    act(answer(exported({"a.yaml": "1\n", "b.yaml": "2\n"}), output=str(tmp_path / "out.d")))
    assert sorted(path.name for path in (tmp_path / "out.d").iterdir()) == ["a.yaml", "b.yaml"]


def test_a_file_that_exists_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine", encoding="utf-8")
    files = {"a.yaml": "1\n", "b.yaml": "2\n"}
    with pytest.raises(ConflictError, match=r"a\.yaml exists already"):
        act(answer(exported(files), output=str(tmp_path)))
    assert not (tmp_path / "b.yaml").exists()
    act(answer(exported(files), output=str(tmp_path), force=True))
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == "1\n"


def test_the_root_of_the_system_is_no_folder_for_an_export() -> None:
    with pytest.raises(InvalidInputError, match="no place to write to"):
        act(answer(exported({"a.yaml": "1\n"}), output="/"))


def test_a_dash_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    made = answer(exported({"template.json": TEXT}), output="-")
    act(made)
    show(made)
    assert capsys.readouterr().out == TEXT


def test_an_import_is_nickel_on_stdout_or_in_the_named_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ImportTerraformOutput(config="{ name = 1 }\n", not_carried=[LOST], notes=[])
    show(answer(output))
    assert capsys.readouterr().out == "{ name = 1 }\n"
    target = tmp_path / "main.ncl"
    made = answer(output, output=str(target))
    act(made)
    show(made)
    out, notes = capsys.readouterr()
    assert out == ""
    assert "not carried" in notes
    assert target.read_text(encoding="utf-8") == "{ name = 1 }\n"


def test_a_path_in_a_configuration_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(exported({}, NotCarriedRow(path="tags.\x1b[31mred", reason="\u202eodd"))))
    notes = capsys.readouterr().err
    assert "\x1b" not in notes
    assert "\u202e" not in notes
