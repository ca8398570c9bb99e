"""One entry of a JSON document is set and removed in its text; nothing else moves."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_server.install.json_edit import JsonDocument
from prov_server.install.jsonc import parse
from stratumops.errors import InvalidInputError

PATH = ("mcpServers", "stratumops")
ENTRY = {"command": "/bin/prov", "args": ["mcp", "serve"]}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
other_keys = st.text().filter(lambda key: key != "mcpServers")
servers = st.dictionaries(st.text().filter(lambda key: key != "stratumops"), values, max_size=4)
layouts = st.sampled_from([None, 0, 1, 2, 4, "\t"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """The text of any JSON object, with or without a list of servers, in any common layout."""
    members: list[tuple[str, Any]] = list(draw(st.dictionaries(other_keys, values, max_size=5)).items())
    if draw(st.booleans()):
        members.insert(draw(st.integers(0, len(members))), ("mcpServers", draw(servers)))
    tight = draw(st.booleans())
    indent = draw(layouts)
    separators = ("," if tight or indent is not None else ", ", ":" if tight else ": ")
    text = json.dumps(dict(members), indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return draw(st.sampled_from(["", "\n", "  \n"])) + text + draw(st.sampled_from(["", "\n", "\n\n"]))


def edit(text: str, *, comments: bool = False) -> JsonDocument:
    return JsonDocument(text, comments, "settings.json")


@given(documents())
def test_our_reader_reads_what_the_standard_library_reads(text: str):
    assert parse(text, comments=False).value == json.loads(text)
    assert parse(text, comments=True).value == json.loads(text)


@given(
    st.text(alphabet=string.printable) | documents().flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut]))
)
def test_our_reader_refuses_what_the_standard_library_refuses(text: str):
    def constants(_: str) -> Any:
        raise ValueError  # NaN and Infinity are the library's own

    try:
        expected: Any = json.loads(text, parse_constant=constants)
    except ValueError:
        with pytest.raises(InvalidInputError) as caught:
            parse(text, comments=False)
        assert caught.value.details["line"] >= 1
        assert caught.value.details["column"] >= 1
    else:
        assert parse(text, comments=False).value == expected


@given(documents(), st.dictionaries(st.text(), st.text(), max_size=2))
def test_setting_an_entry_changes_the_entry_and_nothing_else(text: str, env: dict[str, str]):
    entry = {**ENTRY, "env": env}
    expected = json.loads(text)
    expected.setdefault("mcpServers", {})["stratumops"] = entry
    after = edit(text).set(PATH, entry)
    assert json.loads(after) == expected
    assert list(json.loads(after)) == list(expected)
    assert edit(after).set(PATH, entry) == after


@given(documents())
def test_removing_what_was_set_leaves_the_same_values(text: str):
    before = json.loads(text)
    after = json.loads(edit(edit(text).set(PATH, ENTRY)).remove(PATH))
    if "mcpServers" not in before:
        assert after.pop("mcpServers") == {}
    assert after == before


@given(documents())
def test_changing_an_entry_is_the_same_as_setting_it_at_once(text: str):
    other = {"command": "/elsewhere/prov", "args": []}
    assert edit(edit(text).set(PATH, other)).set(PATH, ENTRY) == edit(text).set(PATH, ENTRY)


COMMENTED = """\
// my servers
{
    "theme": "dark", // I like it
    "mcpServers": {
        // the first
        "one": { "command": "one" }, /* keep */
        "two": { "command": "two" } // the last
    },
    // "off": true,
}
"""


def test_comments_and_trailing_commas_survive():
    after = edit(COMMENTED, comments=True).set(PATH, ENTRY)
    assert after == COMMENTED.replace(
        """\
"two": { "command": "two" } // the last
""",
        """\
"two": { "command": "two" }, // the last
        "stratumops": {
            "command": "/bin/prov",
            "args": [
                "mcp",
                "serve"
            ]
        }
