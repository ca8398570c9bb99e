"""What is written to a graph is there for people, editors and the next question."""

import json
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from kogral.errors import CycleError, GraphUnwritableError, NodeNotFoundError, NodeRefusedError
from kogral.files import parse, render
from kogral.knowledge import Knowledge
from kogral.node import EDGES, FOLDERS, TYPES, slug


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    return Knowledge(tmp_path / "project" / ".kogral")


def write(knowledge: Knowledge, path: str, text: str) -> Path:
    file = knowledge.folder.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_a_file_of_its_own_that_reads_as_it_was_written(knowledge: Knowledge, type_):
    made = knowledge.add(
        type_, "Größe der Töpfe: 3 Liter", "Some *text*.", tags=["a", "b", "a"], metadata={"service": "x", "n": "1"}, author="Ana"
    )
    assert made.path is not None
    assert made.path.parent == knowledge.folder.root / FOLDERS[type_]
    assert made.id.endswith("grosse-der-topfe-3-liter")
    again = Knowledge(knowledge.folder.root).get(made.id)
    assert again == made
    assert (again.tags, again.metadata, again.author, again.type) == (("a", "b"), {"service": "x", "n": "1"}, "Ana", type_)


def test_two_nodes_of_one_title_have_two_ids(knowledge: Knowledge):
    assert [knowledge.add("note", "Same").id for _ in range(3)] == ["same", "same-2", "same-3"]


def test_a_title_without_words_is_refused_and_one_without_letters_gets_the_types_name(knowledge: Knowledge):
    with pytest.raises(NodeRefusedError, match="no words"):
        knowledge.add("note", " \u200b ")
    assert knowledge.add("note", "日本").id == "note"
    with pytest.raises(NodeRefusedError, match="no type 'memo'"):
        knowledge.add("memo", "x")  # type: ignore[arg-type]  # what is tested


def test_a_title_with_lines_and_yaml_stays_one_line_and_breaks_nothing(knowledge: Knowledge):
    made = knowledge.add("note", "a: [b\n---\n# c", "---\nid: other\n---\n")
    again = Knowledge(knowledge.folder.root).get(made.id)
    assert again.title == "a: [b --- # c"
    assert again.id == made.id
    assert "id: other" in again.body


def test_a_postmortem_has_the_sections_and_its_duration(knowledge: Knowledge):
    made = knowledge.add_execution(
        "2026-01-22 PostgreSQL Connection Pool Exhaustion",
        context="100/100 connections",
        root_cause="A leak",
        resolution="PgBouncer",
        action_items=["monitor the pool", "alert at 80 %"],
        started=datetime(2026, 1, 22, 10, 0, tzinfo=UTC),
        detected=datetime(2026, 1, 22, 10, 5, tzinfo=UTC),
        resolved=datetime(2026, 1, 22, 11, 30, 5, tzinfo=UTC),
        tags=["database"],
    )
    assert made.id.startswith("2026-01-22-postgresql")
    assert made.body == (
        "# 2026-01-22 PostgreSQL Connection Pool Exhaustion\n\n100/100 connections\n\n"
        "## Timeline\n\n- **Started**: 2026-01-22T10:00:00Z\n- **Detected**: 2026-01-22T10:05:00Z\n"
        "- **Resolved**: 2026-01-22T11:30:05Z\n- **Duration**: 1 h 30 min 5 s\n\n"
        "## Root Cause\n\nA leak\n\n## Resolution\n\nPgBouncer\n\n"
        "## Action Items\n\n- [ ] monitor the pool\n- [ ] alert at 80 %\n\n## Related Resources\n\n(none)\n"
    )


