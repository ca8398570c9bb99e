"""The schema files that are committed: fresh, documented, usable as their heads say."""

import re
import subprocess
import sys
from typing import get_type_hints

import pytest

from prov_gen.contracts.expression import contract_of, words
from prov_gen.contracts.generate import FOLDER, OPEN_FOLDER, generate
from prov_gen.contracts.schema import records_of
from prov_gen.model.kinds import BY_NAME, INFRASTRUCTURE, KINDS
from prov_gen.nickel import NickelError, nickel_literal, nickel_string
from stratumops.errors import InternalError

ALL = pytest.mark.parametrize("kind", BY_NAME.values(), ids=lambda kind: kind.name)


def test_every_schema_file_is_what_the_models_say():
    stale = [path.name for path, text in generate().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m prov_gen.contracts"


def test_every_kind_has_its_file_and_nothing_else_lies_there():
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {f"{name}.ncl" for name in BY_NAME} | {"lib.ncl", "types.ncl"}
    assert len(BY_NAME) >= 20


def test_writing_fresh_files_changes_nothing():
    before = {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()}
    done = subprocess.run([sys.executable, "-m", "prov_gen.contracts"], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()} == before


def test_the_open_schemas_export_what_the_strict_ones_do():
    def exported(path):
        _, _, record = path.read_text(encoding="utf-8").rpartition("\n{\n")
        return re.findall(r"^  ([A-Za-z]\w*)(?= =|,?$)", record, re.MULTILINE)

    assert {path.name for path in OPEN_FOLDER.iterdir()} == {path.name for path in FOLDER.iterdir()}
    for path in FOLDER.iterdir():
        assert exported(path), path.name
        assert exported(OPEN_FOLDER / path.name) == exported(path), path.name


@ALL
def test_the_example_in_the_head_of_a_file_is_a_record_of_its_kind(kind, evaluate):
    head = (FOLDER / f"{kind.name}.ncl").read_text(encoding="utf-8").split("\nlet ", 1)[0]
    example = "\n".join(line[2:] for line in head.splitlines() if line.startswith("#   "))
    assert f'import "schemas/{kind.name}.ncl"' in example
    kind.model.model_validate(evaluate(example), strict=True)


@ALL
def test_a_contract_can_be_taken_by_its_path(kind, evaluate):
    text = f'{words()["examples"][kind.name]} | (import "schemas/{kind.name}.ncl").{kind.contract}'
    kind.model.model_validate(evaluate(text), strict=True)


@ALL
def test_every_field_of_a_kind_is_documented_in_its_file(kind):
    written = "".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())
    for record in records_of(kind.model):
        for name, field in record.model_fields.items():
            assert field.description, f"{record.__name__}.{name}"
            assert f"doc {nickel_string(field.description)}" in written, f"{record.__name__}.{name}"


def test_every_message_that_is_written_down_is_used():
    written = "".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())
    messages = [*words()["types"].values(), *words()["fields"].values()]
    assert [message for message in messages if message not in written] == []


def test_every_invariant_of_the_models_is_in_the_contracts():
    written = "".join(path.read_text(encoding="utf-8") for path in FOLDER.iterdir())
    rules = {rule for kind in KINDS for record in records_of(kind.model) for rule in record.invariants}
    assert len(rules) >= 4
    assert [rule.message for rule in rules if rule.message not in written or rule.nickel not in written] == []


def test_no_field_is_called_like_something_that_a_file_imports():
    # A record's fields see each other: `backup | backup.Backup` would be a field that is its own contract.
    for path in FOLDER.iterdir():
        imported = re.findall(r"(?m)^let \{ (.*), \.\. \} = import", path.read_text(encoding="utf-8"))
        names = {name for line in imported for name in line.split(", ")}
        fields = set(re.findall(r"(?m)^ +([a-z_]+)(?: \||$)", path.read_text(encoding="utf-8")))
        assert not names & fields, path.name