""",
    )
    assert edit(after, comments=True).remove(PATH) == COMMENTED


def test_a_missing_table_is_added_behind_the_last_comment():
    text = '{\n  "a": 1 // one\n  // end\n}\n'
    after = edit(text, comments=True).set(PATH, {"command": "p"})
    assert after == (
        '{\n  "a": 1, // one\n  // end\n  "mcpServers": {\n    "stratumops": {\n      "command": "p"\n    }\n  }\n}\n'
    )


@pytest.mark.parametrize("text", ["{}", "{ }", "{\n}", "{ // nothing yet\n}"])
def test_an_empty_document_takes_the_entry(text: str):
    after = edit(text, comments=True).set(PATH, ENTRY)
    assert edit(after, comments=True).get(PATH) == ENTRY
    assert ("// nothing yet" in after) == ("// nothing yet" in text)


@pytest.mark.parametrize("name", ["first", "middle", "last"])
def test_a_member_is_removed_with_its_line_wherever_it_stands(name: str):
    text = json.dumps({"s": {"first": 1, "middle": {"a": [1]}, "last": 3}}, indent=2)
    kept = {key: value for key, value in json.loads(text)["s"].items() if key != name}
    assert edit(text).remove(("s", name)) == json.dumps({"s": kept}, indent=2)
    line = json.dumps(json.loads(text))
    assert edit(line).remove(("s", name)) == json.dumps({"s": kept})


def test_windows_line_ends_and_a_byte_order_mark_stay():
    text = '\ufeff{\r\n  "a": 1\r\n}\r\n'
    after = edit(text).set(PATH, ENTRY)
    assert after.startswith("\ufeff{\r\n")
    assert "\n" not in after.replace("\r\n", "")
    assert json.loads(after.removeprefix("\ufeff"))["mcpServers"]["stratumops"] == ENTRY


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ('{"a": 1,}', 1, 9, "comma"),
        ('{"a": 1\n "b": 2}', 2, 2, "comma or '}'"),
        ('{\n  "a": tru\n}', 2, 8, "cannot start"),
        ('{"a": "x\n"}', 1, 7, "string"),
        ('{"a": 01}', 1, 8, "comma or '}'"),
        ("{'a': 1}", 1, 2, "double quotes"),
        ('{"a" 1}', 1, 6, "':'"),
        ('{"a": [1, 2', 1, 12, "comma or ']'"),
        ('{"a": ', 1, 7, "missing at the end"),
        ("{} {}", 1, 4, "after the end"),
        ('{"a": 1} // x', 1, 10, "comments are not allowed"),
        ("[" * 300, 1, 202, "nested deeper"),
        ("1" * 5000, 1, 1, "too long"),
    ],
)
def test_a_broken_document_is_an_error_with_its_place(text: str, line: int, column: int, said: str):
    with pytest.raises(InvalidInputError, match=said) as caught:
        edit(text).set(PATH, ENTRY)
    assert (caught.value.details["line"], caught.value.details["column"]) == (line, column)
    assert "settings.json" in caught.value.message


def test_a_comment_without_an_end_is_an_error():
    with pytest.raises(InvalidInputError, match="does not end"):
        edit("{ /* ", comments=True).set(PATH, ENTRY)


@pytest.mark.parametrize("text", ["[]", '"x"', '{"mcpServers": []}', '{"mcpServers": null}'])
def test_a_document_of_another_shape_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="not an object"):
        edit(text).set(PATH, ENTRY)
    with pytest.raises(InvalidInputError, match="not an object"):
        edit(text).remove(PATH)


def test_a_key_that_stands_twice_is_refused_rather_than_guessed():
    with pytest.raises(InvalidInputError, match="twice"):
        edit('{"mcpServers": {}, "mcpServers": {"a": {}}}').set(PATH, ENTRY)


def test_removing_what_is_not_there_changes_nothing():
    for text in ("", "{}", '{"mcpServers": {}}', '{"mcpServers": {"other": 1}}'):
        assert edit(text).remove(PATH) == text
