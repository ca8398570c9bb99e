"""Fields changed in files of data: the layout, newlines and comments that somebody chose stay."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from prov_gen.edit.change import CannotEditError, Edit, set_value
from prov_gen.edit.difference import unified_diff
from prov_gen.edit.json_text import edit_json
from prov_gen.edit.splices import spliced
from prov_gen.edit.toml_text import edit_toml, toml_places

ENCRYPTED = Edit(("servers", 0, "spec", "encrypted_disk"), value=True)
LAID_OUT = """{
    "provider": "aws", "tags": {"team": "shop"},
    "servers": [
        {"name": "web", "spec": {"encrypted_disk": false, "cpu": 4}, "taskservs": ["ssh", "nginx"]},
        {
            "name": "app",
            "networking": {}
        }
    ],
    "buckets": [{"name": "data"}]
}
"""
LAID_OUT_AFTER = """{
    "provider": "aws", "tags": {"team": "shop"},
    "servers": [
        {"name": "web", "spec": {"encrypted_disk": true, "cpu": 4}, "taskservs": ["ssh", "nginx"]},
        {
            "name": "app",
            "networking": {},
            "spec": {
                "encrypted_disk": true
            }
        }
    ],
    "buckets": [{"name": "data", "versioning": true}],
    "security": {
        "threat_detection": true
    }
}
"""
CHANGES = [
    ENCRYPTED,
    Edit(("servers", 1, "spec", "encrypted_disk"), value=True),
    Edit(("buckets", 0, "versioning"), value=True),
    Edit(("security", "threat_detection"), value=True),
]


def edited_json(text: str, *edits: Edit) -> str:
    return spliced(text, edit_json(text, edits))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_json_is_changed_where_it_stands_and_nowhere_else(newline: str):
    done = edited_json(LAID_OUT.replace("\n", newline), *CHANGES)
    assert done == LAID_OUT_AFTER.replace("\n", newline)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"servers":[{"name":"web"}]}', '{"servers":[{"name":"web","spec":{"encrypted_disk":true}}]}'),
        ('{"servers": [{"name": "web"}]}', '{"servers": [{"name": "web", "spec": {"encrypted_disk": true}}]}'),
        ('{"servers": [{"spec": null}]}', '{"servers": [{"spec": {"encrypted_disk": true}}]}'),
        ('{"servers": [{}]}', '{"servers": [{"spec": {"encrypted_disk": true}}]}'),
        ('{"servers": [{"spec": {"encrypted_disk": 1.50}}]}', '{"servers": [{"spec": {"encrypted_disk": true}}]}'),
        ('{"x": 1.50, "servers": [{"spec": {}}]}', '{"x": 1.50, "servers": [{"spec": {"encrypted_disk": true}}]}'),
    ],
)
def test_json_on_one_line_stays_on_it_with_its_own_spaces(before: str, after: str):
    assert edited_json(before, ENCRYPTED) == after


@pytest.mark.parametrize("text", ["{", '{"servers": [{"spec": 3}]}', '{"servers": []}', "[" * 5_000 + "]" * 5_000])
def test_json_that_has_no_place_for_the_field_is_refused(text: str):
    with pytest.raises(CannotEditError):
        edit_json(text, [ENCRYPTED])


_NAMES = st.sampled_from(["a", "b", "ä", 'q"', "\\", "c d"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def edited_objects(draw: st.DrawFn) -> tuple[Any, list[Edit]]:
    value = draw(st.dictionaries(_NAMES, _VALUES, max_size=4))
    edits: list[Edit] = []
    for _ in range(draw(st.integers(1, 3))):
        here, path = value, []
        while isinstance(here, dict):
            path.append(draw(_NAMES))
            here = here.get(path[-1])
        if not any(path[: len(one.path)] == list(one.path) or list(one.path)[: len(path)] == path for one in edits):
            edits.append(Edit(tuple(path), draw(st.booleans() | st.integers() | st.just({"z": [1]}))))
    return value, edits


@strategies.PROFILE
@given(case=edited_objects(), indent=st.sampled_from([None, 1, 4, "\t"]), newline=st.sampled_from(["\n", "\r\n"]))
def test_edited_json_reads_as_the_value_with_those_fields_and_keeps_its_newlines(case: Any, indent: Any, newline: str):
    value, edits = case
    text = json.dumps(value, ensure_ascii=False, indent=indent).replace("\n", newline) + newline
    wanted = copy.deepcopy(value)
    for edit in edits:
        set_value(wanted, edit.path, edit.value)
    done = edited_json(text, *edits)
    assert json.loads(done) == wanted
    assert newline == "\n" or done.count("\n") == done.count("\r\n")


TOML = '# ours\n[[servers]]\nname = "web" # the front\n\n[servers.spec]\ncpu = 4\n\n[security]\naudit = false\n'


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_toml_gets_lines_with_its_own_newlines(newline: str):
    text = TOML.replace("\n", newline)
    done = spliced(text, edit_toml(text, [ENCRYPTED]))
    assert done == TOML.replace("cpu = 4\n", "cpu = 4\nencrypted_disk = true\n").replace("\n", newline)
    added = [line for line in unified_diff(text, done, "main.toml").split("\n")[2:] if line.startswith(("+", "-"))]
    assert added == ["+encrypted_disk = true" + newline.removesuffix("\n")]


def test_changes_of_a_toml_text_are_told_apart():
    edits = [ENCRYPTED, Edit(("security", "audit"), value=True)]
    lines = [TOML[: one.start].count("\n") for one in toml_places(TOML, edits)]
    assert lines == [6, 8]
    (whole,) = toml_places(TOML, edits * 20_000)
    assert (whole.start, whole.end) == (0, len(TOML))