def test_a_type_outside_the_closed_set_is_refused_while_the_files_are_made():
    with pytest.raises(InternalError, match=r"Server\.name: no Nickel contract"):
        contract_of(bytes, "Server.name")


def test_a_pattern_without_words_is_refused_while_the_files_are_made():
    hints = get_type_hints(BY_NAME["limits"].model, include_extras=True)
    with pytest.raises(InternalError, match="a pattern needs a message"):
        contract_of(hints["currency"], "Limits.nowhere")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ('{\n  servers = [\n    { name = "web", spec.disk_gb = 10 },\n  ],\n}', "Disk must be at least 20GB", 3, 36),
        ('{\n  servers = [\n    { name = "web", spec = { cpus = 4 } },\n  ],\n}', "extra field `cpus`", 3, 28),
        ('{\n  provider = "aws2",\n}', "must be one of 'aws, 'gcp", 2, 14),
        ('{\n  clusters = [{ name = "k", workers.auto_scaling = { min = 9, max = 3 } }],\n}', "auto_scaling.min", 2, 52),
        ("{\n  servers = [{ spec.cpu = 2 }],\n}", "missing definition for `name`", 2, 14),
    ],
)  # fmt: skip
def test_a_broken_contract_points_into_the_lines_of_the_user(text, message, line, column, evaluate):
    with pytest.raises(NickelError) as failed:
        evaluate(text, f'(import "schemas/infrastructure.ncl").{INFRASTRUCTURE.contract}')
    first = failed.value.diagnostics[0]
    assert message in first.message
    assert (first.file, first.line, first.column) == ("config.ncl", line, column)


def test_a_text_of_many_combining_characters_is_counted_as_the_models_count_it(evaluate):
    contract = '(import "schemas/types.ncl").Label'
    fits, too_long = "e\u0301" * 128, "e\u0301" * 128 + "!"
    assert evaluate(nickel_literal(fits), contract) == fits
    with pytest.raises(NickelError, match="must be a text of 1 to 256 characters"):
        evaluate(nickel_literal(too_long), contract)


def test_an_enum_is_written_as_a_tag_or_as_a_text(evaluate):
    contract = '(import "schemas/types.ncl").Provider'
    assert evaluate("'aws", contract) == evaluate('"aws"', contract) == "aws"


def test_a_record_can_be_merged_and_overridden_before_and_after_its_contract(evaluate):
    text = (
        'let { Server, .. } = import "schemas/server.ncl" in\n'
        'let base = { name | default = "base", role = "web" } in\n'
        '[base & { name = "a" } | Server, (base | Server) & { name = "b", spec.disk_gb = 30 }]'
    )
    merged, overridden = evaluate(text)
    assert (merged["name"], merged["spec"]["disk_gb"]) == ("a", 50)
    assert (overridden["name"], overridden["role"], overridden["spec"]["disk_gb"]) == ("b", "web", 30)


def test_a_contract_can_be_applied_twice(evaluate):
    for kind in BY_NAME.values():
        once = evaluate(words()["examples"][kind.name], f'(import "schemas/{kind.name}.ncl").{kind.contract}')
        text = f'{words()["examples"][kind.name]} | (import "schemas/{kind.name}.ncl").{kind.contract}'
        assert evaluate(text, f'(import "schemas/{kind.name}.ncl").{kind.contract}') == once


def test_no_message_of_a_contract_repeats_a_text_that_may_be_a_secret(evaluate):
    for text in (
        '{ name = "d", password = "hunter2" }',
        '{ name = "d", kms_key = "hunter2!" }',
        '{ name = "d", engine = "hunter2" }',
    ):
        with pytest.raises(NickelError) as failed:
            evaluate(text, '(import "schemas/database.ncl").Database')
        assert "hunter2" not in repr(failed.value.diagnostics)
        assert "hunter2" not in str(failed.value)
