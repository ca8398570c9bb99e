"""Workflows as people write them: `workflows/NAME.toml` in the workspace, and those that are shipped.

A file has an id, a name, typed parameters, and tasks; `${size}` in a task's configuration stands for a parameter's value. A task
of a type that makes a resource (`provision_server`) has that resource's record as its configuration.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from prov_corpus.similar import nearest
from provisioning.plan.model import RetryPolicy
from provisioning.workflow.graph import in_order
from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.problems import sentence

FOLDER = "workflows"
SHIPPED = "shipped"
MAX_BYTES = 256 * 1024
MAX_TASKS = 500
KINDS: Mapping[str, str] = {
    "provision_server": "server",
    "configure_networking": "networking",
    "configure_firewall": "security_group",
    "provision_database": "database",
    "provision_bucket": "bucket",
    "provision_volume": "volume",
    "provision_cluster": "kubernetes",
    "provision_load_balancer": "load_balancer",
    "configure_dns": "dns",
}
"""The task types that make a resource, and the kind of it."""

_ID = r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$"
_NAME = re.compile(r"\$\{([^}]*)\}")


def _seen(text: str) -> str:
    """A name that is shown to who approves: nothing in it makes a line of its own or cannot be seen."""
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


Title = Annotated[str, Field(max_length=200), AfterValidator(_seen)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Parameter(_Table):
    """What a run can choose. Without a default it must be given."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    description: str = ""
    default: str | int | float | bool | None = None
    allowed: list[str | int | float] = []


class Retry(_Table):
    """How often and how patiently a task is tried again."""

    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    initial_delay_ms: Annotated[int, Field(ge=0, le=600_000)] = 1000
    backoff_multiplier: Annotated[float, Field(ge=1, le=10)] = 2.0
    max_delay_ms: Annotated[int, Field(ge=0, le=3_600_000)] = 60_000

    @property
    def policy(self) -> RetryPolicy:
        """As the engine takes it."""
        return RetryPolicy(self.max_retries, self.initial_delay_ms, self.backoff_multiplier, self.max_delay_ms)


class Task(_Table):
    """One task: `task` is its type, `needs` the ids of tasks that come before it."""

    id: Annotated[str, Field(pattern=_ID)]
    task: str
    name: Title = ""
    provider: str = ""
    config: dict[str, Any] = {}
    needs: list[str] = []
    retry: Retry = Retry()


class Definition(_Table):
    """A whole workflow."""

    id: Annotated[str, Field(pattern=_ID)]
    name: Title
    description: str = ""
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")], Parameter] = {}
    tasks: Annotated[list[Task], Field(min_length=1, max_length=MAX_TASKS)]

    @property
    def sha256(self) -> str:
        """The hash of what it says."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Listed:
    """A definition as it is listed; `problem` says why it cannot be run, "" when it can."""

    id: str
    name: str
    origin: str
    tasks: int
    parameters: Mapping[str, str]
    problem: str = ""


def catalogue(workspace: Path) -> list[Listed]:
    """Every workflow that can be named: the workspace's own first, which hide shipped ones of the same id."""
    found: dict[str, Listed] = {}
    for path, origin in _files(workspace):
        try:
            one = read(path)
        except InvalidInputError as error:
            found.setdefault(path.stem, Listed(path.stem, path.stem, origin, 0, {}, error.message))
            continue
        parameters = {name: _told(parameter) for name, parameter in one.parameters.items()}
        found.setdefault(one.id, Listed(one.id, one.name, origin, len(one.tasks), parameters))
    return list(found.values())


def find(id: str, workspace: Path) -> Definition:  # noqa: A002 - the word of the interface
    """The definition of an id. Raises NotFoundError with the nearest names, InvalidInputError for a file that is wrong."""
    names = []
    for path, _ in _files(workspace):
        if path.stem == id:
            return read(path)
        names.append(path.stem)
    near = " or ".join(nearest(id, names, 2))
    raise NotFoundError(
        f"there is no workflow {id[:80]!r}",
        hint=f"did you mean {near}?" if near else f"`prov workflow list` shows them; your own go into {FOLDER}/NAME.toml",
    )


