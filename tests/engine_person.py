"""A person with a workspace, an approver key and a terminal: `prov` as they use it, in processes of its own.

What belongs to the person (HOME, the XDG folders) lies beside the workspace and never in it.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import warm
from prov_server.cli.demonstration.terminal_driver import TerminalDriver
from provisioning.providers.sandbox.process import Sandbox
from warm_terminal import WarmTerminal

PROV = Path(warm.PROV.path)
PASSPHRASE = "correct horse battery"
SECONDS = 110
_STEERS = ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS", "TERMINAL_WIDTH", "TTY_COMPATIBLE")
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")
Answer = tuple[str, str | Callable[[TerminalDriver], str]]
"""A question, and the line that is typed (or what makes it of what the terminal shows)."""

SHOP = """{
  name = "shop",
  provider = 'aws,
  region = "eu-west-1",
  networking = { vpc_cidr = "10.0.0.0/16", subnets = [{ name = "public", cidr = "10.0.1.0/24", tier = 'public }] },
  security_groups = [{ name = "web", rules = [{ from_port = 443, cidrs = ["0.0.0.0/0"] }] }],
  servers = [{ name = "web", plan = "t3.micro", networking = { subnet = "public", security_groups = ["web"] } }],
  buckets = [{ name = "shop-invoices" }],
}
"""
"""Five things in three waves."""


@dataclass(frozen=True)
class Ended:
    """How a run ended; on a terminal `out` is what it showed, without colours and movements of the cursor."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        """The answer of a run with --json."""
        return json.loads(self.out)


class Person:
    """Who works in `workspace`. `flags` stand before every command."""

    def __init__(self, root: Path, *flags: str) -> None:
        self.workspace, self.flags = root / "workspace", flags
        home, runtime = root / "home", root / "run"
        for folder in (self.workspace, home, runtime):
            folder.mkdir(mode=0o700, parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROV_") and name not in _STEERS}
        self.environment = kept | {
            "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CACHE_HOME": str(home / "cache"), "TERM": "xterm-256color",
        }  # fmt: skip

    def write(self, text: str, name: str = "main.ncl") -> None:
        """A file of the workspace."""
        (self.workspace / name).write_text(text, encoding="utf-8")

    def prov(self, *words: str, flags: Sequence[str] | None = None, given: str = "", **variables: str) -> Ended:
        """Run without a terminal, in a session of its own: there is nobody who could be asked."""
        words = (*(self.flags if flags is None else flags), *words)
        done = warm.run(warm.PROV, words, given=given, cwd=self.workspace, env=self.environment | variables, seconds=SECONDS)
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def at_terminal(self, *words: str, flags: Sequence[str] | None = None, **variables: str) -> Iterator[TerminalDriver]:
        """Run on a pseudo-terminal."""
        command = [PROV, *(self.flags if flags is None else flags), *words]
        with WarmTerminal(command, cwd=self.workspace, env={"COLUMNS": "120"} | self.environment | variables) as terminal:
            yield terminal

    def typed(self, words: Sequence[str], *answers: Answer, flags: Sequence[str] | None = None, **variables: str) -> Ended:
        """Run on a pseudo-terminal, answer these questions, and wait for the end."""
        with self.at_terminal(*words, flags=flags, **variables) as terminal:
            for question, said in answers:
                terminal.wait_for(question, SECONDS)
                terminal.send((said if isinstance(said, str) else said(terminal)) + "\n")
            code = terminal.ended(SECONDS)
            assert "Traceback" not in terminal.transcript, terminal.transcript
            assert PASSPHRASE not in terminal.transcript
            return Ended(code, _SEQUENCE.sub("", terminal.transcript))

    def becomes_approver(self, name: str = "ana") -> Ended:
        """Make a key."""
        return self.typed(["approver", "new", name], ("not shown", PASSPHRASE), ("again", PASSPHRASE))

    def approves(self, *words: str, **variables: str) -> Ended:
        """Run what asks for an approval, and give it."""
        return self.typed(words, *YES, **variables)


def word(terminal: TerminalDriver) -> str:
    """The plan's word, as it stands in the question on the terminal."""
    return re.findall(r"Type ([0-9a-f]{4}) ", terminal.transcript)[-1]


WORD: Answer = (" to approve plan-", word)
YES: tuple[Answer, ...] = (WORD, ("passphrase of ", PASSPHRASE))


@contextmanager
def sandboxed(root: Path) -> Iterator[Person]:
    """A person whose workspace has a sandbox, with the shop in main.ncl; the sandbox ends at the end."""
    person = Person(root, "--sandbox")
    person.write(SHOP)
    try:
        yield person
    finally:
        Sandbox(person.workspace / ".prov" / "sandbox").stop()


def boto(person: Person, service: str, region: str = "eu-west-1") -> Any:
    """A plain client of boto3 at the person's sandbox."""
    import boto3
    from botocore.config import Config

    running = Sandbox(person.workspace / ".prov" / "sandbox").status()
    assert running is not None
    return boto3.client(
        service, region_name=region, endpoint_url=running.url, aws_access_key_id="x", aws_secret_access_key="x",
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