def test_times_that_are_not_in_order_are_refused(knowledge: Knowledge):
    with pytest.raises(NodeRefusedError, match="not in order"):
        knowledge.add_execution("x", started=datetime(2026, 2, 1, tzinfo=UTC), resolved=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "evil",
    [
        "fine\n## Resolution\nforged",
        "fine\nForged\n======\n",
        "fine\n   ### Resolution\n",
        "```sh\nls",
        "~~~\nnever closed\n## Resolution",
        "<!-- and all that follows is hidden",
        "a\u200b\u202eb",
    ],
)
def test_what_a_user_says_forges_no_heading_and_hides_nothing(knowledge: Knowledge, evil: str):
    from markdown_it import MarkdownIt

    made = knowledge.add_execution("t", root_cause=evil, resolution=evil, context=evil, action_items=[evil], related=[evil])
    tokens = MarkdownIt("commonmark").parse(made.body)
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert headings == ["t", "Timeline", "Root Cause", "Resolution", "Action Items", "Related Resources"]
    assert "<!--" not in "".join(token.content for token in tokens if token.type == "html_block")
    assert "\u200b" not in made.body


def test_a_decision_takes_the_place_of_another(knowledge: Knowledge):
    old = knowledge.add_decision("Use Calico", context="a", decision="b", consequences="c")
    new = knowledge.add_decision(
        "Use Cilium", context="eBPF", decision="Cilium", consequences="kernel 4.9", alternatives="Calico", supersedes=old.id
    )
    assert new.relations == {"supersedes": (old.id,)}
    assert knowledge.get(old.id).status == "superseded"
    assert knowledge.graph().superseded() == {old.id: new.id}
    assert [one.source for one in knowledge.links(old.id)[1]] == [new.id]
    with pytest.raises(CycleError):
        knowledge.link(old.id, "supersedes", new.id)
    with pytest.raises(NodeNotFoundError):
        knowledge.add_decision("x", context="a", decision="b", consequences="c", supersedes="nothing")
    assert len(knowledge.list()) == 2


def test_wikilinks_are_edges_and_those_in_fences_are_text(knowledge: Knowledge):
    knowledge.add("note", "Target")
    knowledge.add("note", "Other thing")
    made = knowledge.add(
        "note", "Source", "[[target]] [[Other thing|shown]] [[target#part]] [[nowhere]]\n\n```\n[[other-thing]]\n```\n"
    )
    outgoing, _ = knowledge.links(made.id)
    assert {(one.relation, one.target, one.in_text) for one in outgoing} == {
        ("relates_to", "target", True),
        ("relates_to", "other-thing", True),
    }
    assert [one.target for one in knowledge.graph().broken] == ["nowhere"]


def test_every_kind_of_edge_can_be_made_and_no_other(knowledge: Knowledge):
    for name in ("a", "b"):
        knowledge.add("note", name)
    for relation in EDGES:
        knowledge.link("a", relation, "b")
    assert knowledge.get("a").relations == dict.fromkeys(EDGES, ("b",))
    with pytest.raises(NodeRefusedError, match="no relation"):
        knowledge.link("a", "hates", "b")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(NodeRefusedError, match="itself"):
        knowledge.link("a", "explains", "a")


def test_a_walk_goes_so_far_and_survives_circles(knowledge: Knowledge):
    for name in "abcd":
        knowledge.add("note", name)
    for source, target in ("ab", "bc", "cd", "da"):
        knowledge.link(source, "relates_to", target)
    assert set(knowledge.walk("a", 1).nodes) == {"a", "b", "d"}
    assert set(knowledge.walk("a", 9).nodes) == set("abcd")


def test_an_editors_change_is_seen_at_once_and_what_it_wrote_is_kept(knowledge: Knowledge):
    file = write(knowledge, "notes/mine.md", "---\ntitle: Mine\nreviewer: [ana, luis]\naliases: [m]\n---\n\nFirst.\n")
    assert knowledge.get("mine").title == "Mine"
    file.write_text(file.read_text().replace("First.", "Second."), encoding="utf-8")
    assert knowledge.get("mine").body == "Second.\n"
    knowledge.add("note", "other")
    knowledge.link("mine", "explains", "other")
    text = file.read_text()
    assert "reviewer: [ana, luis]" in text
    assert "Second." in text
    file.unlink()
    with pytest.raises(NodeNotFoundError):
        knowledge.get("mine")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: [\n---\n", "not YAML"),
        ("---\ntitle: x\n", "no end"),
        ("---\n- a\n---\n", "no table"),
        ("---\ncreated: 2026-13-40\n---\nx", "cannot be"),
    ],
)
def test_a_file_that_is_no_node_is_a_problem_and_stays(knowledge: Knowledge, text: str, said: str):
    file = write(knowledge, "notes/broken.md", text)
    knowledge.add("note", "fine")
    assert set(knowledge.graph().nodes) == {"fine"}
    assert said in knowledge.problems[0].message
    assert file.read_text() == text
    # Its name is taken: a new node of that title is not written over it.
    assert knowledge.add("note", "broken").id == "broken-2"
    assert file.read_text() == text


