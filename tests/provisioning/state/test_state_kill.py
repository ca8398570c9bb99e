"""kill -9 between any two statements, and around every write of a file.

By default at points that are spread over all of them; PROV_TESTS_SOAK=1 visits every one.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.state.store import open_store

from .states import Told

PROGRAM = Path(__file__).with_name("killed.py")
SOAK = os.environ.get("PROV_TESTS_SOAK") == "1"
KILLS = 40
"""Points of each kind of work by default."""


@pytest.mark.timeout(1200 if SOAK else 300)
@pytest.mark.parametrize(("what", "least"), [("work", 90), ("restore", 20)])
def test_a_kill_at_any_point_loses_nothing_that_was_answered(tmp_path: Path, what: str, least: int):
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, what, "0" if SOAK else str(KILLS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["wrong"] == {}
    assert said["points"] > least
    assert said["killed"] == (said["points"] if SOAK else KILLS)


WRITER = """
import sys
from pathlib import Path
from provisioning.resource import Recorded
from provisioning.state.store import Write, open_store
store = open_store(Path(sys.argv[1]), notify=lambda said: print("told", said, flush=True))
number = store.head().serial
while True:
    number += 1
    one = Recorded(f"server.n{number % 7}", "server", "aws", "", "i", {"size": number}, {}, "Server", ())
    print(store.put(one, Write(None)).serial, flush=True)
"""


def test_a_writer_that_is_killed_again_and_again_keeps_every_serial_that_it_told(folder: Path, told: Told):
    last = 0
    for wanted in (1, 2, 3, 5, 8, 13, 21) if SOAK else (1, 3, 13):
        with subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(wanted):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines()
            last = int(rest[-1]) if rest and rest[-1].isdecimal() else last
        assert process.returncode == -signal.SIGKILL
        store = told.open(folder)
        assert store.head().serial >= last
        assert store.verify_history() == []
        assert [one.number for one in store.serials()] == list(range(store.head().serial, 0, -1))
        store.close()
    assert told == []


def test_the_files_are_only_their_owners(folder: Path):
    umask = os.umask(0)
    try:
        open_store(folder).close()
    finally:
        os.umask(umask)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "state.db": 0o600,
        "state.journal": 0o600,
        "state.lock": 0o600,
    }
