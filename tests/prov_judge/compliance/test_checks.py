"""The checks' data: every row can be read, its examples do what they say, and its changes mend what fails."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from prov_corpus.frameworks import FAMILIES, check_ids, check_rows, frameworks, personal_data_countries, rows
from prov_gen.edit import Edit, changed
from prov_gen.load import load_config
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME, KINDS
from prov_gen.nickel import Nickel
from prov_gen.nickel.literal import nickel_literal
from prov_gen.source import ConfigSource
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks, checks_of, find_check, rules_of
from prov_judge.compliance.conditions import OPERATORS
from prov_judge.compliance.model import FRAMEWORKS, Result
from prov_judge.compliance.predicates import PREDICATES
from stratumops.errors import InternalError, NotFoundError

TODAY = date(2026, 11, 23)
AUTOMATABLE = [check.id for check in checks() if check.is_automatable]
CHANGING = [name for name in AUTOMATABLE if any("change" in rule for rule in check_rows()[name]["rule"])]
CONTROL = {
    "soc2": re.compile(r"(CC|PI|A|C)[1-9]\.[1-9]"),
    "hipaa": re.compile(r"164\.3(08|10|12|14|16)\([a-e]\)(\([0-9]\))?(\([ivx]+\))?(\([A-D]\))?"),
    "gdpr": re.compile(r"Art\. [0-9]{1,2}(\([0-9]\)(\([a-f]\))?)?"),
    "pci": re.compile(r"(A[13]|[0-9]{1,2})(\.[0-9]{1,2}){1,3}"),
}


@pytest.fixture(scope="module")
def load() -> Iterator[Any]:
    """A configuration as data, through real Nickel."""
    with asyncio.Runner() as runner:
        nickel = Nickel(size=1)

        def run(value: Mapping[str, Any]) -> InfrastructureConfig:
            source = ConfigSource(nickel_literal(dict(value)))
            return runner.run(load_config(source, nickel=nickel, workspace=None)).config

        yield run
        runner.run(nickel.aclose())


def said(config: InfrastructureConfig, framework: Any, name: str) -> list[Result]:
    return [result for result in assess(config, framework, today=TODAY).results if result.check == name]


@pytest.mark.parametrize("name", AUTOMATABLE)
def test_the_passing_example_passes_in_every_framework_that_asks_for_it(name: str, load: Any) -> None:
    config = load(check_rows()[name]["passing"])
    for framework in find_check(name).controls:
        found = {result.status for result in said(config, framework, name)}
        assert "pass" in found
        assert not found & {"fail", "not_assessable"}


@pytest.mark.parametrize("name", AUTOMATABLE)
def test_the_failing_example_fails_in_every_framework_with_evidence_and_a_fix(name: str, load: Any) -> None:
    config = load(check_rows()[name]["failing"])
    for framework in find_check(name).controls:
        failed = [result for result in said(config, framework, name) if result.status == "fail"]
        assert failed
        for result in failed:
            assert result.fix
            assert result.message
            assert result.value
            assert result.path[0] in InfrastructureConfig.model_fields
            assert is_there(config, result.path)


def is_there(config: InfrastructureConfig, path: tuple[str | int, ...]) -> bool:
    """Whether a path leads to a value, stated or default."""
    value: Any = config
    for step in path:
        if isinstance(value, list | dict):
            value = value[step]
        elif not hasattr(value, str(step)):
            return False
        else:
            value = getattr(value, str(step))
    return True


@pytest.mark.parametrize("name", CHANGING)
def test_what_the_check_proposes_makes_its_failing_example_pass(name: str, load: Any) -> None:
    config = load(check_rows()[name]["failing"])
    for framework in find_check(name).controls:
        failed = [result for result in said(config, framework, name) if result.status == "fail" and result.change]
        edits = [Edit((*result.subject, *field.split(".")), value) for result in failed for field, value in result.change.items()]
        after = changed(config, edits)
        mended = {result.address for result in failed}
        assert mended
        assert not [result for result in said(after, framework, name) if result.status == "fail" and result.address in mended]


@pytest.mark.parametrize("name", list(check_ids()))
def test_controls_are_ids_of_their_framework_and_every_check_says_why_and_what_to_do(name: str) -> None:
    check = find_check(name)
    assert check.controls
    for framework, ids in check.controls.items():
        assert ids
        for control in ids:
            assert CONTROL[framework].fullmatch(control), (framework, control)
    assert check.why.endswith(".")
    assert check.fix
    assert not check.title.endswith(".")


@pytest.mark.parametrize("name", list(check_ids()))
def test_articles_of_the_gdpr_that_have_several_demands_are_named_with_the_paragraph(name: str) -> None:
    assert "Art. 32" not in find_check(name).controls.get("gdpr", ())


def test_what_is_backed_up_belongs_to_one_requirement_of_pci_dss() -> None:
    assert all("12.10.1" in find_check(name).controls["pci"] for name in ("BCK-01", "BCK-03", "BCK-04", "BCK-05"))


def test_logs_belong_to_one_article_of_the_gdpr() -> None:
    names = ("LOG-01", "LOG-03", "LOG-04", "LOG-05", "LOG-06", "LOG-07", "LOG-08", "LOG-10")
    assert all("Art. 32(1)(d)" in find_check(name).controls["gdpr"] for name in names)


def parts(condition: Mapping[str, Any], model: Any) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Every condition inside a condition, with the type of the record that it is about."""
    yield condition, model
    for key in ("all", "any", "none"):
        for inner in condition.get(key, ()):
            yield from parts(inner, model)
    for key in ("every", "some"):
        if key in condition:
            yield from parts(condition["holds"], element(type_of(model, condition[key])))


