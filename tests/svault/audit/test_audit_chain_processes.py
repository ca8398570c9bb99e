"""The hash chain written by other processes: several at a time, and one that is killed."""

import signal
import subprocess
import sys
from pathlib import Path

from svault.audit.verify import Verification, verify
from svault.crypto.openssl import OpenSSLBackend

CRYPTO = OpenSSLBackend()
PUBLIC = CRYPTO.dsa_public(bytes(range(32)))


def check(path: Path) -> Verification:
    return verify(path, PUBLIC, CRYPTO)


def said(found: Verification) -> str:
    return "\n".join(problem.what for problem in found.problems)


WRITER = """
import sys
from pathlib import Path
from svault.audit.chain import Chain, ChainOptions
from svault.crypto.openssl import OpenSSLBackend
from svault.logical.clock import SystemClock
path, count, shared = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "shared"
options = ChainOptions(shared=shared, sign_lines=100, rotate_bytes=60000)
chain = Chain(path, OpenSSLBackend(), bytes(range(32)), SystemClock(), options)
chain.open()
number = 0
while count == 0 or number < count:
    number += 1
    print(chain.append([b'{"n":%d}' % number]).seq, flush=True)
chain.close()
"""


def writer(path: Path, count: int, mode: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-W", "error", "-c", WRITER, str(path), str(count), mode]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


def test_several_processes_write_one_chain(tmp_path: Path):
    path = tmp_path / "audit.log"
    running = [writer(path, 300, "shared") for _ in range(3)]
    seen = [int(line) for one in running for line in one.communicate()[0].splitlines()]
    assert all(one.returncode == 0 for one in running)
    assert len(set(seen)) == 900
    found = check(path)
    assert found.ok, said(found)
    assert found.entries == 900
    assert len(found.files) > 1


def test_what_was_appended_is_there_after_kill_9(chain, tmp_path: Path):
    path = tmp_path / "audit.log"
    seen = 0
    for _ in range(3):
        one = writer(path, 0, "alone")
        assert one.stdout is not None
        for _ in range(150):
            seen = int(one.stdout.readline())
        one.send_signal(signal.SIGKILL)
        seen = max([seen, *(int(line) for line in one.communicate()[0].splitlines(keepends=True) if line.endswith("\n"))])
        assert check(path).head.seq >= seen
    last = chain()
    last.close()
    found = check(path)
    assert found.ok, said(found)
    assert found.unsigned == 0
