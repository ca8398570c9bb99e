"""`prov serve` and `prov mcp serve` as started by a person."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROV = Path(sys.executable).with_name("prov")


@contextmanager
def serving(words: list[str], workspace: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [PROV, "serve", "--port", "0", *words],
        cwd=workspace, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.kill()


def read_json(stream: IO[str]) -> dict:
    """The first JSON object that is printed."""
    text = ""
    while True:
        text += stream.readline()
        if text.endswith("}\n"):
            return json.loads(text)


def test_a_server_says_where_it_listens_and_ends_with_a_signal(workspace, environment):
    with serving(["--json"], workspace, environment) as child:
        assert child.stdout
        said = read_json(child.stdout)
        assert urllib.request.urlopen(said["url"] + "/health", timeout=30).status == 200
        assert Path(said["token_file"]).is_relative_to(workspace / ".prov")
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    assert child.returncode in {0, 130}
    assert "Traceback" not in errors


def test_the_token_is_shown_on_the_first_start_only(workspace, environment):
    shown = []
    for _ in range(2):
        with serving([], workspace, environment) as child:
            assert child.stderr
            lines = []
            while "Ctrl-C ends it.\n" not in lines:
                lines.append(child.stderr.readline())
            shown.append("".join(lines))
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=60)
    assert "shown this once" in shown[0]
    assert "shown this once" not in shown[1]
    assert "token  in " in shown[1]


def test_another_address_than_loopback_is_refused_without_tls(prov):
    done = prov("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.code != 0
    assert done.err.startswith("error[")


def test_the_stdio_server_ends_when_nobody_speaks(prov, workspace):
    for words in (["mcp", "serve"], ["--workspace", str(workspace), "mcp", "serve", "--read-only"]):
        done = prov(*words)
        assert (done.code, done.out) == (0, "")
