"""`prov` on a real terminal: colours, interrupts, and readers that go away."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

PROV = Path(sys.executable).with_name("prov")
INTERRUPTIBLE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
BROKEN = '{ servers = [{ name = "web", plan = "m5.huge" }] }'


def on_a_terminal(words: list[str], workspace: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run with a pseudo-terminal as stdin, stdout and stderr."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([PROV, *words], cwd=workspace, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # the terminal ends with the child
            while piece := os.read(ours, 65536):
                said += piece
        os.close(ours)
        code = child.wait(60)
    return code, said.decode("utf-8")


def test_a_terminal_gets_colours(workspace, environment):
    code, said = on_a_terminal(["validate", BROKEN], workspace, environment)
    assert code == 1
    assert "\x1b[1;31merror[plan_unknown]" in said


def test_no_color_is_obeyed(workspace, environment):
    for words, more in (
        (["validate", BROKEN], {"NO_COLOR": "1"}),
        (["--no-color", "validate", BROKEN], {}),
        (["validate", BROKEN, "--no-color"], {}),
    ):
        code, said = on_a_terminal(words, workspace, environment | more)
        assert code == 1
        assert "\x1b[1;31m" not in said
        assert "\x1b[31m" not in said


def test_a_pipe_gets_plain_text(prov):
    done = prov("validate", BROKEN)
    assert "\x1b" not in done.out + done.err


def test_json_is_json_on_a_terminal_too(workspace, environment):
    _, said = on_a_terminal(["validate", BROKEN, "--json"], workspace, environment)
    assert "\x1b[3" not in said.partition("{")[2]


def interrupted_after(words: list[str], sign: bytes, workspace: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run on a terminal, and interrupt once the sign has been printed; again while nothing happens, as a person would.

    A signal that arrives just before the process begins to wait for input is only noticed with the next one.
    """
    ours, theirs = pty.openpty()
    # Whoever started the tests in the background may have had the signal ignored, for them and all their children.
    program = [sys.executable, "-c", INTERRUPTIBLE, PROV, *words]
    with subprocess.Popen(program, cwd=workspace, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # the terminal ends with the child
            while True:
                is_quiet = not select.select([ours], [], [], 1)[0]
                if not is_quiet:
                    if not (piece := os.read(ours, 65536)):
                        break
                    is_first = sign in said + piece and sign not in said
                    said += piece
                if (is_quiet and sign in said) or (not is_quiet and is_first):
                    child.send_signal(signal.SIGINT)
        os.close(ours)
        code = child.wait(60)
    return code, said.decode("utf-8")


def test_an_interrupt_while_reading_ends_quietly_with_130(workspace, environment):
    code, said = interrupted_after(["validate", "-"], b"Ctrl-D", workspace, environment)
    assert code == 130
    assert "Traceback" not in said


def test_a_long_call_shows_its_progress_and_an_interrupt_ends_it_with_130(workspace, environment):
    endless = "let rec f = fun x => f (x + 1) in { servers = f 0 }"
    code, said = interrupted_after(["validate", endless], b"evaluating", workspace, environment)
    assert code == 130
    assert "Traceback" not in said
    assert "error[" not in said


def test_a_reader_that_goes_away_is_no_error(workspace, environment):
    for words in ("config list", "--help", "schema show server", "schema show server --json"):
        done = subprocess.run(
            ["bash", "-c", f"prov {words} | true; echo ${{PIPESTATUS[0]}}"],
            cwd=workspace, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.stdout.strip() in {"0", "141"}, words


def test_a_demonstration_whose_reader_goes_away_ends_quietly(workspace, environment):
    done = subprocess.run(
        ["bash", "-c", "prov demo | head -2; echo ${PIPESTATUS[0]}"],
        cwd=workspace, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "141"


def test_a_full_disk_is_told_in_one_line(workspace, environment):
    for words in ("validate '{}'", "validate '{}' --json", "--help"):
        done = subprocess.run(
            ["bash", "-c", f"prov {words} > /dev/full"],
            cwd=workspace, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 8, words
        assert done.stderr.startswith("error[unavailable]: the answer cannot be written")
        assert len(done.stderr.splitlines()) == 2
