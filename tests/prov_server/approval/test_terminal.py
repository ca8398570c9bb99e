"""What is read from the terminal device, what is not, and how the terminal is left."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prov_server.approval.places import place_of, stat_of, terminal_path
from prov_server.approval.terminal import NoTerminalError, Terminal
from prov_server.cli.demonstration.terminal_driver import TerminalDriver

from .conftest import PROMPT

QUESTIONS = Path(__file__).with_name("questions.py")
UNDER_A_SHELL = 'trap : INT QUIT; "$0" "$@"; echo "code $?"; read rest'
"""The shell goes on after the program: a terminal whose session ends is put back by the kernel, whatever we leave."""

Run = Callable[..., TerminalDriver]


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Iterator[Run]:
    opened: list[TerminalDriver] = []

    def running(*command: str | Path, **streams: object) -> TerminalDriver:
        words = command or (sys.executable, QUESTIONS)
        opened.append(TerminalDriver(words, cwd=tmp_path, env=environment, **streams))
        return opened[-1]

    yield running
    for one in opened:
        one.close()


def under_a_shell(run: Run) -> TerminalDriver:
    return run("sh", "-c", UNDER_A_SHELL, sys.executable, QUESTIONS)


def pid_in(terminal: TerminalDriver) -> int:
    found = re.search(r"pid (\d+)", terminal.wait_for("is here"))
    assert found
    return int(found[1])


def test_what_is_typed_after_the_question_is_the_answer_and_a_secret_is_not_shown(run: Run):
    terminal = run()
    assert "look at this\n" in terminal.wait_for("name: ")
    terminal.send("Íñigo Núñez\n")
    terminal.wait_for("secret: ")
    assert not terminal.echoes
    terminal.send("contraseña\n")
    assert terminal.ended() == 0
    assert "name='Íñigo Núñez'" in terminal.transcript
    assert terminal.transcript.count("contraseña") == 1
    assert "secret='contraseña'" in terminal.transcript


def test_what_was_typed_before_the_question_is_thrown_away(run: Run):
    terminal = run(sys.executable, QUESTIONS, "wait", stdin=subprocess.PIPE)
    assert terminal.process.stdin
    terminal.wait_for("is here")
    terminal.send("mallory\nguessed\n")
    terminal.process.stdin.write(b"go on\n")
    terminal.process.stdin.flush()
    terminal.wait_for("look at this")
    terminal.answer("name: ", "ana\nguessed")  # two lines at once: the second comes before its question
    terminal.answer("secret: ", "the right one")
    assert terminal.ended() == 0
    assert "name='ana'" in terminal.transcript
    assert "secret='the right one'" in terminal.transcript


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM])
def test_a_signal_ends_the_question_and_the_echo_is_back(number: signal.Signals, run: Run):
    terminal = under_a_shell(run)
    pid = pid_in(terminal)
    terminal.answer("name: ", "ana")
    terminal.wait_for("secret: ")
    assert not terminal.echoes
    os.kill(pid, number)
    terminal.wait_for(f"code {128 + number}")
    assert terminal.echoes
    assert "secret='" not in terminal.transcript


def test_ctrl_c_ends_the_question_and_the_echo_is_back(run: Run):
    terminal = under_a_shell(run)
    terminal.answer("name: ", "ana")
    terminal.wait_for("secret: ")
    terminal.send("half a sec\x03")
    terminal.wait_for("code 130")
    assert terminal.echoes
    assert "half a sec" not in terminal.transcript


def test_ctrl_d_is_no_answer(run: Run):
    terminal = under_a_shell(run)
    terminal.answer("name: ", "ana")
    terminal.wait_for("secret: ")
    terminal.send("\x04")
    terminal.wait_for("error[approval_required]: the input ended")
    terminal.wait_for("code 6")
    assert terminal.echoes


def test_a_question_that_was_stopped_is_asked_again_without_echo(run: Run):
    terminal = run("sh", "-i")
    terminal.wait_for(PROMPT)
    terminal.send(f"{sys.executable} {QUESTIONS}\n")
    terminal.answer("name: ", "ana")
    terminal.wait_for("secret: ")
    terminal.send("\x1a")
    terminal.wait_for(PROMPT)
    assert terminal.echoes
    terminal.send("fg\n")
    terminal.wait_for("secret: ")
    assert not terminal.echoes
    terminal.send("contraseña\n")
    terminal.wait_for("secret='contraseña'")
    terminal.wait_for(PROMPT)
    assert terminal.echoes


def test_a_process_in_the_background_asks_nobody(run: Run):
    terminal = run("sh", "-i")
    terminal.wait_for(PROMPT)
    terminal.send(f"{sys.executable} {QUESTIONS} < /dev/null & wait; echo ended\n")
    terminal.wait_for("error[no_terminal]: an approval is asked for on a terminal, and this process runs in the background")
    terminal.wait_for("\r\nended")
    assert "name: " not in terminal.transcript


def test_a_terminal_that_is_hung_up_ends_the_question(run: Run):
    terminal = run()
    terminal.wait_for("name: ")
    os.close(terminal._master)
    terminal._master = -1
    assert terminal.process.wait(60) == -signal.SIGHUP


def test_a_process_without_a_terminal_is_refused(environment: dict[str, str], tmp_path: Path):
    done = subprocess.run(
        [sys.executable, QUESTIONS],
        cwd=tmp_path,
        env=environment,
        input="ana\nsecret\n",
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert "error[no_terminal]: an approval is asked for on a terminal, and this process has no terminal" in done.stdout


def test_another_device_in_the_place_of_the_terminal_is_refused(run: Run):
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can put another device in the terminal's place, in a mount namespace of its own")
    master, device = os.openpty()
    try:
        script = 'mount --bind "$0" /dev/tty && exec "$@"'
        terminal = run("unshare", "--mount", "sh", "-c", script, os.ttyname(device), sys.executable, QUESTIONS)
        code = terminal.ended()
    finally:
        os.close(master)
        os.close(device)
    if "is here" not in terminal.transcript:
        pytest.skip(f"no mount namespace can be made here: {terminal.transcript.strip()}")
    assert code == 6
    assert "/dev/tty is not the terminal of this session" in terminal.transcript or "does not answer" in terminal.transcript


def test_the_kernel_tells_where_a_process_sits(run: Run):
    terminal = run()
    pid = pid_in(terminal)
    terminal.wait_for("name: ")
    stat = stat_of(pid)
    assert (stat.session, stat.parent, stat.is_in_foreground) == (pid, os.getpid(), True)
    assert terminal_path(stat.terminal) == Path(os.ttyname(terminal._device))
    place = place_of(pid, os.getuid())
    assert place.session_start == stat.start
    assert place.parent_start == stat_of(os.getpid()).start
    assert place.terminal_inode == Path(os.ttyname(terminal._device)).stat().st_ino


def test_a_device_without_a_name_has_no_path():
    assert terminal_path(0) is None
    assert terminal_path(os.makedev(136, 200) & 0xFFFF | 0xFFF00000) is None
    assert terminal_path((4 << 8) | 250) in {None, Path("/dev/ttyS186")}


def test_a_process_that_keeps_its_memory_private_leaves_no_core(tmp_path: Path):
    program = (
        "import ctypes, resource\n"
        "from prov_server.approval.places import keep_memory_private, keep_out_of_swap\n"
        "keep_memory_private(); keep_out_of_swap()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path)
    assert done.stdout == "(0, 0) 0\n"


def test_a_device_that_is_no_terminal_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("prov_server.approval.terminal.DEVICE", "/dev/null")
    with pytest.raises(NoTerminalError, match=r"not the terminal of this session|does not answer"):
        Terminal()
