"""The settings tree: declared once as frozen models; file, environment, accessors and reference page are derived from it.

Sources, later ones win: defaults, `prov.toml` in the workspace, environment (`PROV_SERVER__PORT=8003`), flags. Only the server
reads settings; the other packages are handed values.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from stratumops.errors import InvalidInputError, NotFoundError
from stratumops.settings_groups import (
    AuditSettings,
    EngineSettings,
    GenerateSettings,
    KnowledgeSettings,
    LimitSettings,
    LogSettings,
    McpSettings,
    NickelSettings,
    OperatorOnly,
    RagSettings,
    ServerSettings,
    ValidateSettings,
    VaultSettings,
)
from stratumops.settings_text import Problem, did_you_mean, line_of

FILE_NAME = "prov.toml"
ENV_PREFIX = "PROV_"


class Settings(BaseSettings):
    """All settings. Read them with `load`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    server: ServerSettings = ServerSettings()
    mcp: McpSettings = McpSettings()
    limits: LimitSettings = LimitSettings()
    nickel: NickelSettings = NickelSettings()
    validation: ValidateSettings = ValidateSettings()
    generation: GenerateSettings = GenerateSettings()
    audit: AuditSettings = AuditSettings()
    vault: VaultSettings = VaultSettings()
    engine: EngineSettings = EngineSettings()
    rag: RagSettings = RagSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings' own
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file (earlier ones win). No `.env` file is ever read."""
        toml = settings_cls.model_config.get("toml_file")
        file = (TomlConfigSettingsSource(settings_cls, toml),) if toml else ()
        return (init_settings, env_settings, *file)


@dataclass(frozen=True, slots=True)
class Accessor:
    """One leaf of the tree: `server.port` with its type, default, description and environment variable."""

    key: str
    description: str
    default: Any
    field: FieldInfo

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENV_PREFIX + self.key.replace(".", "__").upper()

    @property
    def is_operator_only(self) -> bool:
        """Whether `prov.toml` may not set it."""
        return any(isinstance(mark, OperatorOnly) for mark in self.field.metadata)

    @property
    def type_name(self) -> str:
        """The type in a reader's words."""
        text = str(self.field.annotation)
        return text.removeprefix("<class '").removesuffix("'>").replace("typing.", "")

    def read(self, settings: BaseModel) -> Any:
        """Its value in these settings."""
        value: Any = settings
        for part in self.key.split("."):
            value = getattr(value, part)
        return value


def accessors(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[Accessor]:
    """Every leaf of the tree, in order."""
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from accessors(info.annotation, f"{prefix}{name}.")
        else:
            yield Accessor(f"{prefix}{name}", info.description or "", info.get_default(call_default_factory=True), info)


def accessor(key: str) -> Accessor:
    """The leaf of that key. Raises NotFoundError with the nearest keys."""
    by_key = {one.key: one for one in accessors()}
    if key in by_key:
        return by_key[key]
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(key, by_key, n=3, cutoff=0.5)
    raise NotFoundError(
        f"there is no setting {key[:80]!r}",
        hint=f"did you mean {', '.join(near)}?" if near else "`prov config list` shows them all",
    )


def _variables_without_json() -> Iterator[str]:
    """The variables that are set, must hold JSON (lists, or whole tables), and do not."""
    wanted = {one.variable for one in accessors() if isinstance(one.default, list)}
    wanted |= {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(wanted.intersection(os.environ)):
        try:
            json.loads(os.environ[name])
        except ValueError:
            yield name


def load(workspace: Path | None = None, **flags: Any) -> Settings:
    """The settings of a workspace (`prov.toml` there, if any), the environment and `flags` (nested dicts).

    Raises InvalidInputError naming the file or variable and every wrong key.
    """
    path = workspace / FILE_NAME if workspace else None
    file = path if path and path.is_file() else None

    class Located(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        if file:
            _refuse_operator_settings(tomllib.loads(file.read_text(encoding="utf-8")))
        return Located(**flags)
    except ValidationError as error:
        raise _invalid(_problems(error, file.read_text(encoding="utf-8") if file else "")) from None
    except SettingsError:
        # Raised for a variable that should hold JSON and does not; its own words name neither the variable nor the remedy.
        names = ", ".join(_variables_without_json()) or f"an {ENV_PREFIX}* variable"
        hint = """a list is written as JSON, such as PROV_MCP__TOOLSETS='["config"]'"""
        raise InvalidInputError(f"settings: {names} does not hold JSON", hint=hint) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{FILE_NAME} is not TOML: {error}", hint=f"correct {FILE_NAME}", file=FILE_NAME) from None
    except OSError as error:
        raise InvalidInputError(f"{FILE_NAME} cannot be read: {error.strerror}", file=FILE_NAME) from None


def survey(text: str) -> tuple[Settings, list[Problem]]:
    """The settings of this text of a `prov.toml` and of the environment as far as they are valid, and what in the text is not.

    For whoever repairs the file. Raises InvalidInputError when it is no TOML at all, or for a wrong variable.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{FILE_NAME} is not TOML: {error}", hint=f"correct {FILE_NAME}", file=FILE_NAME) from None
    problems = []
    for one in accessors():
        path = one.key.split(".")
        if one.is_operator_only and _remove(table, path):
            problems.append(Problem(one.key, "must not be set here", line_of(text, path), f"set {one.variable} instead"))
    try:
        _from_file(table, is_alone=True)
    except ValidationError as error:
        problems += _problems(error, text)
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            _remove(table, [part for part in item["loc"] if isinstance(part, str)])
    try:
        return _from_file(table, is_alone=False), problems
    except ValidationError as error:
        raise _invalid(_problems(error, "")) from None
    except SettingsError:
        raise InvalidInputError("settings: a variable does not hold JSON", hint="`prov config validate` names it") from None


def _from_file(table: dict[str, Any], *, is_alone: bool) -> Settings:
    class Read(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic-settings' own
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = InitSettingsSource(settings_cls, table)
            return (file,) if is_alone else (env_settings, file)

    return Read()


def _remove(table: dict[str, Any], path: Sequence[str]) -> bool:
    """Take the value at a path of keys out; answers whether there was one."""
    *above, leaf = path
    inner: Any = table
    for name in above:
        inner = inner.get(name) if isinstance(inner, dict) else None
    return isinstance(inner, dict) and inner.pop(leaf, None) is not None


def _problems(error: ValidationError, text: str) -> list[Problem]:
    keys = [one.key for one in accessors()]
    found = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = [str(part) for part in item["loc"]]
        is_unknown = item["type"] == "extra_forbidden"
        key = ".".join(path)
        message = "there is no such setting" if is_unknown else item["msg"]
        found.append(Problem(key, message, line_of(text, path), did_you_mean(key, keys) if is_unknown else ""))
    return found


def _invalid(problems: list[Problem]) -> InvalidInputError:
    return InvalidInputError(
        f"settings: {'; '.join(one.said for one in problems[:5])}",
        hint=f"correct {FILE_NAME} or the {ENV_PREFIX}* variables; `prov config list` shows all keys",
        problems=[{"key": one.key, "message": one.message, "line": one.line, "hint": one.hint} for one in problems],
    )


def _refuse_operator_settings(table: dict[str, Any]) -> None:
    for one in accessors():
        value: Any = table
        for part in one.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if one.is_operator_only and value is not None:
            raise InvalidInputError(
                f"{FILE_NAME} must not set {one.key}: a workspace can be somebody else's",
                hint=f"set {one.variable} in your own environment instead, and remove it from {FILE_NAME}",
                key=one.key,
            )
