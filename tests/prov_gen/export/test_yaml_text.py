"""YAML that a real parser reads back as what was written."""

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import peers
from prov_gen.export.yaml_text import yaml_text

READ = "import json, sys, yaml; print(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))"
HOSTILE = [
    "no", "1e3", "0o7", "1:30", "2026-11-23", "~", "null", "- a", "a: b", "# c", "a #b", "|", "> x", " x", "x ", "\n",
    "a\n\nb\n", "a\n b\n", "\ta\n", "a\t\nb", "a\r\nb", "\u2028", "\x85", "\x00", "\U0001f469\u200d\U0001f4bb",
    "{{ x }}", "!tag", "&a", "*a", "%a", "---", "...", "'", '"', "\\", "", "y", "=", "<<", "a\nb", "a\n\n", "\ufeff",
    "@x", "`x", "key:", "? x", "[", "}",
]  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(lambda key: key != "<<"), inner, max_size=4)
)


def read_back(texts: list[str]) -> list[object]:
    python = peers.environment("cloud-init") / "venv" / "bin" / "python"
    done = subprocess.run([python, "-c", READ], input=json.dumps(texts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[object] = json.loads(done.stdout)
    return found


@given(st.lists(VALUES, min_size=20, max_size=40))
@settings(max_examples=15, deadline=None)
def test_what_is_written_is_read_back(values: list[object]) -> None:
    assert read_back([yaml_text(value) for value in values]) == values


def test_every_hostile_text_is_read_back_as_a_value_a_key_and_an_element() -> None:
    values: list[object] = [*HOSTILE, *({key: [key, {key: key}]} for key in HOSTILE)]
    assert read_back([yaml_text(value) for value in values]) == values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, {"b": "c"}]}, "a:\n- 1\n- b: c\n"),
        ({"a": {}, "b": []}, "a: {}\nb: []\n"),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
        ({"on": "off"}, '"on": "off"\n'),
    ],
)
def test_the_layout_is_what_a_person_would_write(value: object, text: str) -> None:
    assert yaml_text(value) == text
