"""The documentation tells the truth about itself: its links lead somewhere, its commands are commands."""

import re
import shlex
from pathlib import Path

import click
import pytest

from stratumops.errors import StratumError

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]+)\)")
END = set("|<>;&")
"""What ends one command of a line: a pipe, a redirection, a here-document, another command."""


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.*)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_every_link_leads_to_a_file_and_a_heading_in_it(page: Path):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def typed(page: Path) -> list[list[str]]:
    """The words of every `prov` and `svault` that the page shows as typed."""
    found: list[list[str]] = []
    for line in re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8")).splitlines():
        if not line.lstrip().startswith("$ "):
            continue
        # A quotation may go on in the next lines.
        command = line.strip()[2:] + "'" * (line.count("'") % 2)
        lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>;&")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= END:
                if words and words[0] in {"prov", "svault"}:
                    found.append(words)
                words = []
            elif words or "=" not in word:  # a variable before a command
                words.append(word)
    return found


def parse(words: list[str]) -> None:
    """Read a command line as its program does, and run nothing. Raises click.UsageError."""
    command: click.Command | None
    if words[0] == "svault":
        from svault.cli.arguments import normalized
        from svault.cli.root import root

        command, rest = root, normalized(words[1:])
    else:
        from prov_server.cli.root import build_root

        command, rest = build_root(), words[1:]
    ctx = click.Context(command, info_name=words[0])
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        _, command, rest = command.resolve_command(ctx, rest)
        assert command is not None
        if isinstance(command, click.Group):
            ctx = click.Context(command, info_name=command.name, parent=ctx)
    assert command is not None
    command.make_context("x", rest, parent=ctx)


COMMANDS = [(page, words) for page in PAGES for words in typed(page)]


def test_the_pages_show_commands_of_both_programs():
    assert {"prov", "svault"} <= {words[0] for _, words in COMMANDS}
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda one: where(one) if isinstance(one, Path) else shlex.join(one))
def test_every_command_of_the_pages_is_understood(page: Path, words: list[str]):
    try:
        parse(words)
    except click.exceptions.Exit:
        pass  # --version, --help
    except (click.UsageError, StratumError) as error:
        pytest.fail(f"{where(page)}: {shlex.join(words)}: {error.message}")


@pytest.mark.parametrize("words", ["prov vault stroe x", "prov vault list --nope", "svault kv put -nope x a=b", "svault sael"])
def test_a_command_that_is_none_is_found(words: str):
    with pytest.raises((click.UsageError, StratumError)):
        parse(words.split())


def test_the_configuration_of_a_vault_server_that_the_page_shows_is_read(tmp_path: Path):
    from svault.config.loading import load

    page = (ROOT / "docs/howto/svault-server.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(# svault\.toml\n.*?)```", page, re.DOTALL)
    file = tmp_path / "svault.toml"
    file.write_text(shown, encoding="utf-8")
    loaded = load(file)
    assert loaded.settings.server.require_client_cert
    assert list(loaded.settings.engines) == ["kv", "transit", "pki", "database"]
    assert loaded.findings == []
