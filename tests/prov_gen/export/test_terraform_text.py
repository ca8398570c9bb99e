"""What a configuration says is text for Terraform: never a template, never a secret's value, never another block."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkov_runs import run_checkov
from export_cases import every_kind, examples
from prov_gen.export.formats import FORMATS
from prov_gen.export.formats import export as export_as
from prov_gen.export.terraform import FILE, assemble, export
from prov_gen.export.terraform.document import escaped, unescaped
from prov_gen.model.infrastructure import InfrastructureConfig
from strategies import PROFILE
from stratumops.errors import InvalidInputError

HOSTILE = [
    "${var.secret}",
    "%{ if true }x%{ endif }",
    "$${x}",
    "$$${x}",
    "%%{x}",
    '"}',
    "\\",
    "$",
    "a\nb",
    '${file("/etc/hostname")}',
]
TERRAFORM = shutil.which("terraform")
needs_terraform = pytest.mark.skipif(TERRAFORM is None, reason="the program terraform is not on this machine")


def terraform(folder: Path, *arguments: str) -> str:
    """Run Terraform in a folder; nothing here needs a provider."""
    done = subprocess.run([str(TERRAFORM), *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def config(**fields: object) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(fields)


@needs_terraform
def test_terraform_reads_hostile_text_back_as_it_was_written(tmp_path: Path) -> None:
    outputs = {f"o{index}": {"value": escaped(text)} for index, text in enumerate(HOSTILE)}
    (tmp_path / FILE).write_text(json.dumps({"output": outputs}), encoding="utf-8")
    terraform(tmp_path, "init", "-no-color")
    terraform(tmp_path, "apply", "-auto-approve", "-no-color")
    read = json.loads(terraform(tmp_path, "output", "-json"))
    assert [read[f"o{index}"]["value"] for index in range(len(HOSTILE))] == HOSTILE


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_of_a_configuration_stays_text(text: str) -> None:
    made = config(servers=[{"name": "web", "user_data": text}], description=text)
    document = json.loads(export(made).files[FILE])
    assert unescaped(document["resource"]["aws_instance"]["web"]["user_data"]) == text
    assert unescaped(document["locals"]["description"]) == text


@PROFILE
@given(st.text() | st.text("${%a"))
def test_escaping_has_an_inverse(text: str) -> None:
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize("text", ["${a}", "x ${a}", "%{ if a }"])
def test_a_template_is_no_text(text: str) -> None:
    assert unescaped(text) is None


@needs_terraform
@pytest.mark.parametrize("provider", ["aws", "gcp", "azure", "hetzner", "upcloud"])
def test_terraform_accepts_the_syntax_and_finds_the_provider(provider: str, tmp_path: Path) -> None:
    made = config(
        provider=provider, servers=[{"name": "0web", "tags": {"team": "a"}}], volumes=[{"name": "data", "attached_to": "0web"}]
    )
    text = export(made).files[FILE]
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    (named,) = json.loads(text)["terraform"]["required_providers"].values()
    assert f"/{named['source'].lower()}]" in terraform(tmp_path, "providers", "-no-color")


def test_a_password_is_a_sensitive_variable_that_names_its_place() -> None:
    made = config(databases=[{"name": "orders", "password": "vault:secret/shop/orders#password"}])
    document = json.loads(export(made).files[FILE])
    (name,) = document["variable"]
    assert document["variable"][name]["sensitive"] is True
    assert "vault:secret/shop/orders#password" in document["variable"][name]["description"]
    assert "default" not in document["variable"][name]
    assert document["resource"]["aws_db_instance"]["orders"]["password"] == f"${{var.{name}}}"


def test_a_place_of_a_secret_never_gets_a_value() -> None:
    made = config(secrets=[{"name": "token", "handle": "vault:secret/app#token"}])
    assert set(json.loads(export(made).files[FILE])["resource"]) == {"aws_secretsmanager_secret"}


def test_a_key_that_a_log_group_names_lets_the_logs_of_its_region_use_it_and_no_other_key_does() -> None:
    made = config(
        region="eu-west-1",
        kms_keys=[{"name": "logs"}, {"name": "other"}],
        log_groups=[{"name": "app", "kms_key": "logs"}],
    )
    keys = json.loads(export(made).files[FILE])["resource"]["aws_kms_key"]
    owner, logs = json.loads(keys["logs"]["policy"])["Statement"]
    assert owner["Action"] == "kms:*"
    assert logs["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert "policy" not in keys["other"]


def test_a_provider_without_a_public_one_of_terraform_has_no_file_and_everything_is_listed() -> None:
    done = export(config(provider="local", name="shop", servers=[{"name": "web"}]))
    assert done.files == {}
    assert {entry.path for entry in done.not_carried} >= {("name",), ("provider",), ("servers", 0)}


def test_what_is_not_written_yet_is_called_by_its_name() -> None:
    done = export(config(provider="gcp", load_balancers=[{"name": "front"}], dns_zones=[{"domain": "example.com"}]))
    assert {entry.path: entry.reason for entry in done.not_carried} == {
        ("load_balancers", 0): "this export writes no load balancers for gcp yet",
        ("dns_zones", 0): "this export writes no DNS zones for gcp yet",
    }


def test_the_rules_of_azure_are_numbered_as_they_are_written() -> None:
    rules = [{}, {"from_port": 443, "cidrs": ["10.0.0.0/8"]}]
    made = config(provider="azure", security_groups=[{"name": "a", "rules": rules}])
    (rule,) = json.loads(export(made).files[FILE])["resource"]["azurerm_network_security_group"]["a"]["security_rule"]
    assert (rule["name"], rule["priority"]) == ("rule-0", 100)


def test_a_reference_to_nothing_is_listed_and_not_written() -> None:
    made = config(servers=[{"name": "web", "networking": {"security_groups": ["gone"]}}])
    done = export(made)
    assert "gone" not in done.files[FILE]
    assert [entry.path for entry in done.not_carried] == [("servers", 0, "networking", "security_groups", 0)]


def test_a_second_resource_of_one_name_is_listed() -> None:
    done = export(config(buckets=[{"name": "a"}, {"name": "a"}]))
    assert [(entry.path, entry.reason) for entry in done.not_carried] == [(("buckets", 1), "another bucket has that name")]


def test_an_address_leads_back_to_its_record() -> None:
    document, _ = assemble(config(servers=[{"name": "a"}, {"name": "b"}]))
    assert document.origin["aws_instance.b"] == ("servers", 1)


def test_every_format_has_an_exporter() -> None:
    made = config(servers=[{"name": "web"}])
    assert {name for name in FORMATS if export_as(made, name).files} >= {"terraform"}


def test_an_unknown_format_is_told_the_nearest_one() -> None:
    with pytest.raises(InvalidInputError) as caught:
        export_as(config(), "terrafrom")
    assert "terraform" in caught.value.hint


def test_checkov_reads_what_we_write(tmp_path: Path) -> None:
    circle = [
        {"name": "a", "rules": [{"from_port": 22, "cidrs": ["0.0.0.0/0", "10.0.0.0/8"]}, {"groups": ["b"], "from_port": 443}]},
        {"name": "b", "rules": [{"groups": ["a"], "from_port": 5432}]},
    ]
    configs = {**examples(), "every": every_kind(), "circle": config(security_groups=circle)}
    documents = {name: assemble(one)[0] for name, one in configs.items()}
    for name, document in documents.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text(document.text(), encoding="utf-8")
    run = run_checkov(tmp_path)
    assert run.parsing_errors == 0
    said = {name: [one for one in run.said if one.file == f"/{name}/{FILE}"] for name in documents}
    shop = {one.address for one in said["web-shop.ncl"]}
    assert shop >= {"aws_instance.web-a", "aws_db_instance.orders", "aws_lb.front"}
    assert shop <= {f"{kind}.{label}" for kind, label, _ in documents["web-shop.ncl"].resources()}
    # A rule that is a resource of its own is judged as one.
    ssh = {one.address: one.passed for one in said["circle"] if one.check == "CKV_AWS_24" and "rule" in one.address}
    prefix = "aws_vpc_security_group_ingress_rule"
    assert ssh == {f"{prefix}.a_0_0": False, f"{prefix}.a_0_1": True, f"{prefix}.a_1_0": True, f"{prefix}.b_0_0": True}
