"""Our checks and checkov's say the same of the same configuration, where they ask the same.

Configurations vary in their security fields; each is exported as Terraform, checkov reads all of them in one run, and its
results are brought back to the records that the resources were written from. Every pair is compared; a kind of disagreement is
either explained in `docs/reference/checkov-agreement.md` or an error. The table in that page is written by

    PROV_UPDATE=1 pytest tests/prov_judge/compliance/test_checkov_agreement.py
"""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checkov_runs import Said, run_checkov
from peers import ROOT
from prov_gen.export.terraform import FILE, assemble
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks
from prov_judge.compliance.model import FRAMEWORKS, Result

PAGE = ROOT / "docs" / "reference" / "checkov-agreement.md"
TODAY = date(2026, 11, 23)
CONFIGURATIONS = 40
LEAST_AGREEMENT = 0.9
Pair = tuple[str, str]
"""A check of ours, and one of checkov's that asks the same."""

# Ids that our checks name, and that say nothing about the resources that we compare; each with its reason.
_KUBERNETES = "it reads Kubernetes manifests, which this export does not write"
NOT_COMPARABLE: dict[str, str] = {
    **dict.fromkeys(
        ("CKV_K8S_11", "CKV_K8S_13", "CKV_K8S_16", "CKV_K8S_20", "CKV_K8S_22", "CKV_K8S_23", "CKV_K8S_43", "CKV_K8S_68"),
        _KUBERNETES,
    ),
    "CKV_SECRET_6": "it searches any text for secrets, and belongs to another of checkov's programs; the export never holds one",
    "CKV_AWS_304": "it reads aws_secretsmanager_secret_rotation, which needs a function of the user's and is not written",
    "CKV_AWS_379": "it reads aws_s3_bucket_acl; buckets are written without access control lists, as AWS advises",
}

# Kinds of disagreement that are right as they are: (ours, checkov's, whether we pass) and why.
EXPLAINED: dict[tuple[str, str, bool], str] = {
    (
        "ENC-03",
        "CKV_AWS_19",
        False,
    ): "encryption none: checkov passes every bucket, because S3 has encrypted all new objects since 2023",
    ("ENC-04", "CKV_AWS_145", False): "encryption kms without kms_key: checkov takes the provider's key for one of your own",
    (
        "ENC-08",
        "CKV_AWS_166",
        True,
    ): "checkov demands a key of your own for a vault; ours asks whether backups are encrypted at all",
    ("GOV-03", "CKV2_AWS_61", False): "checkov is content with any lifecycle; ours wants one that deletes",
    ("GOV-03", "CKV2_AWS_61", True): "checkov wants a lifecycle of the copy in the other region as well",
    (
        "GOV-04",
        "CKV2_AWS_6",
        False,
    ): "access is public_read while the block is on: ours reports the contradiction, checkov sees the block",
    (
        "GOV-04",
        "CKV_AWS_53",
        False,
    ): "access is public_read while the block is on: ours reports the contradiction, checkov sees the block",
    ("LOG-03", "CKV_AWS_338", False): "checkov demands a year; HIPAA's check of ours demands six",
    ("LOG-04", "CKV_AWS_37", True): "checkov demands all five logs of a control plane; ours the audit log",
    (
        "LOG-06",
        "CKV_AWS_18",
        True,
    ): "the copy that replication writes keeps no access log, and checkov judges it as a bucket of its own",
    ("NET-04", "CKV_AWS_277", False): "all TCP ports are open: checkov sees only rules for all protocols",
    ("NET-06", "CKV_AWS_23", False): "JSON demands the attribute, and checkov takes an empty text for a description",
    ("NET-07", "CKV_AWS_88", False): "the subnet gives addresses by default: checkov looks at the server alone",
    (
        "PAT-02",
        "CKV_AWS_339",
        False,
    ): "checkov's list of versions is as old as its release; ours goes by the dates of their support",
}


@dataclass(frozen=True)
class Compared:
    """One check at one resource."""

    pair: Pair
    where: str
    ours: bool
    theirs: bool


