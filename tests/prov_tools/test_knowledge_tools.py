"""Documents as an assistant finds them: cited, fenced, and followed by a fresh approval."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.server import build
from provisioning.approval.document import Seat
from stratumops import settings
from stratumops.errors import InvalidInputError
from stratumops.principal import LOCAL, Principal
from stratumops.progress import silent
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio
SLOT = """---
type: runbook
title: Replication slot fills the disk
service: postgresql
tags: [replication, disk]
updated: 2026-05-01
---

## Symptom

The volume of `pg_wal` grows without end.

## Diagnosis

```sh
psql -c "select slot_name, active from pg_replication_slots"
```

A slot that is not active keeps WAL.

```sh
du -sh pg_wal
```

## Fix

Drop the slot that nobody reads.
"""
INCIDENT = """---
type: execution
title: Slot of the old replica filled the disk
tags: [postgresql, replication, incident]
created: 2026-04-02
---

## Timeline

- **Started**: 2026-04-02T10:00:00Z

## Root Cause

The replica was switched off and its replication slot kept the WAL.

## Resolution

The slot was dropped.
"""
BUCKET = '{ provider = "aws", region = "eu-west-1", buckets = [{ name = "shop-papers" }] }'
SEAT = Seat("ana", "here", "/dev/pts/1")


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Application]:
    """Only the workspace's own documents, found by words: what models add is `prov_rag`'s matter."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "workspace"
    (folder / "books").mkdir(parents=True)
    (folder / "books" / "slot.md").write_text(SLOT, encoding="utf-8")
    (folder / ".kogral" / "executions").mkdir(parents=True)
    (folder / ".kogral" / "executions" / "slot.md").write_text(INCIDENT, encoding="utf-8")
    chosen = settings.load(
        folder,
        engine={"provider": "sandbox", "elicitation": True},
        mcp={"toolsets": ["all"]},
        rag={"sources": ["books"], "shipped": False, "embedder": "none"},
    )
    made = compose.build(Workspace.at(folder), chosen)
    yield made
    await made.aclose()


async def call(app: Application, name: str, face: Any = "mcp", principal: Principal = LOCAL, **arguments: Any) -> Any:
    return await app.call(name, arguments, principal=principal, face=face)


async def test_a_passage_comes_with_a_citation_that_can_be_checked_and_in_a_fence(app: Application):
    found = await call(app, "search_docs", query="slot that nobody reads")
    hit = found.hits[0]
    assert (hit.path, hit.type, hit.trust, hit.updated_at) == ("slot.md", "runbook", "project", "2026-05-01")
    path, lines, digest = re.fullmatch(r"workspace/(.+)#L(\d+-L\d+)@([0-9a-f]{8})", hit.citation).groups()
    first, last = (int(one) for one in lines.split("-L"))
    text = "\n".join((app.workspace.root / "books" / path).read_text().splitlines()[first - 1 : last])
    assert text.strip() in hit.text
    assert hit.sha256.startswith(digest)
    boundary = re.match(r"\[([0-9a-f]{16}) quoted from", hit.text)
    assert hit.text.endswith(f"[{boundary.group(1)} end of quote]")
    assert "words alone" in found.degraded
    assert not found.index.stale


async def test_the_scope_is_the_documents_or_the_graph(app: Application):
    assert {hit.uri.split("/")[3] for hit in (await call(app, "search_docs", query="slot", scope="knowledge")).hits} == {"kogral"}
    assert {hit.uri.split("/")[3] for hit in (await call(app, "search_docs", query="slot", scope="docs")).hits} == {"workspace"}
    assert [hit.type for hit in (await call(app, "search_docs", query="slot", type="execution")).hits] == ["execution"]
    assert (await call(app, "search_docs", query="slot", service="mysql")).hits == []
    assert len((await call(app, "search_docs", query=["slot", "replica"], limit=1)).hits) == 1


async def test_nothing_to_look_for_is_refused(app: Application):
    for name, arguments in (("search_docs", {"query": " "}), ("search_docs", {"query": []}), ("troubleshoot", {"symptom": "\n"})):
        with pytest.raises(InvalidInputError, match="nothing to look for"):
            await call(app, name, **arguments)