def test_binary_and_huge_files_are_problems(knowledge: Knowledge):
    write(knowledge, "notes/huge.md", "x" * (2 << 20))
    (knowledge.folder.root / "notes" / "binary.md").write_bytes(b"\xff\xfe\x00")
    assert {one.path for one in knowledge.doctor()} == {"notes/huge.md", "notes/binary.md"}


def test_of_one_id_the_first_file_counts_and_the_second_is_a_problem(knowledge: Knowledge):
    write(knowledge, "notes/a.md", "---\nid: same\ntitle: A\n---\n")
    write(knowledge, "notes/b.md", "---\nid: same\ntitle: B\n---\n")
    assert knowledge.get("same").title == "A"
    assert [(one.path, one.kind) for one in knowledge.problems] == [("notes/b.md", "duplicate")]


def test_the_doctor_finds_what_is_wrong_and_nothing_where_nothing_is(knowledge: Knowledge):
    assert knowledge.doctor() == []
    knowledge.add("note", "alone")
    knowledge.add("note", "links", "[[nowhere]] [[pair]]", relations={"explains": ["gone"]})
    knowledge.add("note", "pair")
    write(knowledge, "decisions/x.md", "---\nsupersedes: [y]\n---\n")
    write(knowledge, "decisions/y.md", "---\nsupersedes: [x]\n---\n")
    assert sorted((one.kind, one.path) for one in knowledge.doctor()) == [
        ("broken_link", "notes/links.md"),
        ("broken_link", "notes/links.md"),
        ("circle", "decisions/x.md"),
        ("orphan", "notes/alone.md"),
    ]


def test_the_doctor_says_that_the_index_is_behind(knowledge: Knowledge):
    knowledge.add("journal", "first")
    knowledge.search("first", semantic=False)
    assert knowledge.doctor() == []
    knowledge.add("journal", "second")
    assert [one.kind for one in knowledge.doctor()] == ["index"]
    knowledge.close()


def test_nodes_are_listed_by_type_tag_and_day_the_newest_first(knowledge: Knowledge):
    write(knowledge, "notes/old.md", "---\nupdated: 2025-01-01\ntags: [x, Y]\n---\n")
    write(knowledge, "patterns/new.md", "---\nupdated: 2026-06-01T10:00:00+02:00\ntags: x\n---\n")
    assert [one.id for one in knowledge.list()] == ["new", "old"]
    assert [one.id for one in knowledge.list(types=["notes"])] == ["old"]
    assert [one.id for one in knowledge.list(tags=["y"])] == ["old"]
    assert [one.id for one in knowledge.list(since="2026-01-01")] == ["new"]
    assert [one.id for one in knowledge.list(until="2025-12-31", limit=1)] == ["old"]
    assert knowledge.get("new").updated.hour == 8


def test_a_search_finds_what_was_just_written(knowledge: Knowledge):
    knowledge.add("note", "Zorbulator", "The zorbulator ring is full.", tags=["ring"])
    found = knowledge.search("zorbulator ring", semantic=False)
    assert [hit.title for hit in found.hits] == ["Zorbulator"]
    assert knowledge.search("zorbulator", types=["decision"], semantic=False).hits == ()
    assert knowledge.search("zorbulator", tags=["ring"], semantic=False, threshold=1.01).hits == ()
    knowledge.close()


