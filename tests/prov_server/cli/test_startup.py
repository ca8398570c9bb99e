"""`prov` starts quickly because it imports little."""

import subprocess
import sys

import pytest

HEAVY = {"mcp", "mcp_types", "starlette", "uvicorn", "nickel", "jinja2", "prov_gen.generate", "prov_server.compose"}


def imported(*words: str) -> set[str]:
    """The modules that are loaded after a run."""
    program = (
        f"import sys; from prov_server.cli.main import run; run({list(words)!r}); print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["init", "--help"], ["config", "path"], ["mcp", "--help"]], ids=" ".join
)
def test_little_is_imported_for(words):
    assert imported(*words) & HEAVY == set()


def test_the_version_needs_neither_tools_nor_models():
    assert not {name for name in imported("--version") if name.startswith(("prov_gen", "prov_tools", "pydantic"))}
