"""The demonstration, whole, through a real server."""

import re
from html import unescape

from .conftest import PROV, Prov


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
        "links lead to the wholes",
        "error[nickel_import]",
        "error[permission_denied]",
        "What next",
    ):
        assert words in done.out
    assert "✗ " not in re.sub(r"(?m)^layers .*$", "", done.out)
    picture = (workspace / "demo.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "Kubernetes" in unescape(picture)
    # It fetches nothing from anywhere, and names no folder of this machine.
    assert set(re.findall(r"https?://[^\"' )]*", picture)) <= {"http://www.w3.org/2000/svg"}
    assert "prov-demo-" not in picture
    assert str(workspace.parent) not in picture


def test_what_comes_next_can_be_typed_where_prov_is_not_on_path(prov: Prov):
    shown = prov("demo", "--scene", "13", PATH="/usr/bin:/bin").out
    assert f"{PROV} init" in shown
    assert "  prov init" in prov("demo", "--scene", "13").out
