"""The outside programs that other tests rely on start, and the token counter counts."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peers import ROOT, count_tokens, environment, node_tool


@pytest.mark.parametrize("name", ["conformance", "inspector"])
def test_a_node_peer_shows_its_help(name: str):
    done = subprocess.run([*node_tool(name), "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_tokens_are_counted_as_the_encoding_defines_them():
    assert count_tokens("hello world") == 2
    assert count_tokens("") == 0
    assert 10 < count_tokens("prov " * 10 + "ñ 🚀") < 30


def test_an_unknown_peer_is_an_error_that_names_the_known_ones():
    with pytest.raises(LookupError, match=r"there are: .*conformance.*tokens"):
        environment("nonsense")


def test_two_processes_that_install_at_once_get_the_same_complete_environment(tmp_path: Path):
    environment("tokens")  # skips where nothing can be installed
    program = [sys.executable, ROOT / "scripts" / "peers.py", "tokens"]
    empty_cache = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}

    def prepare(_: int) -> Path:
        done = subprocess.run(program, env=empty_cache, capture_output=True, text=True, check=True)
        return Path(done.stdout.strip())

    try:
        with ThreadPoolExecutor(2) as pool:
            (folder,) = set(pool.map(prepare, range(2)))
    finally:
        subprocess.run(program, capture_output=True, check=True)  # points .envs/tokens back to the user's cache
    assert folder.is_relative_to(tmp_path)
    assert (folder / ".complete").exists()
    assert (folder / "node_modules" / "gpt-tokenizer" / "package.json").exists()
