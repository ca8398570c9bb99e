"""The demonstration, whole, through a real server."""

import re
from html import unescape

from .conftest import PROV, Prov

LAST_SCENE = 16


def test_the_demonstration_shows_the_main_job_and_ends_well(prov, workspace):
    done = prov("demo", "--svg", "demo.svg")
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