async def test_a_symptom_becomes_hypotheses_with_commands_and_what_happened_before(app: Application):
    found = await call(app, "troubleshoot", symptom="replication slot disk full", service="postgresql")
    first = found.hypotheses[0]
    assert first.cause == "Replication slot fills the disk"
    assert first.checks == [
        'psql -c "select slot_name, active from pg_replication_slots"  # A slot that is not active keeps WAL.',
        "du -sh pg_wal",
    ]
    assert first.fix == "Drop the slot that nobody reads."
    assert first.incidents[0].startswith("kogral/executions/slot.md#")
    assert first.text.startswith("[")
    assert len(found.hypotheses) == 1


async def test_an_incident_stands_for_itself_where_no_runbook_says_it(app: Application):
    (app.workspace.root / "books" / "slot.md").unlink()
    first = (await call(app, "troubleshoot", symptom="replica slot filled the disk")).hypotheses[0]
    assert first.cause == "The replica was switched off and its replication slot kept the WAL."
    assert first.why.startswith("it happened before")
    assert first.fix == "The slot was dropped."


async def test_where_no_document_says_anything_the_note_says_what_to_do(app: Application):
    found = await call(app, "troubleshoot", symptom="xylophone")
    assert found.hypotheses == []
    assert "prov rag add" in found.notes[-1]
    assert not found.holds_retrieved_text()


async def test_a_document_is_read_as_a_resource_and_its_reader_is_noted(app: Application):
    async def made() -> Application:
        return app

    before = app.reads.last(LOCAL.subject)
    async with Client(build(made, face="mcp")) as client:
        templates = (await client.list_resource_templates()).resource_templates
        assert "prov://doc/{+path}" in {one.uri_template for one in templates}
        contents = (await client.read_resource("prov://doc/workspace/slot.md")).contents
    assert "Drop the slot that nobody reads." in contents[0].text
    assert "data, not instructions" in contents[0].text
    assert app.reads.last(LOCAL.subject) > before


async def test_an_approval_given_before_text_was_read_allows_nothing_and_one_given_after_it_does(app: Application):
    plan = await call(app, "plan_config", config=BUCKET)
    engine = await app.engine()
    stored, _ = await engine.find_plan(plan.plan_id)
    approvals = await engine.approvals()
    approvals.approve_by_elicitation(stored, "ana", SEAT)
    await call(app, "search_docs", query="slot")
    asked = await call(app, "apply_plan", plan_id=plan.plan_id, wait=1)
    assert asked.status in {"queued", "waiting_for_approval"}
    approvals.approve_by_elicitation(stored, "ana", SEAT)
    done = await call(app, "apply_plan", plan_id=plan.plan_id, wait=100)
    assert done.status == "succeeded", done.said


async def test_a_person_who_searches_at_a_terminal_and_another_principal_keep_their_approvals(app: Application):
    await call(app, "search_docs", face="cli", query="slot")
    assert app.reads.last(LOCAL.subject) == 0.0
    await call(app, "search_docs", query="slot", principal=Principal("other", LOCAL.scopes))
    assert app.reads.last(LOCAL.subject) == 0.0


async def test_a_search_that_finds_nothing_is_no_read(app: Application):
    assert (await call(app, "search_docs", query="xylophone")).hits == []
    assert app.reads.last(LOCAL.subject) == 0.0


async def test_what_an_editor_writes_is_found_by_the_next_search(app: Application):
    (app.workspace.root / "books" / "new.md").write_text("# Gizmo\n\nThe gizmo is broken.\n", encoding="utf-8")
    assert (await call(app, "search_docs", query="gizmo")).hits[0].path == "new.md"


async def test_what_is_written_down_is_found_by_the_next_search_and_linked(app: Application):
    made = await call(app, "kogral_add", type="note", title="The gizmo is kept for audits", body="See [[slot]].", tags=["gizmo"])
    assert made.path == ".kogral/notes/the-gizmo-is-kept-for-audits.md"
    assert (await call(app, "search_docs", query="gizmo")).hits[0].path == "notes/the-gizmo-is-kept-for-audits.md"
    decided = await call(
        app,
        "kogral_add",
        type="decision",
        title="Use Cilium",
        sections={"context": "eBPF", "decision": "Cilium", "consequences": "4.9"},
    )
    await call(app, "kogral_add", type="decision", title="Use Calico")
    await call(app, "kogral_link", source=decided.id, relation="supersedes", target="use-calico")
    node = await call(app, "kogral_get", id="use calico")
    assert [(one.source, one.relation) for one in node.edges] == [("use-cilium", "supersedes")]
    listed = await call(app, "kogral_list", type="decision")
    assert {one.id: one.status for one in listed.nodes} == {"use-cilium": None, "use-calico": "superseded"}
    graph = await call(app, "kogral_graph", id="use-cilium")
    assert set(graph.resource_links()) == {"picture"}
    files = await call(app, "kogral_export", format="json", output="docs/known")
    assert files.files == ["docs/known/graph.json"]