def configuration(chance: random.Random) -> InfrastructureConfig:
    """A configuration in which everything that checks look at is one way or the other."""

    def maybe() -> bool:
        return chance.random() < 0.5

    def pick(*choices: Any) -> Any:
        return chance.choice(choices)

    rules = [
        {
            "from_port": pick(22, 443, 3389, 5432),
            "cidrs": [pick("0.0.0.0/0", "10.0.0.0/8")],
            **({"description": "why"} if maybe() else {}),
        },
        {"protocol": pick("tcp", "all"), "cidrs": [pick("0.0.0.0/0", "::/0", "10.0.0.0/8")], "description": "wide"},
        {"direction": "egress", "protocol": "all", "cidrs": [pick("0.0.0.0/0", "10.0.0.0/8")], "description": "out"},
    ]
    listener = pick({"port": 443, "certificate": "site"}, {"port": 80, "protocol": "http", "redirect_to_https": maybe()})
    value = {
        "provider": "aws",
        "region": "eu-west-1",
        "networking": {
            "flow_logs": maybe(),
            "default_security_group_closed": maybe(),
            "subnets": [
                {"name": "public", "cidr": "10.0.0.0/24", "tier": "public", "map_public_ip": maybe()},
                {"name": "private", "cidr": "10.0.1.0/24", "map_public_ip": maybe()},
            ],
        },
        "security_groups": [{"name": "web", "description": "web servers", "rules": chance.sample(rules, chance.randint(1, 3))}],
        "servers": [
            {
                "name": "web",
                "plan": "m6i.large",
                "spec": {"encrypted_disk": maybe()},
                "networking": {"subnet": pick("public", "private"), "public_ip": maybe(), "security_groups": ["web"]},
                "monitoring": maybe(),
                "metadata_tokens": pick("required", "optional"),
                **({"instance_profile": "web"} if maybe() else {}),
            }
        ],
        "volumes": [{"name": "data", "encrypted": maybe(), "attached_to": "web"}],
        "databases": [
            {
                "name": "orders",
                "engine": pick("postgresql", "mysql"),
                "multi_az": maybe(),
                "encryption_at_rest": maybe(),
                "publicly_accessible": maybe(),
                "authentication": pick("password", "iam"),
                "backup": pick({"enabled": False}, {"retention_days": 35}, {}),
                "deletion_protection": maybe(),
                "auto_minor_upgrades": maybe(),
                "logs_exported": maybe(),
                "subnets": ["private", "public"],
            }
        ],
        "caches": [{"name": "sessions", "nodes": 2, "encryption_at_rest": maybe(), "encryption_in_transit": maybe()}],
        "buckets": [
            {
                "name": "files",
                "data_class": pick("internal", "personal"),
                "access": pick("private", "public_read"),
                "block_public": maybe(),
                "versioning": maybe(),
                "encryption": pick("none", "aes256", "kms"),
                "secure_transport_only": maybe(),
                **pick({}, {"kms_key": "own"}),
                **pick({}, {"log_bucket": "logs"}),
                **pick({}, {"lifecycle": {"expire_days": 90}}, {"lifecycle": {"archive_days": 30}}),
                **pick({}, {"replicate_to": "eu-central-1"}),
            },
            {"name": "logs"},
        ],
        "kms_keys": [{"name": "own", "rotation_days": pick(0, 90, 365)}],
        "certificates": [{"name": "site", "domain": "www.example.com"}],
        "load_balancers": [
            {
                "name": "front",
                "scheme": pick("public", "internal"),
                "listeners": [listener],
                "targets": ["web"],
                "subnets": ["public", "private"],
                "security_groups": ["web"],
                "tls_policy": pick("1.0", "1.1", "1.2", "1.3"),
                "waf": maybe(),
                "deletion_protection": maybe(),
                **pick({}, {"access_logs": True, "log_bucket": "logs"}),
            }
        ],
        "file_systems": [{"name": "shared", "encrypted": maybe()}],
        "queues": [{"name": "jobs", "encrypted": maybe()}, {"name": "news", "kind": "topic", "encrypted": maybe()}],
        "secrets": [{"name": "token", "handle": "vault:secret/app#token", "rotation_days": pick(0, 30, 365)}],
        "registries": [{"name": "images", "scan_on_push": maybe(), "immutable_tags": maybe()}],
        "log_groups": [{"name": "app", "retention_days": pick(30, 365, 3653), **pick({}, {"kms_key": "own"})}],
        "backup_plans": [{"name": "daily", "targets": ["data", "orders"], **pick({}, {"kms_key": "own"})}],
        "clusters": [
            {
                "name": "apps",
                "version": pick("1.30", "1.35"),
                "secrets_encryption": maybe(),
                "audit_logs": maybe(),
                "endpoint": pick({}, {"public": True}, {"public": True, "allowed_cidrs": ["203.0.113.0/24"]}),
                "networking": {"subnets": ["private"]},
            }
        ],
        "security": {
            "encryption_at_rest": maybe(),
            "threat_detection": maybe(),
            "audit_logging": {"enabled": maybe(), "all_regions": maybe(), "tamper_protection": maybe()},
            "iam_policies": [
                {
                    "name": "app",
                    "statements": [{"actions": [pick("*", "s3:GetObject")], "resources": [pick("*", "arn:aws:s3:::files/*")]}],
                }
            ],
        },
    }
    return InfrastructureConfig.model_validate(value)


def verdicts(config: InfrastructureConfig, origins: set[tuple[Any, ...]]) -> dict[tuple[str, tuple[Any, ...]], bool]:
    """What we say, by check and record: a check fails where it fails for any framework. What does not apply is not there."""
    found: dict[tuple[str, tuple[Any, ...]], bool] = {}
    for framework in FRAMEWORKS:
        for result in assess(config, framework, today=TODAY).results:
            if result.status in {"pass", "fail"}:
                key = (result.check, owner(result, origins))
                found[key] = found.get(key, True) and result.status == "pass"
    return found


