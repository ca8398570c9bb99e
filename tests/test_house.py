"""The rules of the house that no linter knows: sizes, typing marks, reasons, and what may not be committed."""

import json
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 400
NOT_OURS = {".git", ".venv", ".envs", ".prov", ".hypothesis", ".test-results", "__pycache__", "dist", "build"}
LOCK_FILES_WITH_ADDRESSES = {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "uv.lock", "poetry.lock"}
# Written in halves, so that this file does not hold what it looks for.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "deb.debian" + ".org",
    "registry.terra" + "form.io",
]
MACHINE_PATHS = ["/ro" + "ot/", "/wo" + "rk/", "/opt/" + "wheels", "/opt/" + "pypi", "/home/" + "runner"]
SUPPRESSION = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:\s*ignore)(?P<rest>.*)$")
WITH_CODE_AND_REASON = re.compile(r"^(:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*|\[[\w, -]+\])\s*[#-]+\s*\w.{7,}")


@cache
def files() -> tuple[Path, ...]:
    """All files of the project that exist: git's list (tracked and not ignored), or a walk where there is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if (ROOT / ".git").exists() and listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(part in NOT_OURS or part.endswith(("_cache", ".egg-info")) for part in path.parts)
        ]
    return tuple(sorted({path for path in found if path.is_file()}))


def text_of(path: Path) -> str:
    """The text of a file; a binary file has none."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8")


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def packages() -> list[Path]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [ROOT / name for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]


def test_no_module_is_longer_than_400_lines():
    modules = [path for path in files() if path.suffix == ".py"]
    assert len(modules) > 10
    lengths = {where(path): len(text_of(path).splitlines()) for path in modules}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_module_is_named_after_nothing():
    vague = re.compile(r"^(utils?|helpers?|manager|misc|common)$|_v\d+$")
    assert [where(path) for path in files() if path.suffix == ".py" and vague.search(path.stem)] == []


def test_no_lock_file_that_records_addresses_is_committed():
    assert [where(path) for path in files() if path.name in LOCK_FILES_WITH_ADDRESSES] == []


@pytest.mark.parametrize("forbidden", [*REGISTRY_HOSTS, *MACHINE_PATHS])
def test_no_file_names_a_registry_host_or_a_path_of_one_machine(forbidden: str):
    # Only at the start of a path: the same word may be a folder inside a longer path of the product's own.
    pattern = re.compile(r"(?<![\w.~}-])" + re.escape(forbidden) if forbidden[0] == "/" else re.escape(forbidden))
    # A runbook is about machines, where the superuser has a home; no other file knows one.
    of_machines = ROOT / "corpus" / "prov_corpus" / "documents"
    read = [path for path in files() if forbidden != MACHINE_PATHS[0] or not path.is_relative_to(of_machines)]
    assert [where(path) for path in read if pattern.search(text_of(path))] == []


def test_every_locked_requirement_has_an_exact_version_and_a_hash():
    locked = sorted((ROOT / "requirements").rglob("*.txt"))
    assert {"runtime.txt", "build.txt", "dev.txt"} <= {path.name for path in locked}
    for path in locked:
        entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n", "", text_of(path)).replace("\\\n", " "))
        for entry in filter(str.strip, entries):
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), f"{where(path)}: {entry}"


def test_the_lock_holds_every_dependency_that_the_project_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in ("runtime.txt", "dev.txt"):
        locked = set(re.findall(r"(?m)^([\w.-]+)(?:\[[\w,-]+\])?==", text_of(ROOT / "requirements" / name)))
        wanted = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in project["dependencies"]}
        assert wanted - locked == set(), f"requirements/{name} is stale: run make lock"


def test_every_npm_peer_has_exact_versions():
    declared = sorted((ROOT / "requirements" / "peers").glob("*/package.json"))
    assert declared
    for path in declared:
        for package, version in json.loads(text_of(path))["dependencies"].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version), f"{where(path)}: {package} {version}"


@pytest.mark.parametrize("package", packages(), ids=lambda path: path.name)
def test_every_package_is_typed_and_says_what_it_is_for(package: Path):
    assert (package / "py.typed").is_file()
    front_door = text_of(package / "__init__.py")
    assert front_door.startswith('"""')


def test_every_suppressed_finding_names_its_code_and_its_reason():
    bare = []
    for path in files():
        if path.suffix != ".py":
            continue
        for number, line in enumerate(text_of(path).splitlines(), start=1):
            found = SUPPRESSION.search(line)
            if found and "re.compile" not in line and not WITH_CODE_AND_REASON.match(found["rest"]):
                bare.append(f"{where(path)}:{number}: {line.strip()}")
    assert bare == []


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md", "LICENSE", ".ci/run"])
def test_the_front_matter_of_the_project_is_there(name: str):
    assert len(text_of(ROOT / name)) > 100


def test_the_makefile_explains_every_target():
    makefile = text_of(ROOT / "Makefile")
    (phony,) = re.findall(r"(?m)^\.PHONY: (.*)$", makefile)
    assert sorted(re.findall(r"(?m)^([a-z]+):.*## \S", makefile)) == sorted(phony.split())


def test_what_is_run_directly_is_executable():
    for name in (".ci/run", "scripts/setup", "scripts/lock"):
        assert (ROOT / name).stat().st_mode & 0o111, name
