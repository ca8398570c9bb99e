"""`prov init`: make a folder a workspace: a first configuration, settings with comments, our own folder."""

import json
from pathlib import Path
from typing import Any

import click
from rich.text import Text
from rich_click import RichOption

from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from prov_server.cli.writing import replace_text
from stratumops.errors import ConflictError
from stratumops.provider import PROVIDERS
from stratumops.workspace import OWN_FOLDER

CONFIG_NAME = "main.ncl"


def _run(provider: str | None, force: bool) -> None:
    from stratumops.settings import FILE_NAME

    session = Session.current()
    root = session.workspace.root
    chosen = provider or session.settings().generation.provider
    texts = {CONFIG_NAME: first_configuration(chosen), FILE_NAME: commented_settings({"generation.provider": provider})}
    existing = [name for name in texts if (root / name).exists()]
    if len(existing) == len(texts) and (root / OWN_FOLDER).is_dir() and not force:
        raise ConflictError(
            f"{root} is a workspace already: {' and '.join(existing)} exist",
            hint="`prov validate main.ncl` checks it; --force writes both files anew",
            files=existing,
        )
    written = [name for name in texts if force or name not in existing]
    for name in written:
        replace_text(root / name, texts[name])
    session.workspace.make_own()
    if _ignore(root / ".gitignore"):
        written.append(".gitignore")
    kept = [name for name in existing if not force]
    if session.as_json:
        session.say_json({"workspace": str(root), "written": written, "kept": kept})
        return
    for name in written:
        session.notes.print(Text.assemble(("wrote ", "good"), name))
    for name in kept:
        session.notes.print(Text.assemble(("kept  ", "info"), name))
    session.notes.print(
        f"\nNext:\n  prov validate {CONFIG_NAME}\n"
        '  prov generate "a PostgreSQL database with backups" --output database.ncl\n'
        "  prov mcp install --client claude-code"
    )


def first_configuration(provider: str) -> str:
    """A small configuration that is valid as it stands."""
    template = Path(__file__).with_name("first.ncl").read_text(encoding="utf-8")
    return template.replace("@provider@", provider)


def commented_settings(values: dict[str, Any]) -> str:
    """Every setting as TOML, commented out at its default, but `values` (those that are not None)."""
    from stratumops.settings import accessors

    lines = [
        "# Settings of this workspace. Each line shows a default; remove the # and change it.",
        "# `prov config list` shows what holds; the environment (PROV_SERVER__PORT=8003) wins over this file.",
    ]
    table = ""
    for one in accessors():
        above, _, leaf = one.key.rpartition(".")
        if above != table:
            table = above
            lines += ["", f"[{table}]"]
        value = values.get(one.key)
        lines.append(f"# {one.description}")
        lines.append(f"{'# ' if value is None else ''}{leaf} = {json.dumps(one.default if value is None else value)}")
    return "\n".join(lines) + "\n"


def _ignore(path: Path) -> bool:
    """Keep our own folder out of git; answers whether the file was changed."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if any(line.strip().strip("/") == OWN_FOLDER for line in text.splitlines()):
        return False
    replace_text(path, text + ("" if not text or text.endswith("\n") else "\n") + f"{OWN_FOLDER}/\n")
    return True


init = Command(
    "init",
    callback=_run,
    params=[
        RichOption(["--provider"], type=click.Choice(PROVIDERS), help="Of the first configuration, and the default from then on"),
        RichOption(["--force"], is_flag=True, default=False, help="Write main.ncl and prov.toml anew"),
    ],
    help="Make this folder a workspace: a first configuration, commented settings, our own folder. Overwrites nothing.",
    short_help="Make this folder a workspace",
)
