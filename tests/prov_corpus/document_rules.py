"""What a shipped document must be like (docs/howto/write-documents.md); each rule answers with the sentences of what is wrong.

`python tests/prov_corpus/document_rules.py PATH...` checks files and folders while they are written.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_bash
import yaml
from tree_sitter import Language, Node, Parser

from prov_corpus.documents import FOLDER

SECTIONS = {
    "en": {
        "runbook": ["Symptom", "Impact", "Diagnosis", "Fix", "Verification", "Prevention", "Escalation"],
        "guideline": ["Rule", "Why", "How", "Exceptions"],
        "pattern": ["Problem", "Solution", "Example", "Trade-offs"],
        "decision": ["Context", "Decision", "Consequences", "Alternatives"],
        "postmortem": ["Timeline", "Root Cause", "Resolution", "Action Items", "Related Resources"],
    },
    "es": {
        "runbook": ["Síntoma", "Impacto", "Diagnóstico", "Solución", "Verificación", "Prevención", "Escalado"],
        "guideline": ["Regla", "Motivo", "Aplicación", "Excepciones"],
        "pattern": ["Problema", "Solución", "Ejemplo", "Contrapartidas"],
        "decision": ["Contexto", "Decisión", "Consecuencias", "Alternativas"],
        "postmortem": ["Cronología", "Causa raíz", "Resolución", "Acciones", "Recursos relacionados"],
    },
}
LANGUAGES = {
    "sh",
    "text",
    "sql",
    "yaml",
    "toml",
    "json",
    "ini",
    "nickel",
    "promql",
    "hcl",
    "conf",
    "python",
    "xml",
    "dockerfile",
    "diff",
}
RUNS = {"postgresql", "etcd", "svault", "nats", "prov", "linux"}
FEWEST_WORDS, MOST_WORDS = 180, 1200
SHINGLE, MOST_OVERLAP = 5, 0.20
SENTENCE_WORDS, MOST_REPEATS = 12, 3
"""A sentence of so many words may stand in so many documents; more is padding."""

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"\w+")
PLACEHOLDER = re.compile(r"<[a-z][\w -]*>")


@dataclass(frozen=True)
class Page:
    path: Path
    name: str
    language: str
    head: dict[str, Any]
    body: str

    @property
    def fences(self) -> list[tuple[str, str]]:
        """(info string, text) of each fence."""
        return [
            (m["info"].strip(), re.sub(rf"^{m['indent']}", "", m["body"], flags=re.MULTILINE)) for m in FENCE.finditer(self.body)
        ]

    @property
    def prose(self) -> str:
        return FENCE.sub("\n", self.body)


def pages(paths: Iterable[Path] = (FOLDER,)) -> Iterator[Page]:
    """The documents written by hand under `paths`, in order of their paths."""
    files = sorted({file for path in paths for file in (path.rglob("*.md") if path.is_dir() else [path])})
    for file in files:
        name = file.resolve().relative_to(FOLDER).as_posix()
        if name.startswith(("reference/", "es/reference/")):
            continue
        text = file.read_text(encoding="utf-8")
        parts = text.split("---\n", 2) if text.startswith("---\n") else ["", "", text]
        try:
            head = yaml.safe_load(parts[1]) if len(parts) == 3 and parts[1] else {}
        except yaml.YAMLError:
            head = {"not YAML (quote what holds a colon or begins with a quotation mark)": None}
        yield Page(file, name, "es" if name.startswith("es/") else "en", head if isinstance(head, dict) else {}, parts[-1])


@cache
def known_programs() -> frozenset[str]:
    lines = (Path(__file__).parent / "programs.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def commands(script: str) -> Iterator[str]:
    """The names of the programs that a script calls, those inside substitutions too; functions that it defines are left out."""

    def walk(node: Node) -> Iterator[Node]:
        yield node
        for child in node.children:
            yield from walk(child)

    nodes = list(walk(_parser().parse(script.encode()).root_node))
    defined = {node.child_by_field_name("name").text for node in nodes if node.type == "function_definition"}  # type: ignore[union-attr]  # a function always has a name
    for node in nodes:
        if node.type == "command_name" and node.text and node.text not in defined:
            yield node.text.decode().rsplit("/", 1)[-1]


def of_head(page: Page) -> Iterator[str]:
    parts = page.name.removeprefix("es/").split("/")
    if len(parts) != 3:
        yield "the path is not KIND/AREA/NAME.md"
        return
    kind = page.head.get("type")
    if f"{kind}s" != parts[0]:
        yield f"type {kind!r} does not stand in the folder {parts[0]!r}"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.md", parts[2]):
        yield "the file's name is not lower-case words with hyphens"
    if set(page.head) != {"type", "title", "service", "tags", "updated"}:
        yield f"front matter has {sorted(map(str, page.head))}, not type, title, service, tags, updated"
        return
    if not isinstance(page.head["title"], str) or not 12 <= len(page.head["title"]) <= 100:
        yield "the title has not between 12 and 100 characters"
    tags = page.head["tags"]
    if (
        not isinstance(tags, list)
        or not 2 <= len(tags) <= 6
        or not all(re.fullmatch(r"[a-z0-9áéíóúñ]+([.-][a-z0-9áéíóúñ]+)*", str(tag)) for tag in tags)
    ):
        yield "tags are not two to six words in lower case"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(page.head["service"])):
        yield "service is not one lower-case name"
    if not isinstance(page.head["updated"], date):
        yield "updated is not a date"


def of_sections(page: Page) -> Iterator[str]:
    wanted = SECTIONS[page.language].get(str(page.head.get("type")), [])
    found = re.findall(r"^## (.+?) *$", page.prose, re.MULTILINE)
    if found != wanted:
        yield f"sections are {found}, not {wanted}"
    if re.search(r"^# ", page.prose, re.MULTILINE):
        yield "there is a level-one heading: the title is one"
    for title, text in re.findall(r"^## (.+?) *\n(.*?)(?=^## |\Z)", page.body, re.MULTILINE | re.DOTALL):
        if len(WORD.findall(text)) < 8:
            yield f"section {title!r} says nothing"
    count = len(WORD.findall(page.body))
    if not FEWEST_WORDS <= count <= MOST_WORDS:
        yield f"it has {count} words, not {FEWEST_WORDS} to {MOST_WORDS}"


def of_fences(page: Page) -> Iterator[str]:
    if page.prose.count("```"):
        yield "a fence is not closed, or is nested"
    scripts = []
    for info, text in page.fences:
        language, _, mark = info.partition(" ")
        if language not in LANGUAGES:
            yield f"fence {info!r} names none of the languages"
        if mark and (language != "sh" or mark.removeprefix("run:") not in RUNS or not mark.startswith("run:")):
            yield f"fence {info!r} has a mark that is none"
        if language == "sh":
            scripts.append(text)
            yield from of_script(text)
    if page.head.get("type") == "runbook" and len(scripts) < 2:
        yield "a runbook has at least two fences of commands"
    if page.head.get("type") == "runbook":
        for title in ["Diagnosis"] if page.language == "en" else ["Diagnóstico"]:
            section = page.body.partition(f"## {title}\n")[2].partition("\n## ")[0]
            if "```sh" not in section:
                yield f"{title} has no command"


def of_script(text: str) -> Iterator[str]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if checked.returncode:
        yield f"bash does not parse the fence that begins {first!r}: {checked.stderr.strip()[-160:]}"
        return
    if PLACEHOLDER.search(re.sub(r"<<-?\s*'?\w+'?.*", "", text, flags=re.DOTALL)):
        yield f"a placeholder in angle brackets in the fence that begins {first!r}: write a shell variable"
    unknown = {name for name in commands(text) if name not in known_programs() and not name.startswith(("$", '"$'))}
    if unknown:
        yield f"unknown programs {sorted(unknown)} in the fence that begins {first!r} (tests/prov_corpus/programs.txt)"


def of_content(page: Page) -> Iterator[str]:
    """A page without a command, a decision or a fact is padding."""
    facts = re.findall(r"\d", page.prose)
    if not page.fences and page.head.get("type") != "decision" and len(facts) < 5:
        yield "there is no command, no decision, and hardly a fact"
    for link in re.findall(r"\]\((?!https?:|#|prov:)([^)]+)\)", page.prose):
        if not (page.path.parent / link.partition("#")[0]).exists():
            yield f"the link {link} leads nowhere"


def wrong(page: Page) -> list[str]:
    """What is wrong with one document."""
    return [f"{page.name}: {said}" for rule in (of_head, of_sections, of_fences, of_content) for said in rule(page)]


def shingles(page: Page) -> frozenset[int]:
    headings = {heading.lower() for kinds in SECTIONS[page.language].values() for heading in kinds}
    lines = [line for line in page.body.splitlines() if line.removeprefix("## ").lower() not in headings]
    words = [word.lower() for word in WORD.findall("\n".join(lines))]
    return frozenset(hash(tuple(words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1))


def wrong_together(all_pages: list[Page]) -> list[str]:
    """What is wrong between documents: the same title, shared word sequences, sentences that return again and again."""
    said: list[str] = []
    for language in ("en", "es"):
        part = [page for page in all_pages if page.language == language]
        titles = Counter(str(page.head.get("title")).lower() for page in part)
        said += [f"{count} documents have the title {title!r}" for title, count in titles.items() if count > 1]
        holders: dict[int, list[int]] = defaultdict(list)
        sizes = []
        for number, page in enumerate(part):
            found = shingles(page)
            sizes.append(len(found))
            for shingle in found:
                holders[shingle].append(number)
        shared: Counter[tuple[int, int]] = Counter()
        for numbers in holders.values():
            if 1 < len(numbers) <= 20:
                shared.update((a, b) for at, a in enumerate(numbers) for b in numbers[at + 1 :])
        for (a, b), count in shared.items():
            overlap = count / max(1, min(sizes[a], sizes[b]))
            if overlap > MOST_OVERLAP:
                said.append(f"{part[a].name} and {part[b].name} share {overlap:.0%} of their word sequences")
        sentences: dict[str, set[str]] = defaultdict(set)
        for page in part:
            for sentence in re.split(r"(?<=[.!?])\s+|\n\n|\n[-|*] ", page.prose):
                words = WORD.findall(sentence.lower())
                if len(words) >= SENTENCE_WORDS:
                    sentences[" ".join(words)].add(page.name)
        said += [
            f"{len(names)} documents repeat the sentence {text[:90]!r}"
            for text, names in sentences.items()
            if len(names) > MOST_REPEATS
        ]
    return said


def main() -> int:
    found = list(pages([Path(name).resolve() for name in sys.argv[1:]] or [FOLDER]))
    said = [line for page in found for line in wrong(page)] + wrong_together(found)
    sys.stdout.write("".join(f"{line}\n" for line in said) + f"{len(found)} documents, {len(said)} things wrong\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
