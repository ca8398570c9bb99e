"""What is asked for on a terminal is not shown there."""

import os
import pty
import subprocess
from pathlib import Path

from vault_processes import LIMIT_SECONDS, PROGRAM, VaultProcess, environment, svault


def on_a_terminal(home: Path, words: list[str], prompt: bytes, typed: str, **settings: str) -> tuple[int, str]:
    """Run a command on a terminal, type a line when it asks; the exit code and everything that the terminal showed."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(home, **settings), cwd=home
        )
        os.close(theirs)
        shown = b""
        while prompt not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, typed.encode() + b"\n")
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:
            pass  # the terminal's other side is closed: the command has ended
        return process.wait(LIMIT_SECONDS), shown.decode()
    finally:
        os.close(ours)


def test_a_value_without_a_text_is_asked_for_and_not_shown(dev: VaultProcess, tmp_path: Path) -> None:
    settings = {"VAULT_ADDR": dev.url, "VAULT_TOKEN": "root"}
    code, shown = on_a_terminal(tmp_path, ["kv", "put", "secret/asked", "password"], b"not shown", "canary-value", **settings)
    assert code == 0, shown
    assert "canary-value" not in shown
    assert svault(tmp_path, "kv", "get", "-field=password", "secret/asked", **settings).out == "canary-value"


def test_a_token_is_asked_for_and_not_shown(dev: VaultProcess, tmp_path: Path) -> None:
    code, shown = on_a_terminal(tmp_path, ["login", "-no-print"], b"not shown", "root", VAULT_ADDR=dev.url)
    assert code == 0, shown
    assert "root\r\n" not in shown.replace("/root", "")
    assert (tmp_path / ".svault-token").read_text() == "root"
