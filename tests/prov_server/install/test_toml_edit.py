"""One table of a TOML document is set and removed in its text; nothing else moves."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prov_server.install.toml_edit import TomlDocument, toml_value
from stratumops.errors import InvalidInputError

PATH = ("mcp_servers", "stratumops")
ENTRY = {"command": "/bin/prov", "args": ["mcp", "serve", "--workspace", 'a "b"\\c é'], "env": {"PROV_LOG__LEVEL": "debug"}}

CONFIG = """\
# my settings
model = "some-model"
notes = '''
[mcp_servers.stratumops]
is only text here
'''

[mcp_servers.docs] # reference pages
command = "npx"
args = [
  "-y",
  "docs",
]

[mcp_servers.docs.env]
TOKEN = "keep me"

# the profiles
[profiles.fast]
model = "small"
"""


def edit(text: str) -> TomlDocument:
    return TomlDocument(text, "config.toml")


@pytest.mark.parametrize("text", ["", "\n", CONFIG, CONFIG.rstrip("\n"), CONFIG.replace("\n", "\r\n"), "\ufeff" + CONFIG])
def test_a_table_is_added_at_the_end_and_removed_again(text: str):
    after = edit(text).set(PATH, ENTRY)
    assert after.startswith(text)
    assert edit(after).get(PATH) == ENTRY
    assert edit(after).set(PATH, ENTRY) == after
    assert edit(after).remove(PATH).rstrip() == text.rstrip()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_string_is_written_as_toml(value: str):
    assert tomllib.loads(f"x = {toml_value([value])}")["x"] == [value]


def test_a_table_in_the_middle_is_changed_where_it_stands_with_the_comments_around_it():
    text = '[mcp_servers.stratumops]\ncommand = "old"\n\n[mcp_servers.stratumops.env]\nA = "1"\n\n# next\n[other]\na = 1\n'
    after = edit(text).set(PATH, {"command": "new"})
    assert tomllib.loads(after) == {"mcp_servers": {"stratumops": {"command": "new"}}, "other": {"a": 1}}
    assert after.endswith("# next\n[other]\na = 1\n")
    assert edit(after).remove(PATH).strip() == "# next\n[other]\na = 1"


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { docs = { command = "npx" } }\n',
        'mcp_servers = { stratumops = { command = "old" } }\n',
        'mcp_servers.stratumops.command = "old"\n',
        "mcp_servers = 3\n",
        "[[mcp_servers]]\na = 1\n",
    ],
)
def test_a_layout_that_would_need_a_rewrite_is_refused(text: str):
    with pytest.raises(InvalidInputError) as caught:
        edit(text).set(PATH, ENTRY)
    assert caught.value.hint


@pytest.mark.parametrize(("text", "line", "column"), [("a = 1\nb = \n", 2, 5), ("[x\n", 1, 3), ('a = "', 1, 1)])
def test_broken_toml_is_an_error_with_its_place(text: str, line: int, column: int):
    with pytest.raises(InvalidInputError, match=f"line {line}") as caught:
        edit(text).set(PATH, ENTRY)
    assert (caught.value.details["line"], caught.value.details["column"]) == (line, column)


def test_removing_what_is_not_there_changes_nothing():
    for text in ("", CONFIG):
        assert edit(text).remove(PATH) == text


def test_a_line_separator_in_a_comment_does_not_begin_a_line():
    text = "# one\u2028[mcp_servers.stratumops]\na = 1\n"
    after = edit(text).set(PATH, ENTRY)
    assert edit(after).set(PATH, {"command": "new"}).startswith(text)
    assert edit(after).remove(PATH) == text