def owner(result: Result, origins: set[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The record that a result is about: the longest path of one that leads to the evidence."""
    return max((origin for origin in origins if result.path[: len(origin)] == origin), key=len, default=())


def compare(
    ours: dict[tuple[str, tuple[Any, ...]], bool], said: list[Said], origin: dict[str, tuple[Any, ...]]
) -> Iterator[Compared]:
    """Every check of both at the same record."""
    wanted = {(check.id, name) for check in checks() for name in check.checkov if name not in NOT_COMPARABLE}
    theirs: dict[tuple[str, tuple[Any, ...]], list[Said]] = defaultdict(list)
    for one in said:
        theirs[one.check, origin[one.address]].append(one)
    for pair in sorted(wanted):
        for (name, path), results in theirs.items():
            if name == pair[1] and (pair[0], path) in ours:
                yield Compared(pair, results[0].address, ours[pair[0], path], all(one.passed for one in results))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> list[Compared]:
    folder = tmp_path_factory.mktemp("terraform")
    chance = random.Random(20261123)
    configs = {f"/{number:02}/{FILE}": configuration(chance) for number in range(CONFIGURATIONS)}
    origin: dict[str, dict[str, tuple[Any, ...]]] = {}
    for name, config in configs.items():
        document, _ = assemble(config)
        origin[name] = document.origin
        path = Path(f"{folder}{name}")
        path.parent.mkdir()
        path.write_text(document.text(), encoding="utf-8")
    run = run_checkov(folder, tuple(sorted({name for check in checks() for name in check.checkov})))
    assert run.parsing_errors == 0
    found: list[Compared] = []
    for name, config in configs.items():
        said = [one for one in run.said if one.file == name and one.address in origin[name]]
        found += compare(verdicts(config, set(origin[name].values())), said, origin[name])
    return found


def table(compared: list[Compared]) -> str:
    """The page's table: each pair, how often it was compared, how often both agreed, and why not."""
    titles = {check.id: check.title for check in checks()}
    by_pair: dict[Pair, list[Compared]] = defaultdict(list)
    for one in compared:
        by_pair[one.pair].append(one)
    rows = ["| check | what it asks | checkov | compared | agreed | why not |", "|---|---|---|---:|---:|---|"]
    for pair, ones in sorted(by_pair.items()):
        different = sorted({one.ours for one in ones if one.ours != one.theirs})
        why = "; ".join(EXPLAINED.get((*pair, ours), "?") for ours in different)
        agreed = sum(one.ours == one.theirs for one in ones)
        rows.append(f"| {pair[0]} | {titles[pair[0]]} | {pair[1]} | {len(ones)} | {agreed} | {why} |")
    agreed = sum(one.ours == one.theirs for one in compared)
    rows.append(f"| all | | | {len(compared)} | {agreed} ({agreed / len(compared):.1%}) | |")
    left = [f"| {name} | {reason} |" for name, reason in sorted(NOT_COMPARABLE.items())]
    measured = (
        f"{len(compared)} results were compared, of {len(by_pair)} pairs of a check of ours and one of checkov's; "
        f"{agreed} agree ({agreed / len(compared):.1%})."
    )
    return "\n".join([measured, "", *rows, "", "Not comparable:", "", "| checkov | why |", "|---|---|", *left])


def test_at_least_nine_in_ten_pairs_agree(compared: list[Compared]) -> None:
    assert len(compared) > 1000
    assert sum(one.ours == one.theirs for one in compared) / len(compared) >= LEAST_AGREEMENT


def test_every_kind_of_disagreement_is_explained(compared: list[Compared]) -> None:
    different = Counter((*one.pair, one.ours) for one in compared if one.ours != one.theirs)
    assert {kind: count for kind, count in different.items() if kind not in EXPLAINED} == {}


def test_no_explanation_is_left_over(compared: list[Compared]) -> None:
    different = {(*one.pair, one.ours) for one in compared if one.ours != one.theirs}
    assert EXPLAINED.keys() - different == set()


def test_every_id_that_a_check_names_is_compared_or_said_not_to_be(compared: list[Compared]) -> None:
    named = {name for check in checks() for name in check.checkov}
    assert named == {one.pair[1] for one in compared} | NOT_COMPARABLE.keys()


def test_the_page_shows_what_was_measured(compared: list[Compared]) -> None:
    start, end = "<!-- table -->\n", "\n<!-- end of table -->"
    page = PAGE.read_text(encoding="utf-8")
    written = page[: page.index(start)] + start + table(compared) + page[page.index(end) :]
    if os.environ.get("PROV_UPDATE"):
        PAGE.write_text(written, encoding="utf-8")
        page = written
    assert page == written, "run it again with PROV_UPDATE=1"
