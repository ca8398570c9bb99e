"""The demonstration, whole, through a real server."""

import re
from html import unescape
from pathlib import Path

import pytest

from prov_server.cli.demonstration.person import settled

from .conftest import PROV, Prov, on_a_terminal

pytestmark = pytest.mark.timeout(240)

LAST_SCENE = 19


def test_the_demonstration_shows_the_main_job_and_ends_well(prov, workspace):
    done = prov("demo", "--svg", "demo.svg", seconds=220)
    assert done.code == 0, done.out + done.err
    for words in (
        "An assistant connects over MCP",
        "a 3-node Kubernetes cluster with Cilium on UpCloud",
        "dos servidores web m5.large",
        "error[network_overlap]",
        "^^^^",
        "valid: nothing to mend in 5 resources",
        "560.64",
        "automatable checks pass",
        "way back",
        "hashicorp/aws",
        "vault:secret/shop/orders#password",
        "a value is shown to a person only",
        "BEGIN CERTIFICATE",
        '"valid": true',
        "the audit is whole",
        "links lead to the wholes",
        "error[nickel_import]",
        "error[permission_denied]",
        "made the approver demo",
        "to approve plan-",
        "✓ Create server.web",
        "changed  security_group.web",
        "✓ Delete server.worker",
        "destroy everything that is recorded",
        "What next",
    ):
        assert words in done.out
    assert list(map(int, re.findall(r"(?m)^ (\d+)\. ", done.out))) == [*range(1, LAST_SCENE + 1)]
    # A signature is cut, and no generated value and no private key is shown.
    assert max(map(len, done.out.splitlines())) < 200
    without_certificates = re.sub(r"[A-Za-z0-9+/]{64}", "", done.out)
    assert not re.search(r"\b[A-Za-z0-9]{32}\b|PRIVATE KEY", without_certificates)
    assert "✗ " not in re.sub(r"(?m)^layers .*$", "", done.out)
    picture = (workspace / "demo.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "Kubernetes" in unescape(picture)
    # It fetches nothing from anywhere, and names no folder of this machine.
    assert set(re.findall(r"https?://[^\"' )]*", picture)) <= {"http://www.w3.org/2000/svg"}
    assert "prov-demo-" not in picture
    assert str(workspace.parent) not in picture


def test_what_comes_next_can_be_typed_where_prov_is_not_on_path(prov: Prov):
    shown = prov("demo", "--scene", str(LAST_SCENE), PATH="/usr/bin:/bin").out
    assert f"{PROV} init" in shown
    assert "  prov init" in prov("demo", "--scene", str(LAST_SCENE)).out


def test_scenes_of_the_vault_and_the_record_make_what_they_need_when_they_are_shown_alone(prov: Prov):
    done = prov("demo", "--scene", "12", "--scene", "15")
    assert done.code == 0, done.out + done.err
    assert '"valid": true' in done.out
    assert re.search(r"local +mcp +\S+ +vault_sign +allowed", done.out)
    assert re.search(r"local +cli +issue_certificate +allowed", done.out)


def test_there_is_no_scene_behind_the_last_one(prov: Prov):
    assert prov("demo", "--scene", str(LAST_SCENE + 1)).code == 2


def test_the_scenes_of_the_engine_are_left_out_with_a_word_where_the_sandbox_is_not_installed(prov: Prov, tmp_path: Path):
    # A finder that finds no moto, before everything else is imported.
    (tmp_path / "sitecustomize.py").write_text(
        """
import importlib.abc, sys

class NoMoto(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "moto":
            raise ModuleNotFoundError(name)

import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "moto" else real(name, package)
sys.meta_path.insert(0, NoMoto())
""",
        encoding="utf-8",
    )
    done = prov("demo", "--scene", "16", "--scene", "17", PYTHONPATH=str(tmp_path))
    assert done.code == 0, done.out + done.err
    assert "left out: it needs the sandbox" in done.out
    assert "pip install 'stratumops[sandbox]'" in done.out


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\r\ntwo\n", ["one", "two"]),
        ("drawn\x1b[2K\rfirst\nsecond\x1b[1A\x1b[2Kagain\n\x1b[2Klast", ["again", "last"]),
        ("\x1b[32mgreen\x1b[0m\x1b[?25l", ["\x1b[32mgreen\x1b[0m"]),
        ("\x1b[9Atop", ["top"]),
        ("", []),
    ],
)
def test_of_what_was_drawn_over_only_the_last_is_shown(text: str, lines: list[str]):
    assert settled(text) == lines


def test_on_a_terminal_the_person_types_before_the_viewers_eyes(workspace: Path, environment: dict[str, str]):
    code, shown = on_a_terminal(["demo", "--scene", "16"], workspace, environment)
    assert code == 0, shown
    assert "typed by the demonstration itself" in shown
    assert "to approve plan-" in shown
    assert "\x1b[?25l" in shown  # the progress, as it was drawn
