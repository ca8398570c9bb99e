"""Rendered Nickel means the configuration that it was made of, and reads as if a person had written it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prov_corpus import PROVIDERS
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_FIELD, KINDS
from prov_gen.nickel import SourceMap
from prov_gen.render import FILES, FOLDER, MAIN, render, split
from prov_gen.stated import _ALWAYS, NickelText, comment, literal
from strategies import PROFILE, models
from stratumops.workspace import Workspace

SHOP = {
    "name": "shop",
    "region": "eu-central-1",
    "tags": {"Team": "shop"},
    "networking": {"nat": "single", "subnets": [{"name": "app", "cidr": "10.0.1.0/24"}]},
    "security_groups": [{"name": "web", "rules": [{"from_port": 443, "cidrs": ["0.0.0.0/0"]}]}],
    "servers": [
        {"name": "web", "plan": "small", "networking": {"public_ip": True, "security_groups": ["web"]}},
        {"name": "jobs", "spec": {"disk_type": "ssd", "os": {"family": "debian"}}, "metadata_tokens": "optional"},
    ],
    "clusters": [{"name": "apps"}],
    "databases": [{"name": "orders"}],
    "buckets": [{"name": "uploads"}],
    "kms_keys": [{"name": "data", "rotation_days": 0}],
    "limits": {"monthly_budget": 500},
}


def shop(provider: str = "aws") -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(SHOP | {"provider": provider})


def put(files: dict[str, str], folder) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.timeout(900)  # a soak run is long
def test_any_configuration_evaluates_back_to_itself(evaluate):
    @settings(PROFILE)
    @given(models(InfrastructureConfig), st.sampled_from(PROVIDERS))
    def holds(config, provider):
        config = config.model_copy(update={"provider": provider})
        value = evaluate(render(config).text)
        assert InfrastructureConfig.model_validate(value, strict=True) == config

    holds()


@pytest.mark.timeout(900)  # a soak run is long
def test_any_resource_of_any_kind_evaluates_back_to_itself(evaluate):
    resource = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), models(kind.model)))

    @settings(PROFILE)
    @given(resource)
    def holds(case):
        kind, record = case
        config = InfrastructureConfig.model_validate({kind.field: [record] if kind.is_list else record})
        assert InfrastructureConfig.model_validate(evaluate(render(config).text), strict=True) == config

    holds()


@pytest.mark.timeout(900)  # a soak run is long
def test_the_files_of_any_configuration_evaluate_to_the_same(evaluate, tmp_path):
    @settings(PROFILE, max_examples=max(PROFILE.max_examples // 2, 1))
    @given(models(InfrastructureConfig))
    def holds(config):
        files = split(config)
        put(files, tmp_path)
        value = evaluate(files[MAIN], folder=tmp_path)
        assert InfrastructureConfig.model_validate(value, strict=True) == config

    holds()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_has_a_template_that_means_the_same(provider, evaluate, tmp_path):
    rendered = render(shop(provider))
    assert InfrastructureConfig.model_validate(evaluate(rendered.text), strict=True) == shop(provider)
    put(rendered.files, tmp_path)
    assert InfrastructureConfig.model_validate(evaluate(rendered.files[MAIN], folder=tmp_path), strict=True) == shop(provider)
    assert f"provider = '{provider}," in rendered.text


def test_the_providers_differ_in_what_they_say():
    heads = {provider: render(shop(provider)).text.split("\nlet ", 1)[0] for provider in PROVIDERS}
    assert len(set(heads.values())) == len(PROVIDERS)
    assert "no managed databases" in render(shop("hetzner")).text
    assert "# RDS instances." in render(shop("aws")).text


def test_a_text_reads_as_if_a_person_had_written_it():
    assert render(shop()).text.split("\nlet ", 1)[1] == SHOP_TEXT.split("\nlet ", 1)[1]


SHOP_TEXT = """
let { InfrastructureConfig, .. } = import "schemas/infrastructure.ncl" in
{
  name = "shop",
  provider = 'aws,
  region = "eu-central-1",
  tags = { Team = "shop" },

  # The VPC and its subnets. A subnet lies in one availability zone.
  networking = {
    subnets = [
      { name = "app", cidr = "10.0.1.0/24" },
    ],
    nat = 'single,  # NAT gateways cost by the hour and by the GB
  },

  # Stateful: answers to what is let in are let out.
  security_groups = [
    {
      name = "web",
      rules = [
        { from_port = 443, cidrs = ["0.0.0.0/0"] },
      ],
    },
  ],

  # EC2 instances; their root disks are EBS volumes.
  servers = [
    {
      name = "web",
      plan = "small",
      networking = { public_ip = true, security_groups = ["web"] },
    },
    {
      name = "jobs",
      spec = {
        cpu = 2,
        memory_gb = 4,
        disk_type = 'ssd,
        os = { family = 'debian },
      },
      metadata_tokens = 'optional,  # IMDSv1, which needs no token, is answered too
    },
  ],

  # EKS, unless managed is false. The control plane is AWS's own: its plan and count then only say what it must bear.
  clusters = [
    {
      name = "apps",
      control_plane = { count = 3, plan = "medium" },
      workers = { count = 3, plan = "medium" },
    },
  ],

  # RDS instances.
  databases = [
    { name = "orders", engine = 'postgresql, plan = "medium" },
  ],

  # S3. A bucket's name is unique in the whole world.
  buckets = [
    { name = "uploads" },
  ],

  # AWS KMS keys.
  kms_keys = [
    { name = "data", rotation_days = 0 },
  ],

  limits = { monthly_budget = 500 },
} | InfrastructureConfig
"""


def test_every_kind_has_its_place_in_exactly_one_file():
    assert sorted(field for fields in FILES.values() for field in fields) == sorted(BY_FIELD)


def test_the_workspace_may_read_every_file_that_is_written(tmp_path):
    everything = InfrastructureConfig.model_validate(
        {
            kind.field: [{"name": "a"}] if kind.is_list and kind.field not in NEEDS_MORE else NEEDS_MORE.get(kind.field, {})
            for kind in KINDS
        }
    )
    files = split(everything)
    assert set(files) == {MAIN, *FILES}
    put(files, tmp_path)
    assert {path.name for path in Workspace.at(tmp_path).readable_files()} == set(files)


NEEDS_MORE = {
    "dns_zones": [{"domain": "example.com"}],
    "certificates": [{"name": "a", "domain": "example.com"}],
    "secrets": [{"name": "a", "handle": "vault:a#b"}],
    "workloads": [{"name": "a", "image": "nginx"}],
    "waivers": [{"check": "NET-07", "reason": "it is the edge", "expires": "2027-01-31"}],
}


def test_every_file_of_a_split_configuration_is_typed_on_its_own(evaluate, tmp_path):
    files = split(shop())
    put(files, tmp_path)
    for name, text in files.items():
        value = evaluate(text, folder=tmp_path)
        assert isinstance(value, dict), name
    assert evaluate(files["servers.ncl"], folder=tmp_path)["servers"][0]["spec"]["disk_gb"] == 50


def test_what_the_providers_say_is_about_fields_that_exist():
    fields = {f"{model.__name__}.{name}" for model in _records() for name in model.model_fields}
    for provider in PROVIDERS:
        source = (FOLDER / f"{provider}.ncl.j2").read_text(encoding="utf-8")
        about, beside = source.split("set about = {")[1].split("set beside = {")
        assert set(re.findall(r'(?m)^  "(\w+)":', about)) <= set(BY_FIELD)
        assert set(re.findall(r'(?m)^  "([\w.]+)":', beside)) <= fields


def test_what_is_always_written_exists():
    models = {model.__name__: model for model in _records()}
    assert {name for name, fields in _ALWAYS.items() if not set(fields) <= set(models[name].model_fields)} == set()


def _records() -> list[type[Record]]:
    found = [InfrastructureConfig, *Record.__subclasses__()]
    for model in found:
        found.extend(sub for sub in model.__subclasses__() if sub not in found)
    return found


def test_a_place_in_the_rendered_text_is_found_again():
    text = render(shop()).text
    place = SourceMap(text, "main.ncl").find(("servers", 1, "spec", "memory_gb"))
    assert place is not None
    assert place.is_exact
    assert text.splitlines()[place.line - 1].strip() == "memory_gb = 4,"


@pytest.mark.parametrize(
    "hostile",
    [
        '%{import "/etc/hostname" as \'Text}',
        'x" } | Dyn',
        "\n} & { provider = 'gcp }\n#",
        "{{ 7 * 7 }}{% include 'aws.ncl.j2' %}",
        "\r\u2028\u202e\x1b[2J",
    ],
)
def test_a_hostile_text_stays_a_text_wherever_it_stands(hostile, evaluate):
    config = InfrastructureConfig.model_validate(
        {
            "description": hostile,
            "environment": hostile,
            "tags": {hostile: hostile},
            "servers": [{"name": "web", "role": hostile, "user_data": hostile, "tags": {hostile: hostile}}],
            "taskservs": [{"name": "x", "settings": {hostile: hostile}}],
        }
    )
    rendered = render(config)
    assert InfrastructureConfig.model_validate(evaluate(rendered.text), strict=True) == config
    head = rendered.text.split("\nlet ", 1)[0]
    assert all(line.startswith("#") for line in head.splitlines())


def test_a_comment_is_one_line_of_visible_characters():
    assert comment("a\nb\rc\u2028d\u202ee\x00f\tg") == "a b c d e f g"
    assert len(comment("x" * 1000)) == 160


def test_whatever_is_not_marked_as_nickel_becomes_a_literal():
    assert literal("%{x}") == '"\\u{25}{x}"'
    assert literal(NickelText("%{x}")) == "%{x}"
    assert literal({"a b": ["c"]}) == '{ "a b" = ["c"] }'
