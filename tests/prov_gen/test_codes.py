"""The table of codes: every finding has a row, and nothing is declared twice."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from prov_gen.codes import RULES, TABLE, Code, codes, declared, merged
from prov_gen.findings import LAYERS, Finding, finding
from prov_gen.layers.pipeline import validate
from prov_gen.nickel import Nickel
from prov_gen.nickel.diagnostics import _CODES as OF_NICKEL
from prov_gen.source import ConfigSource
from prov_gen.understand import understand
from stratumops.errors import InternalError, InvalidInputError
from stratumops.workspace import Workspace

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "layers" / "cases.toml").read_text(encoding="utf-8"))
DESCRIPTIONS = json.loads((HERE / "understand" / "cases.json").read_text(encoding="utf-8"))
WRONG_TEXTS = [
    "{ servers = [{ name = nothing }] }",
    '{ servers = [{ name = "a" }',
    '{ servers = import "absent.ncl" }',
    '{ servers = [{ name = "a" + 1 }] }',
    "{ servers = [{ name | String }] }",
    '{ name = "a" } & { name = "b" }',
    "{ name = (fun x => x) }",
    "let rec a = a in { name = a }",
    "[1, 2]",
]


def require_declared(made: Finding) -> None:
    known = declared(made.code)
    assert made.layer in known.layers, made
    assert made.severity in known.severities, made
    assert made.message


@pytest.mark.anyio
async def test_every_finding_of_every_case_is_declared_with_its_layer_and_severity(tmp_path: Path) -> None:
    made: list[Finding] = []
    async with Nickel(size=1) as nickel:
        for text in [*(case["config"] for case in CASES.values()), *WRONG_TEXTS]:
            source = ConfigSource(text)
            workspace = Workspace.at(tmp_path)
            made += (await validate(source, nickel=nickel, workspace=workspace, today=date(2026, 11, 23))).findings
    assert {one.layer for one in made} >= {1, 2, 3, 4, 5, 6}
    for one in made:
        require_declared(one)


def test_every_finding_about_the_words_of_a_description_is_declared() -> None:
    made: list[Finding] = []
    for case in DESCRIPTIONS:
        arguments = {"provider": None, "resource_type": None, "default_provider": "aws", "environment": "production"}
        arguments |= {key: case[key] for key in ("provider", "resource_type") if case.get(key)}
        try:
            made += understand(case["text"], **arguments).findings
        except InvalidInputError:
            continue
    assert made
    for one in made:
        require_declared(one)


def test_every_code_for_a_report_of_nickel_is_declared_for_the_layers_that_read_reports() -> None:
    for code in {code for code, _ in OF_NICKEL} | {"nickel_eval", "nickel_deadline", "nickel_crash", "nickel_result"}:
        assert 1 in declared(code).layers


@pytest.mark.parametrize(
    ("code", "severity", "layer"),
    [("shape_of_water", None, None), ("cidr_invalid", "info", None), ("cidr_invalid", None, 5)],
)
def test_a_finding_that_nothing_declares_cannot_be_made(code: str, severity, layer) -> None:
    with pytest.raises(InternalError, match=code):
        finding(code, (), "message", severity=severity, layer=layer)


def test_a_finding_has_the_layer_and_the_severity_of_its_row() -> None:
    made = finding("network_overlap", ("networking",), "message", "fix")
    assert (made.layer, made.severity, made.fix) == (3, "error", "fix")
    assert finding("network_overlap", (), "message", severity="warning").severity == "warning"


def test_a_message_is_cut_where_it_would_drown_the_rest() -> None:
    assert len(finding("cidr_invalid", (), "x" * 100_000).message) == 1_000


def test_every_row_says_what_is_wrong_and_in_which_layer() -> None:
    for one in codes().values():
        assert one.titles
        assert set(one.layers) <= {0, *LAYERS}
        assert one.fixes or one.severities == ("info",)


def test_a_code_of_a_security_rule_is_declared_by_the_rule_alone() -> None:
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))["rule"]
    assert not {rule["code"] for rule in rules} & set(tomllib.loads(TABLE.read_text(encoding="utf-8")))
    assert {rule["code"] for rule in rules} <= set(codes())
    twice = {"tls_old": Code("tls_old", (5,), ("error",), ("t",), ("f",))}
    with pytest.raises(InternalError, match="tls_old"):
        merged(twice, rules)


def test_rules_that_share_a_code_share_its_row() -> None:
    shared = declared("disk_unencrypted")
    assert len(shared.titles) == 3
    assert shared.severities == ("warning",)