def read(path: Path) -> Definition:
    """A definition from its file. Raises InvalidInputError naming the file and every wrong key."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(f"{path.name} is larger than {MAX_BYTES // 1024} KiB", hint="split it")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path.name} is not TOML: {error}", hint="correct it") from None
    except OSError as error:
        raise InvalidInputError(f"{path.name} cannot be read: {error.strerror}", hint="correct it") from None
    try:
        found = Definition.model_validate({"id": path.stem, **table})
    except ValidationError as error:
        said = [
            sentence(".".join(str(part) for part in item["loc"]) or path.name, item)
            for item in error.errors(include_url=False, include_input=False)[:8]
        ]
        raise InvalidInputError(f"{path.name}: {'; '.join(said)}", hint="docs: Write a workflow", problems=said) from None
    if found.id != path.stem:
        raise InvalidInputError(f"{path.name} calls itself {found.id}", hint="an id is the file's name; leave `id` out")
    _require_sound(found, path.name)
    return found


def filled(definition: Definition, given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Task, ...]]:
    """The parameters of a run, and its tasks with them filled in. Raises InvalidInputError naming every wrong parameter."""
    unknown = sorted(set(given) - set(definition.parameters))
    problems = [f"there is no parameter {name[:60]!r}" for name in unknown]
    values: dict[str, Any] = {}
    for name, parameter in definition.parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            problems.append(f"{name} is missing" + (f" ({parameter.description})" if parameter.description else ""))
        elif (typed := _typed(parameter, value)) is None:
            problems.append(f"{name} must be {_article(parameter.type)}")
        elif parameter.allowed and typed not in parameter.allowed:
            problems.append(f"{name} must be one of {', '.join(map(str, parameter.allowed))}")
        else:
            values[name] = typed
    tasks = () if problems else tuple(_filled(task, values) for task in definition.tasks)
    problems += [
        f"the name of {one.id} must be one line without control characters" for one in tasks if not one.name.isprintable()
    ]
    if problems:
        known = ", ".join(f"{name} ({_told(one)})" for name, one in definition.parameters.items()) or "none"
        raise InvalidInputError(f"{definition.id}: {'; '.join(problems)}", hint=f"its parameters: {known}", problems=problems)
    return values, tasks


def _filled(task: Task, values: Mapping[str, Any]) -> Task:
    texts = {name: str(_substituted(getattr(task, name), values)) for name in ("provider", "name")}
    return task.model_copy(update={"config": _substituted(task.config, values), **texts})


def _files(workspace: Path) -> Iterator[tuple[Path, str]]:
    own = workspace / FOLDER
    if own.is_dir() and not own.is_symlink():  # a link could lead out of the workspace
        yield from ((path, "workspace") for path in sorted(own.glob("*.toml")) if path.is_file() and not path.is_symlink())
    from prov_corpus import workflows  # noqa: PLC0415 - data, found beside its package

    yield from ((path, SHIPPED) for path in sorted(workflows.FOLDER.glob("*.toml")))


def _require_sound(definition: Definition, file: str) -> None:
    """Raises InvalidInputError for a task that is there twice, an unknown type, need or parameter; CycleError for a circle."""
    from provisioning.workflow.tasks import TASKS  # noqa: PLC0415 - only a definition that is read needs the list

    ids = [task.id for task in definition.tasks]
    known = sorted({*TASKS, *KINDS, "provision"})
    problems = [f"two tasks are called {one}" for one in sorted({one for one in ids if ids.count(one) > 1})]
    for task in definition.tasks:
        if task.task not in known:
            near = " or ".join(nearest(task.task, known, 2))
            problems.append(f"{task.id}: there is no task type {task.task[:60]!r}" + (f"; did you mean {near}?" if near else ""))
        problems += [f"{task.id}: it needs {need!r}, which is no task" for need in task.needs if need not in ids]
        problems += [
            f"{task.id}: there is no parameter {name!r}"
            for name in _names([task.config, task.provider, task.name])
            if name not in definition.parameters
        ]
    if problems:
        raise InvalidInputError(f"{file}: {'; '.join(problems[:8])}", hint=f"task types: {', '.join(known)}", problems=problems)
    in_order({task.id: task.needs for task in definition.tasks})


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _NAME.findall(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _names(inner)


def _substituted(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with parameters filled in; a text that is one parameter and nothing else takes its type."""
    if isinstance(value, str):
        whole = _NAME.fullmatch(value)
        return values[whole[1]] if whole else _NAME.sub(lambda found: str(values[found[1]]), value)
    if isinstance(value, Mapping):
        return {key: _substituted(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_substituted(inner, values) for inner in value]
    return value


def _typed(parameter: Parameter, value: Any) -> Any:
    """The value in the parameter's type, None where it does not fit; words of a command line are read as what they say."""
    match parameter.type:
        case "string":
            return value if isinstance(value, str) else str(value) if not isinstance(value, bool) else None
        case "boolean":
            words = {"true": True, "yes": True, "false": False, "no": False}
            return value if isinstance(value, bool) else words.get(str(value).lower())
        case "integer" if not isinstance(value, bool):
            return int(value) if re.fullmatch(r"[+-]?\d{1,18}", str(value)) else None
        case "number" if not isinstance(value, bool):
            try:
                return float(value)
            except (TypeError, ValueError):
                return None
    return None


def _told(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f"={json.dumps(parameter.default, ensure_ascii=False)}"
    return f"{parameter.type}{default}"


def _article(kind: str) -> str:
    return {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}[kind]
