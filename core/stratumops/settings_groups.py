"""The tables of `prov.toml`, each a frozen model whose fields are the settings; `stratumops.settings` makes one tree of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stratumops.provider import Provider


class OperatorOnly:
    """Marks a setting that the workspace's `prov.toml` must not set: only the environment or a flag may.

    A workspace can be somebody else's clone. What names a program to run must come from the person who runs us.
    """


class Group(BaseModel):
    """A table of `prov.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Group):
    """`prov serve`: where it listens and who may call."""

    host: Annotated[str, Field(description="Address to listen on; any other than loopback needs TLS")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="TCP port; 0 takes a free one")] = 8002
    tls_certificate: Annotated[str, Field(description="PEM file with the certificate chain")] = ""
    tls_key: Annotated[str, Field(description="PEM file with the private key")] = ""
    allowed_hosts: Annotated[
        list[str],
        Field(description="Host headers to accept besides the listening address, such as prov.example.org:8002"),
    ] = []
    max_request_bytes: Annotated[int, Field(ge=1024, le=64 << 20, description="Largest request body, in bytes")] = 4 << 20
    stateless: Annotated[bool, Field(description="Keep no MCP sessions for older clients; needed behind a load balancer")] = False


class McpSettings(Group):
    """What an MCP client is offered."""

    toolsets: Annotated[
        list[str], Field(description='Toolsets to offer: names, or "all"; empty means the default set of every toolset')
    ] = []
    read_only: Annotated[bool, Field(description="Offer and run only tools that change nothing")] = False


class LimitSettings(Group):
    """What one call may use."""

    max_argument_bytes: Annotated[int, Field(ge=1024, le=64 << 20, description="Largest arguments of a tool call, in bytes")] = (
        2 << 20
    )
    max_concurrent_calls: Annotated[
        int, Field(ge=1, le=1000, description="Tool calls of one principal that run at once; more wait")
    ] = 8
    call_timeout_seconds: Annotated[float, Field(gt=0, le=3600, description="Longest time of a tool call, in seconds")] = 120.0
    max_rows: Annotated[
        int,
        Field(ge=0, le=100_000, description="Longest list in an answer over MCP (resources, failures, steps); 0 is all"),
    ] = 20
    max_characters: Annotated[
        int, Field(ge=0, le=64 << 20, description="Longest text in an answer over MCP (a diff, an exported file); 0 is all")
    ] = 12_000


class NickelSettings(Group):
    """The sandboxed Nickel evaluator."""

    program: Annotated[
        str,
        OperatorOnly(),
        Field(description="A `nickel` program to use instead of the bundled one: a name on PATH or a path; never from prov.toml"),
    ] = ""
    workers: Annotated[int, Field(ge=1, le=32, description="Warm workers")] = 2
    deadline_seconds: Annotated[float, Field(gt=0, le=600, description="Longest time of one evaluation, in seconds")] = 10.0
    memory_megabytes: Annotated[int, Field(ge=128, le=65536, description="Address space of one worker, in MiB")] = 1024


class ValidateSettings(Group):
    """`validate_config`."""

    max_findings: Annotated[int, Field(ge=1, le=100_000, description="Findings in one answer; the counts are always whole")] = 100
    monthly_budget: Annotated[
        float, Field(ge=0, description="Monthly budget that layer 6 compares a known cost with; 0 means none")
    ] = 0.0


class GenerateSettings(Group):
    """`generate_config`."""

    provider: Annotated[Provider, Field(description="Provider when neither the words nor the caller name one")] = "aws"
    environment: Annotated[str, Field(max_length=63, description="Environment tag when the words name none")] = "production"


class AuditSettings(Group):
    """The audit of tool calls, in `.prov/audit/`."""

    enabled: Annotated[bool, OperatorOnly(), Field(description="Write down every tool call; never from prov.toml")] = True
    required: Annotated[
        bool,
        Field(
            description="Refuse also the answers of calls that only read while the audit cannot be written; "
            "what changes something never runs then"
        ),
    ] = False
    retention_days: Annotated[int, Field(ge=1, le=36_500, description="How long files that are full are kept, in days")] = 2555


class VaultSettings(Group):
    """The vault: the workspace's own (`prov vault init`), or one at an address."""

    address: Annotated[
        str,
        OperatorOnly(),
        Field(
            description="A Vault server instead of the workspace's own vault, such as https://vault:8200; never from prov.toml"
        ),
    ] = ""
    token_file: Annotated[
        str, OperatorOnly(), Field(description="The file with its token; otherwise VAULT_TOKEN is read; never from prov.toml")
    ] = ""
    crypto_backend: Annotated[
        Literal["", "openssl", "oqs", "aws-lc", "rustcrypto"],
        Field(description="Who computes ML-KEM and ML-DSA in the workspace's own vault; empty: liboqs where it is, else OpenSSL"),
    ] = ""


class EngineSettings(Group):
    """Plans, approvals, applies and the state that they keep."""

    provider: Annotated[
        Literal["", "sandbox"],
        Field(description="sandbox: everything at aws is made in a cloud of its own on this machine, with a state of its own"),
    ] = ""
    state_url: Annotated[
        str,
        OperatorOnly(),
        Field(description="PostgreSQL for a team's state, postgresql://host/db; otherwise SQLite; never from prov.toml"),
    ] = ""
    state_name: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Which state of that database is this workspace's")
    ] = "default"
    workflows_url: Annotated[
        str,
        OperatorOnly(),
        Field(description="PostgreSQL for durable workflows; otherwise SQLite in .prov; never from prov.toml"),
    ] = ""
    plan_minutes: Annotated[int, Field(ge=1, le=10_080, description="How long a plan can be approved and applied")] = 60
    parallel: Annotated[int, Field(ge=1, le=64, description="Steps of an operation that run at once")] = 8
    on_failure: Annotated[
        Literal["rollback", "stop"], Field(description="What becomes of an operation whose step fails for good")
    ] = "rollback"
    elicitation: Annotated[
        bool,
        OperatorOnly(),
        Field(description="Accept an approval that the client's own dialogue got from its person; never from prov.toml"),
    ] = False


class RagSettings(Group):
    """The index over documents: what is shipped, what a person adds (`prov rag add`), what the workspace knows."""

    sources: Annotated[
        list[str], Field(description="Folders of the workspace with documents; others are added with `prov rag add FOLDER`")
    ] = []
    shipped: Annotated[bool, Field(description="Find also what is shipped: runbooks, guidelines, reference pages")] = True
    embedder: Annotated[
        Literal["auto", "offline", "bge", "none"],
        Field(
            description="auto: BAAI/bge-small-en-v1.5 when `prov rag fetch-model` brought it, else the offline models; "
            "none: by words alone"
        ),
    ] = "auto"
    exact_chunks: Annotated[
        int, Field(ge=0, le=1_000_000, description="Up to so many passages all are compared; beyond, Chroma looks for them")
    ] = 5_000
    chroma_url: Annotated[
        str,
        OperatorOnly(),
        Field(description="A Chroma server instead of a folder, such as http://127.0.0.1:8000; never from prov.toml"),
    ] = ""


class KnowledgeSettings(Group):
    """What is known of this workspace: the graph in `.kogral/`."""

    shared: Annotated[
        list[str],
        OperatorOnly(),
        Field(description="Folders with the graphs of an organisation, whose guidelines hold here too; never from prov.toml"),
    ] = []
    record_executions: Annotated[
        bool, Field(description="Leave a node in .kogral/executions for every apply, rollback and workflow")
    ] = True


class LogSettings(Group):
    """Logs, always on stderr."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least level to write")] = "warning"
    format: Annotated[Literal["auto", "console", "json"], Field(description="auto: text on a terminal, JSON lines elsewhere")] = (
        "auto"
    )