def test_the_projects_guidelines_come_before_shared_ones_and_superseded_ones_not_at_all(tmp_path: Path):
    shared = Knowledge(tmp_path / "org" / ".kogral")
    shared.add("guideline", "Deployments on Kubernetes", "Two replicas.", tags=["kubernetes"])
    shared.add("guideline", "Names of servers", "Lower case.")
    shared.add("guideline", "Backups", "Daily.")
    project = Knowledge(tmp_path / "project" / ".kogral", [tmp_path / "org" / ".kogral"])
    project.add(
        "guideline", "Kubernetes deployment here", "Three replicas.", relations={"extends": ["deployments-on-kubernetes"]}
    )
    write(project, "guidelines/backups.md", "---\ntitle: Backups here\n---\nHourly.\n")
    found = project.guidelines("kubernetes deployments")
    assert [one.node.title for one in found] == ["Kubernetes deployment here"]
    assert {(one.node.title, one.graph) for one in project.guidelines("", limit=9)} == {
        ("Kubernetes deployment here", "project"),
        ("Backups here", "project"),
        ("Names of servers", "org"),
    }
    assert [one.node.title for one in project.guidelines("names", include_shared=False)] == []
    with pytest.raises(NodeRefusedError, match="shared graph org"):
        project.link("names-of-servers", "explains", "backups")
    project.supersede("backups", "kubernetes-deployment-here")
    assert project.guidelines("hourly backups") == []


def test_a_link_out_of_the_graph_is_neither_read_nor_written_through(knowledge: Knowledge, tmp_path: Path):
    knowledge.add("note", "fine")
    (tmp_path / "secret.md").write_text("secret")
    (knowledge.folder.root / "notes" / "link.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "elsewhere").mkdir()
    (knowledge.folder.root / "patterns").symlink_to(tmp_path / "elsewhere")
    assert set(knowledge.graph().nodes) == {"fine"}
    with pytest.raises(GraphUnwritableError, match="leads out"):
        knowledge.add("pattern", "x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_writers_do_not_take_each_others_ids(knowledge: Knowledge):
    threads = [
        threading.Thread(target=lambda: [Knowledge(knowledge.folder.root).add("note", "same") for _ in range(5)])
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(knowledge.graph().nodes) == 20
    assert knowledge.problems == []


def test_a_file_written_again_is_the_same(knowledge: Knowledge):
    made = knowledge.add("note", "x", "Body.\n\n---\n\nmore", tags=["t"], relations={"explains": ["y"]}, metadata={"k": "v: w"})
    assert made.path is not None
    text = made.path.read_text()
    assert render(parse(text.encode(), made.path, "note", "project", 0.0)) == text


def test_an_id_is_short_and_plain():
    assert slug("¿Qué es  esto?") == "que-es-esto"
    assert len(slug("word " * 40)) <= 60
    assert slug("x" * 100) == "x" * 60


def test_a_graph_is_exported_as_markdown_json_and_a_picture(knowledge: Knowledge, tmp_path: Path):
    knowledge.add("decision", "One")
    knowledge.add("guideline", "Two [x]", "[[one]]")
    files = knowledge.export("markdown", tmp_path / "out")
    assert {one.relative_to(tmp_path / "out").as_posix() for one in files} == {
        "decisions/one.md",
        "guidelines/two-x.md",
        "index.md",
    }
    assert "[Two \\[x\\]](guidelines/two-x.md)" in (tmp_path / "out" / "index.md").read_text()
    (file,) = knowledge.export("json", tmp_path / "g.json")
    told = json.loads(file.read_text())
    assert [one["id"] for one in told["nodes"]] == ["one", "two-x"]
    assert told["edges"] == [{"source": "two-x", "relation": "relates_to", "target": "one", "in_text": True}]
    (picture,) = knowledge.export("svg", tmp_path / "out")
    assert picture.read_text().startswith("<svg")
    assert "Two [x]" in picture.read_text()
    (part,) = knowledge.export("json", tmp_path / "part", types=["decision"])
    assert [one["id"] for one in json.loads(part.read_text())["nodes"]] == ["one"]
    with pytest.raises(GraphUnwritableError):
        knowledge.export("json", tmp_path / "g.json" / "below")
