"""What a person sees of a plan before saying yes: every field, every task's configuration, every secret that is sent, by whom."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from tests.provisioning.workflow.world import Vault

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_server.cli.console import console, one_line, visible
from prov_server.cli.views.plan import show_plan
from provisioning.plan.make import Maker, Wish, make_plan
from provisioning.plan.model import IMPORTED, Plan, PlanStep
from provisioning.plan.words import as_text
from provisioning.state.model import Head

SECRET = "hunter2-and-more"
CONFIG = {
    "provider": "aws",
    "region": "eu-west-1",
    "servers": [
        {
            "name": "web",
            "plan": "p4d.24xlarge",
            "instance_profile": "admin",
            "ssh": {"root_login": True, "password_auth": True, "port": 2222},
            "metadata_tokens": "optional",
            "user_data": f"#cloud-config\npassword: {SECRET}\n",
            "tags": {"Team": "a" * 80},
        }
    ],
    "databases": [{"name": "orders", "password": "vault:secret/orders#password"}],
}
TASK = PlanStep(
    "task:a",
    "task",
    "task.a",
    "",
    "Wait 5 seconds",
    1,
    task="run_health_check",
    config={"path": "/latest/meta-data/", "host": "169.254.169.254", "port": 80, "headers": {"x": ["y"]}, "token": SECRET},
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    wish = Wish(
        kind="apply",
        title="apply main.ncl",
        head=Head("l", 0, "h"),
        resources=[],
        makers={"aws": Maker("1", frozenset({"server", "database"}))},
        config=InfrastructureConfig.model_validate(CONFIG),
        now=time.time(),
        today=date(2026, 11, 23),
        by="ana",
        source="main.ncl",
    )
    return asyncio.run(make_plan(wish, Vault()))


def seen(plan: Plan, *, width: int = 200, is_whole: bool = True, accounts: Mapping[str, str] = {}) -> str:
    out = StringIO()
    show_plan(console(out, width=width), plan, is_whole=is_whole, accounts=accounts)
    return out.getvalue()


STATED = [
    "plan: p4d.24xlarge",
    "instance_profile: admin",
    "ssh.root_login: true",
    "ssh.password_auth: true",
    "ssh.port: 2222",
    "metadata_tokens: optional",
    "region: eu-west-1",
    f"tags.Team: {'a' * 80}",
    "user_data: (hidden)",
]


@pytest.mark.parametrize("field", STATED)
def test_who_approves_sees_every_field_of_a_creation(plan: Plan, field: str) -> None:
    assert field in seen(plan)
    assert field in as_text(plan)


def test_a_default_is_not_told_and_a_secret_never(plan: Plan) -> None:
    assert "patching.automatic" not in seen(plan)
    assert SECRET not in seen(plan) + as_text(plan)


def test_the_view_of_every_day_says_how_many_fields_it_leaves_out(plan: Plan) -> None:
    out = StringIO()
    assert show_plan(console(out, width=200), plan)
    assert re.search(r"and \d+ more fields", out.getvalue())
    assert "more field" not in seen(plan)


def test_a_secret_that_is_sent_is_named_by_its_handle(plan: Plan) -> None:
    assert "sends the secret vault:secret/orders#password to aws" in seen(plan)
    assert "sends the secret vault:secret/orders#password to aws" in seen(plan, is_whole=False)


def test_a_task_shows_its_type_and_its_whole_configuration(plan: Plan) -> None:
    text = seen(replace(plan, steps=(TASK,)))
    for told in ("does run_health_check", "host: 169.254.169.254", "port: 80", "path: /latest/meta-data/", "headers.x[0]: y"):
        assert told in text
        assert told.replace("does ", "does: ") in as_text(replace(plan, steps=(TASK,)))
    assert SECRET not in text


def test_a_sealed_value_of_a_task_is_hidden(plan: Plan) -> None:
    step = replace(TASK, config={"path": {"$sealed": "vault:v1:abc"}})
    assert "path: (hidden)" in seen(replace(plan, steps=(step,)))


def test_who_approves_sees_who_made_it_from_what_until_when_and_what_a_failure_does(plan: Plan) -> None:
    text = seen(plan, accounts={"aws": "endpoint https://elsewhere.example", "upcloud": "endpoint https://not-used.example"})
    for told in (
        "apply main.ncl",
        "ana at 2",
        "main.ncl",
        "UTC",
        "undone in reverse order",
        "endpoint https://elsewhere.example",
    ):
        assert told in text
    assert "not-used" not in text
    assert "leaves what was done" in seen(replace(plan, rolls_back_on_failure=False))


def test_what_a_step_touches_is_named_as_the_provider_names_it(plan: Plan) -> None:
    gone = PlanStep(
        "delete:server.old",
        "delete",
        "server.old",
        "aws",
        "Delete server.old",
        1,
        why=(f"{IMPORTED}: i-0abc",),
        id_there="i-0abc",
    )
    for text in (seen(replace(plan, steps=(gone,))), seen(replace(plan, steps=(gone,)), is_whole=False)):
        assert "i-0abc" in text
        assert f"{IMPORTED}: i-0abc" in text


@pytest.mark.parametrize("hostile", ["\n", "\t", "\r", "\x1b[2J", "\u200b", "\u2028", "\u2060", "\ufeff", "\u202e", "\U000e0041"])
def test_no_value_of_a_plan_makes_a_line_or_hides(plan: Plan, hostile: str) -> None:
    step = replace(TASK, title=f"Wait{hostile}plan-0", config={"path": f"/{hostile}x"}, address=f"task.{hostile}a")
    text = seen(replace(plan, steps=(step,), title=f"x{hostile}y"))
    assert len(text.splitlines()) == len(seen(replace(plan, steps=(TASK,))).splitlines()) - len(TASK.config) + 1
    assert text.count(one_line(hostile)) >= 4
    assert hostile == "\n" or hostile not in text
    assert f"x{hostile}" not in as_text(replace(plan, title=f"x{hostile}y"))


def test_texts_of_several_lines_keep_them(plan: Plan) -> None:
    assert visible("a\n\tb\u200b\x1b") == "a\n\tb\\u{200b}\\u{1b}"
    assert one_line("a\n\tb") == "a\\u{a}\\u{9}b"
    assert one_line("größer 日本 🙂") == "größer 日本 🙂"


@pytest.mark.parametrize("width", [30, 40, 80])
def test_on_a_narrow_terminal_nothing_is_cut_off(plan: Plan, width: int) -> None:
    bare = re.sub(r"[\s│├└─]", "", seen(plan, width=width))
    for field in STATED:
        assert field.replace(" ", "") in bare
    tree = [line for line in seen(plan, width=width).splitlines() if line[:1] in "├└│"]
    assert all(len(line) <= width for line in tree)
