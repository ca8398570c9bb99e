"""Proposals: what they change passes, nothing else begins to fail, and the diff is one that `patch` and git take."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from prov_corpus.frameworks import check_rows
from prov_gen.layers.limits import Pricer
from prov_gen.load import Loaded, load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel, nickel_literal
from prov_gen.render import render
from prov_gen.source import ConfigSource, read_source
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks
from prov_judge.compliance.fix import Proposal, propose
from prov_judge.compliance.model import FRAMEWORKS, Assessment
from stratumops.workspace import Workspace

TODAY = date(2026, 11, 23)


class Bench:
    """Real Nickel for tests that are not asynchronous."""

    def __init__(self, runner: asyncio.Runner, nickel: Nickel) -> None:
        self._runner, self._nickel = runner, nickel

    def load(self, source: ConfigSource, workspace: Workspace | None = None) -> Loaded:
        return self._runner.run(load_config(source, nickel=self._nickel, workspace=workspace))

    def propose(
        self, loaded: Loaded, framework: Any, workspace: Workspace | None = None, pricer: Pricer | None = None
    ) -> tuple[Assessment, Proposal]:
        before = assess(loaded.config, framework, today=TODAY)
        made = propose(loaded, before, nickel=self._nickel, workspace=workspace, today=TODAY, pricer=pricer)
        return before, self._runner.run(made)

    def propose_text(self, text: str, framework: Any = "soc2") -> Proposal:
        return self.propose(self.load(ConfigSource(text, "main.ncl")), framework)[1]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        nickel = Nickel(size=1)
        yield Bench(runner, nickel)
        runner.run(nickel.aclose())


def failures(assessment: Assessment) -> set[tuple[str, str]]:
    return {(result.check, result.address) for result in assessment.failed}


def has_a_change_in_its_example(check: Any) -> bool:
    if not check.is_automatable:
        return False
    config = InfrastructureConfig.model_validate(check_rows()[check.id]["failing"])
    found = assess(config, next(iter(check.controls)), today=TODAY)
    return any(result.change for result in found.failed if result.check == check.id)


@pytest.mark.parametrize("check", list(filter(has_a_change_in_its_example, checks())), ids=lambda check: check.id)
def test_a_check_that_has_a_change_passes_after_it_in_its_own_failing_example(bench: Bench, check: Any):
    framework = next(iter(check.controls))
    loaded = bench.load(ConfigSource(nickel_literal(check_rows()[check.id]["failing"]), "main.ncl"))
    before, proposal = bench.propose(loaded, framework)
    assert check.id in {result.check for result in before.failed}
    assert check.id in {result.check for result in proposal.fixed}
    assert proposal.text is not None
    again = bench.load(ConfigSource(proposal.text, "main.ncl"))
    assert assess(again.config, framework, today=TODAY).results == proposal.after.results
    assert check.id not in {result.check for result in proposal.after.failed if result.change}


# Each configuration brings a dozen changes that are tried in many sets, so fewer of them show as much.
@settings(strategies.PROFILE, max_examples=strategies.PROFILE.max_examples * 2 // 5)
@given(config=strategies.models(InfrastructureConfig), framework=st.sampled_from(sorted(FRAMEWORKS)))
def test_a_proposal_makes_nothing_fail_that_passed_and_accounts_for_every_failure(
    bench: Bench, config: InfrastructureConfig, framework: Any
):
    before, proposal = bench.propose(Loaded(config, ConfigSource(render(config).text, "main.ncl")), framework)
    assert failures(proposal.after) <= failures(before)
    told = [*proposal.fixed, *(result for result, _ in proposal.left)]
    assert sorted(map(repr, told)) == sorted(map(repr, before.failed))
    assert all(reason for _, reason in proposal.left)
    if proposal.text is not None:
        again = bench.load(ConfigSource(proposal.text, "main.ncl"))
        assert assess(again.config, framework, today=TODAY).results == proposal.after.results


WRITTEN = """# the shop, by the team
{
  provider = "aws",
  servers = [
    # do not touch on Fridays
    { name = "web", spec = { encrypted_disk = false, cpu = 4 } },
  ],
  buckets = [{ name = "data", versioning = false, }], # uploads
}"""


@pytest.mark.parametrize("program", [["patch", "--quiet", "-p1"], ["git", "apply"]], ids=["patch", "git"])
def test_the_diff_applies_and_keeps_what_somebody_wrote(bench: Bench, tmp_path: Path, program: list[str]):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    (tmp_path / "main.ncl").write_text(WRITTEN)
    workspace = Workspace.at(tmp_path)
    _, proposal = bench.propose(bench.load(read_source("main.ncl", workspace), workspace), "soc2", workspace)
    subprocess.run(program, cwd=tmp_path, input=proposal.diff, text=True, check=True, timeout=60)
    changed = (tmp_path / "main.ncl").read_text()
    assert changed == proposal.text
    assert proposal.rewritten == ""
    for kept in ("# the shop, by the team", "# do not touch on Fridays", "# uploads", "cpu = 4"):
        assert kept in changed
    assert "encrypted_disk = true" in changed
    assert "versioning = true" in changed


def test_a_waived_failure_is_left_as_it_is(bench: Bench):
    waiver = '{ check = "ENC-01", reason = "a lab without data", expires = "2027-01-31" }'
    proposal = bench.propose_text(
        f'{{ servers = [{{ name = "web", spec.encrypted_disk = false }}], waivers = [{waiver}], buckets = [{{ name = "a" }}] }}'
    )
    assert "ENC-01" not in {result.check for result in proposal.fixed}
    assert proposal.text is None or "encrypted_disk = false" in proposal.text


def test_a_number_that_somebody_wrote_is_not_lowered_without_need(bench: Bench):
    proposal = bench.propose_text(
        '{ servers = [{ name = "db", stateful = true, backup = { enabled = false, retention_days = 30 } }] }'
    )
    assert proposal.text is not None
    assert "backup = { enabled = true, retention_days = 30 }" in proposal.text


def test_a_number_that_is_too_small_is_raised(bench: Bench):
    proposal = bench.propose_text(
        '{ servers = [{ name = "db", stateful = true, backup = { enabled = false, retention_days = 2 } }] }'
    )
    assert proposal.text is not None
    assert "backup = { enabled = true, retention_days = 7 }" in proposal.text


def test_a_change_that_makes_the_configuration_worse_is_left_with_the_reason(bench: Bench):
    network = '{ cni = "flannel", cni_version = "0.26.1", network_policies = false }'
    proposal = bench.propose_text(
        f'{{ clusters = [{{ name = "prod", networking = {network} }}], buckets = [{{ name = "data", versioning = false }}] }}'
    )
    reasons = {result.check: reason for result, reason in proposal.left}
    assert reasons["NET-15"].startswith("with the change: clusters[0].networking.cni_version: ")
    assert proposal.text is not None
    assert "versioning = true" in proposal.text
    assert 'cni = "flannel"' in proposal.text


def test_a_word_that_somebody_chose_stays_where_it_does_no_harm(bench: Bench):
    proposal = bench.propose_text('{ clusters = [{ name = "prod", networking = { cni = "calico", network_policies = false } }] }')
    assert 'networking = { cni = "calico", network_policies = true, ' in (proposal.text or "")


def test_what_begins_to_fail_through_a_change_is_mended_too(bench: Bench):
    trail = "audit_logging = { enabled = false, retention_days = 30 }"
    before = bench.load(ConfigSource(f"{{ servers = [], security = {{ {trail} }} }}", "main.ncl"))
    assert "LOG-03" not in {result.check for result in assess(before.config, "soc2", today=TODAY).failed}
    _, proposal = bench.propose(before, "soc2")
    assert "enabled = true, retention_days = 365" in (proposal.text or "")
    assert "LOG-01" in {result.check for result in proposal.fixed}


def test_where_nothing_can_be_changed_there_is_no_text(bench: Bench):
    rule = '{ from_port = 22, to_port = 22, cidrs = ["0.0.0.0/0"] }'
    proposal = bench.propose_text(f'{{ {QUIET}, security_groups = [{{ name = "open", rules = [{rule}] }}] }}')
    assert (proposal.text, proposal.diff, proposal.fixed) == (None, "", ())
    assert proposal.left
    assert all(reason.startswith("no program can know the right value; ") for _, reason in proposal.left)


QUIET = 'security = { threat_detection = true }, monitoring = { enabled = true }, tags = { owner = "shop" }'
COMPUTED = 'buckets = std.array.map (fun n => { name = n, versioning = false }) ["a", "b"]'


def test_where_nothing_else_can_be_done_the_text_is_written_anew_and_says_so(bench: Bench):
    proposal = bench.propose_text(f"{{ {QUIET}, {COMPUTED} }}")
    assert proposal.rewritten == "buckets[0] is computed"
    assert "versioning = true" in (proposal.text or "")


def test_what_cannot_be_edited_in_place_is_left_where_something_else_can(bench: Bench):
    proposal = bench.propose_text(f'{{ # ours\n  servers = [{{ name = "web", spec.encrypted_disk = false }}],\n  {COMPUTED},\n}}')
    reasons = {(result.check, result.address): reason for result, reason in proposal.left}
    assert reasons["BCK-02", "bucket.a"] == "buckets[0] is computed"
    assert reasons["BCK-02", "bucket.b"] == "buckets[1] is computed"
    assert "ENC-01" in {result.check for result in proposal.fixed}
    assert proposal.rewritten == ""
    for kept in ("# ours", COMPUTED):
        assert kept in (proposal.text or "")


def test_an_import_stays_where_its_list_cannot_be_edited(bench: Bench, tmp_path: Path):
    (tmp_path / "base.ncl").write_text('{ servers = [{ name = "web", spec.encrypted_disk = false }] }')
    text = '(import "base.ncl") & { buckets = [{ name = "data", versioning = false }] }\n'
    (tmp_path / "main.ncl").write_text(text)
    workspace = Workspace.at(tmp_path)
    _, proposal = bench.propose(bench.load(read_source("main.ncl", workspace), workspace), "soc2", workspace)
    assert (proposal.text or "").startswith('(import "base.ncl") & { buckets = [{ name = "data", versioning = true')
    assert "ENC-01" in {result.check for result, _ in proposal.left}


class DearBackups:
    """A price list of one entry: a server that is backed up costs 200 USD a month, another one 10."""

    def monthly(self, config: InfrastructureConfig) -> dict[str, Decimal]:
        return {"USD": sum((Decimal(200 if one.backup and one.backup.enabled else 10) for one in config.servers), Decimal(0))}


@pytest.mark.parametrize(("budget", "is_taken"), [(100, False), (500, True)])
def test_a_change_that_breaks_the_budget_is_left_with_the_reason(bench: Bench, budget: int, is_taken: bool):
    servers = 'servers = [{ name = "db", stateful = true, backup.enabled = false, spec.encrypted_disk = false }]'
    loaded = bench.load(ConfigSource(f"{{ {servers}, limits.monthly_budget = {budget} }}", "main.ncl"))
    _, proposal = bench.propose(loaded, "soc2", pricer=DearBackups())
    assert "ENC-01" in {result.check for result in proposal.fixed}
    assert ("BCK-03" in {result.check for result in proposal.fixed}) is is_taken
    reasons = {result.check: reason for result, reason in proposal.left}
    assert is_taken or reasons["BCK-03"].startswith("with the change: limits.monthly_budget: a month costs at least 200.00 USD")


def test_a_yaml_file_is_answered_with_a_new_nickel_file(bench: Bench, tmp_path: Path):
    (tmp_path / "main.yaml").write_text("buckets:\n  - name: data\n    versioning: false\n")
    workspace = Workspace.at(tmp_path)
    _, proposal = bench.propose(bench.load(read_source("main.yaml", workspace), workspace), "soc2", workspace)
    assert proposal.name == "main.ncl"
    assert proposal.diff.startswith("--- /dev/null\n+++ b/main.ncl\n")
    subprocess.run(["git", "apply"], cwd=tmp_path, input=proposal.diff, text=True, check=True, timeout=60)
    assert (tmp_path / "main.ncl").read_text() == proposal.text