def type_of(model: Any, field: str) -> Any:
    model = InfrastructureConfig if field.startswith("/") else model
    for step in filter(None, field.removeprefix("/").split(".")):
        model = get_type_hints(model)[step]
        if get_origin(model) in (Union, UnionType):
            model = next(argument for argument in get_args(model) if argument is not type(None))
    return model


def element(annotation: Any) -> Any:
    assert get_origin(annotation) is list, annotation
    return get_args(annotation)[0]


def test_every_field_operator_and_predicate_that_the_data_names_exists() -> None:
    used: set[str] = set()
    for name in AUTOMATABLE:
        for rule in check_rows()[name]["rule"]:
            if rule["kind"] == "any":
                models: list[Any] = [kind.model for kind in KINDS if kind.is_resource]
            else:
                models = [BY_NAME[rule["kind"]].model]
            for model in models:
                for step in filter(None, rule.get("each", "").split(".")):
                    model = element(type_of(model, step))  # noqa: PLW2901 - a walk down the models
                conditions = [part for key in ("when", "unknown", "expect") if key in rule for part in parts(rule[key], model)]
                for condition, about in conditions:
                    if "field" in condition:
                        type_of(about, condition["field"])
                        used |= set(condition) & set(OPERATORS)
                    used |= {condition["predicate"]} if "predicate" in condition else set()
                for field in rule.get("change", {}):
                    assert issubclass(model, Record)
                    type_of(model, field)
    assert used == set(OPERATORS) | set(PREDICATES), "an operator or predicate that no check uses"


def test_at_least_seventy_checks_can_pass_and_fail_and_the_others_say_why_not() -> None:
    assert len(AUTOMATABLE) >= 70
    assert all(check.reason for check in checks() if check.id not in AUTOMATABLE)


def test_a_check_that_looks_at_several_kinds_names_them() -> None:
    check = find_check("ENC-01")
    assert (check.kind, check.also) == ("server", ("volume", "security"))


def test_a_check_is_found_in_any_case_and_an_unknown_one_has_likely_ids() -> None:
    assert find_check(" net-01 ").id == "NET-01"
    with pytest.raises(NotFoundError) as caught:
        find_check("NET-99")
    assert "NET-" in caught.value.hint


def test_an_unknown_framework_tells_the_known_ones() -> None:
    with pytest.raises(NotFoundError) as caught:
        checks_of("iso27001")  # type: ignore[arg-type] - what a caller may send
    assert "soc2" in caught.value.hint


def test_a_framework_has_the_checks_that_have_its_controls() -> None:
    for framework in FRAMEWORKS:
        assert {check.id for check in checks_of(framework)} == {check.id for check in checks() if framework in check.controls}


def test_frameworks_have_versions_and_a_page_of_their_publisher() -> None:
    assert set(frameworks()) == set(FRAMEWORKS)
    assert all(facts.version and facts.page.startswith("https://") for facts in frameworks().values())
    assert (frameworks()["pci"].name, frameworks()["pci"].version) == ("PCI DSS 4.0.1", "4.0.1")


def test_personal_data_may_be_in_the_eea_and_in_adequate_countries_only() -> None:
    assert {"DE", "NO", "CH", "GB", "JP", "BR"} <= personal_data_countries()
    assert not {"US", "CN", "SG"} & personal_data_countries()


def test_an_id_that_stands_twice_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FAMILIES", (*FAMILIES[:1], FAMILIES[0]))
    with pytest.raises(InternalError, match="ENC-01 stands twice"):
        rows.check_rows.__wrapped__()


def test_rules_are_compiled_with_the_thresholds_of_their_framework() -> None:
    assert rules_of("LOG-03", "soc2")[0].change == {"retention_days": 365}
    assert rules_of("LOG-03", "hipaa")[0].change == {"retention_days": 2190}
