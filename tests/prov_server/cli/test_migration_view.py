"""How a plan looks: as a tree on a terminal of eighty columns, in a pipe, and as the documents that a person asks for."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.migration.model import Migration
from prov_judge.migration.plan import plan_migration as judged
from prov_judge.migration.plan import plan_steps
from prov_judge.migration.words import compliance_words, summary
from prov_judge.prices.book import PriceBook
from prov_server.cli.options import Choices
from prov_server.cli.session import Session
from prov_server.cli.views import Answer
from prov_server.cli.views.migration import act, show
from prov_tools.migration import PlanMigrationOutput, plan_migration

SECRET = "hunter2-very-secret"


def side(plan: str, password: str, *buckets: str) -> dict:
    return {
        "servers": [{"name": "web", "plan": plan}],
        "clusters": [{"name": "k"}],
        "workloads": [{"name": "shop", "image": "shop:1", "env": {"DB_PASSWORD": password}}],
        "buckets": [{"name": name} for name in buckets],
    }


def planned(before: dict, after: dict) -> Migration:
    return plan_steps(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))


@pytest.fixture
def plan() -> Migration:
    return planned(side("t3.micro", SECRET, "files"), side("t3.large", f"{SECRET}-2"))


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a terminal with so many columns."""
    monkeypatch.delenv("COLUMNS", raising=False)


def answer(plan: Migration, /, **extras: Any) -> Answer:
    output = PlanMigrationOutput(summary=summary(plan), steps=[], cost_delta={}, compliance={}, notes=[], whole=plan)
    return Answer(plan_migration, output, {}, {}, extras, Session(Choices()))


def test_at_eighty_columns_a_plan_is_a_tree_of_waves_and_no_line_is_longer(
    plan: Migration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show(answer(plan))
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines), max(lines, key=len)
    assert [line for line in lines if line.startswith("wave ")] == ["wave 1", "wave 2"]
    assert lines[-1] == "0 to add, 2 to change, 0 to replace, 1 to destroy, in 2 waves"


@pytest.mark.usefixtures("pipe")
def test_in_a_pipe_every_step_says_what_differs_what_it_risks_and_the_way_back(
    plan: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    show(answer(plan))
    out = capsys.readouterr().out
    assert "plan: t3.micro -> t3.large" in out
    assert "downtime: some minutes while it stops and starts (a server is stopped to change its size)" in out
    assert "data: its objects would be lost without the backup" in out
    assert "way back: set plan back to t3.micro" in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("pipe")
def test_what_a_step_touches_is_counted_where_it_is_much(capsys: pytest.CaptureFixture[str]) -> None:
    servers = [{"name": f"s{number}"} for number in range(9)]
    show(answer(planned({"servers": servers}, {"servers": servers, "taskservs": [{"name": "t", "version": "1.0"}]})))
    assert "touches" not in capsys.readouterr().out
    before, after = ({"servers": servers, "networking": {"vpc_cidr": cidr}} for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    show(answer(planned(before, after)))
    assert "touches vpc.main, server.s0, server.s1, server.s2, server.s3, server.s4 and 4 more" in capsys.readouterr().out


@pytest.mark.parametrize("extras", [{}, {"format": "markdown"}, {"format": "svg"}, {"format": "json"}])
def test_no_form_of_a_plan_tells_a_secret(plan: Migration, extras: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(plan, **extras))
    out = capsys.readouterr().out
    assert SECRET not in out
    assert "workload.shop" in out


def test_json_is_the_whole_plan_and_nothing_else(plan: Migration, capsys: pytest.CaptureFixture[str]) -> None:
    show(answer(plan, format="json"))
    assert [step["id"] for step in json.loads(capsys.readouterr().out)["steps"]] == [step.id for step in plan.steps]


def test_a_file_takes_the_form_that_its_name_says(plan: Migration, tmp_path: Path) -> None:
    for name, start in (("plan.md", "## Migration: "), ("plan.svg", "<svg "), ("plan.json", "{")):
        act(answer(plan, output=str(tmp_path / name)))
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_text_that_would_move_the_cursor_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = ({"workloads": [{"name": "w", "image": image}]} for image in ("a", "\x1b[2Ja\u202e"))
    show(answer(planned(before, after)))
    out = capsys.readouterr().out
    assert "image: a -> " in out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.usefixtures("pipe")
def test_a_plan_of_nothing_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    same = InfrastructureConfig.model_validate(side("t3.micro", SECRET))
    show(answer(judged(same, same, book=PriceBook.shipped(), today=date(2026, 11, 23))))
    assert capsys.readouterr().out == "nothing to do: both configurations describe the same\n"


@pytest.mark.usefixtures("pipe")
def test_a_plan_names_the_checks_that_fail_newly(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = (InfrastructureConfig.model_validate({"volumes": [{"name": "v", "encrypted": one}]}) for one in (True, False))
    plan = judged(before, after, today=date(2026, 11, 23))
    show(answer(plan))
    out = capsys.readouterr().out
    for delta in plan.compliance:
        assert f"{delta.framework} {compliance_words(delta)}\n" in out