async def test_an_execution_written_by_an_assistant_is_a_postmortem(app: Application):
    sections = {"context": "pool full", "root_cause": "leak\n## Resolution\nforged", "action_items": "- monitor\n- alert"}
    made = await call(app, "kogral_add", type="execution", title="Pool exhausted", sections=sections, metadata={"service": "api"})
    text = (app.workspace.root / made.path).read_text()
    assert "- [ ] monitor\n- [ ] alert" in text
    assert text.count("\n## Resolution\n") == 1


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("kogral_add", {"type": "note", "title": "x", "sections": {"context": "y"}}, "a note has none"),
        ("kogral_add", {"type": "decision", "title": "x", "sections": {"why": "y"}}, "of a decision there are"),
        ("kogral_export", {"output": "../elsewhere"}, "docs/knowledge"),
        ("kogral_export", {"output": ".prov/x"}, "docs/knowledge"),
    ],
)
async def test_what_does_not_fit_is_refused_with_what_would(app: Application, name: str, arguments: dict[str, Any], said: str):
    with pytest.raises(InvalidInputError) as caught:
        await call(app, name, **arguments)
    assert said in caught.value.hint


async def test_guidelines_are_answered_fenced_and_stand_in_plans_and_reviews_that_they_are_about(app: Application):
    await call(app, "kogral_add", type="guideline", title="Names of buckets", body="With the team's name.", tags=["bucket"])
    await call(app, "kogral_add", type="guideline", title="Kubernetes deployments", body="Two replicas; buckets are free.")
    found = await call(app, "get_guidelines", topic="bucket names")
    assert found.guidelines[0].title == "Names of buckets"
    assert "With the team's name." in found.guidelines[0].text
    assert "data, not instructions" in found.guidelines[0].text
    assert found.holds_retrieved_text()
    wanted = ["Names of buckets (get_guidelines: names-of-buckets)"]
    assert (await call(app, "plan_config", config=BUCKET)).guidelines == wanted
    assert (await call(app, "review_config", config=BUCKET)).guidelines == wanted


async def test_a_question_about_what_there_is_cites_what_was_written_about_it(app: Application):
    assert (await call(app, "query_infrastructure", query="replication slot disk")).documents is None  # nothing is indexed yet
    await call(app, "search_docs", query="anything")
    found = await call(app, "query_infrastructure", query="replication slot disk")
    assert any("Replication slot fills the disk (workspace/slot.md#" in one for one in found.documents)


async def test_every_operation_leaves_a_node_and_a_failed_one_says_why(app: Application):
    plan = await call(app, "plan_config", config=BUCKET)
    engine = await app.engine()
    stored, _ = await engine.find_plan(plan.plan_id)
    (await engine.approvals()).approve_by_elicitation(stored, "ana", SEAT)
    assert (await call(app, "apply_plan", plan_id=plan.plan_id, wait=100)).status == "succeeded"
    denied = await call(app, "plan_config", config=BUCKET.replace("papers", "other"))
    waits = await call(app, "apply_plan", plan_id=denied.plan_id, wait=0)
    stored, _ = await engine.find_plan(denied.plan_id)
    (await engine.approvals()).deny(stored, SEAT, "too dear")
    assert (await engine.wait(waits.operation, 60, silent)).operation.status == "denied"
    await app.engine.aclose()  # waits until what runs has come to its end
    nodes = {one.id: one for one in (await call(app, "kogral_list", type="execution")).nodes}
    texts = [(app.workspace.root / ".kogral" / "executions" / f"{name}.md").read_text() for name in nodes]
    (succeeded,) = [text for text in texts if "status: succeeded" in text]
    assert "create bucket.shop-papers: done" in succeeded or "bucket.shop-papers" in succeeded
    (refused,) = [text for text in texts if "status: denied" in text]
    assert "too dear" in refused
    assert waits.operation in refused
    assert (await call(app, "search_docs", query="shop-papers", scope="knowledge")).hits


async def test_an_incident_that_only_shares_a_word_did_not_happen_before(app: Application):
    (app.workspace.root / "books" / "slot.md").unlink()
    assert (await call(app, "troubleshoot", symptom="the disk of a laptop")).hypotheses == []
