"""What `svault.toml` says, as the specification shows it. Every key is described here; the reference page is made from it."""

import ipaddress
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from svault.errors import BadRequestError
from svault.logical.durations import parse_duration

DEFAULT_ADDRESS = "127.0.0.1:8200"
HOUR = 3600


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_everywhere(self) -> bool:
        """Whether it is every address of this machine."""
        return self.host in {"0.0.0.0", "::", ""}  # noqa: S104 - this is how one sees it

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parsed_address(value: Any) -> Address:
    """An address of its text. Raises ValueError."""
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError("an address is written HOST:PORT")  # noqa: TRY004 - pydantic turns ValueErrors into findings
    host, colon, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError("an address is written HOST:PORT, for example 127.0.0.1:8200")
    return Address(host or "0.0.0.0", int(port))  # noqa: S104 - what an empty host means


def _seconds(value: Any) -> int:
    try:
        seconds = parse_duration(value)
    except BadRequestError:
        raise ValueError("a duration is written like 90s, 24h or 30d") from None
    if seconds <= 0:
        raise ValueError("a duration must be longer than nothing")
    return seconds


Listen = Annotated[Address, BeforeValidator(parsed_address)]
Seconds = Annotated[int, BeforeValidator(_seconds)]


class Section(BaseModel):
    """A table of the file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, arbitrary_types_allowed=True)


class VaultSection(Section):
    """`[vault]`."""

    crypto_backend: Literal["openssl", "oqs", "aws-lc", "rustcrypto"] | None = None
    """Which library computes ML-KEM and ML-DSA. Left out: oqs where a native liboqs is found, else openssl."""
    cluster_name: str = "svault"
    """The name that status and health tell."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on the server logs, to stderr."""


class ServerSection(Section):
    """`[server]`."""

    address: Listen = parsed_address(DEFAULT_ADDRESS)
    """Where to listen: HOST:PORT. A host that is not this machine's own needs TLS."""
    tls_cert: str = ""
    """PEM file with the server's certificate and those that lead to its CA; also shown to the other servers of the storage."""
    tls_key: str = ""
    """PEM file with the key of the certificate."""
    client_ca: str = ""
    """PEM file with the CAs of the clients' certificates; a client may show one."""
    require_client_cert: bool = False
    """Whether a client must show a certificate of `client_ca`."""
    allow_plaintext: bool = False
    """Whether to listen without TLS on an address that other machines reach: behind a proxy that has TLS."""
    api_addr: str = ""
    """The URL at which the other servers of the same storage reach this one. With it, they elect the active one."""
    peer_ca: str = ""
    """PEM file with the CA of the other servers' certificates; the system's when left out."""
    workers: int = Field(default=1, ge=0, le=64)
    """How many processes answer requests; 1 (left out) is one process, 0 as many as the server may use processors."""

    @property
    def has_tls(self) -> bool:
        """Whether a certificate is given."""
        return bool(self.tls_cert)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key belong together")
        if self.require_client_cert and not self.client_ca:
            raise ValueError("require_client_cert needs client_ca")
        if self.api_addr and not self.api_addr.startswith(("http://", "https://")):
            raise ValueError("api_addr is a URL: https://HOST:PORT")
        return self


class FilesystemSection(Section):
    """`[storage.filesystem]`."""

    path: str
    """The folder; made with mode 0700 when it is missing."""


class EtcdSection(Section):
    """`[storage.etcd]`."""

    endpoints: tuple[str, ...] = Field(min_length=1)
    """`https://HOST:PORT` of the members; the next one is asked when one does not answer."""
    prefix: str = "/svault/"
    """Under which all keys are kept."""
    username: str = ""
    """The user, when etcd asks for one."""
    password: SecretStr = SecretStr("")
    """Its password."""
    ca_cert: str = ""
    """PEM file with the CA of the members."""
    client_cert: str = ""
    """PEM file with this server's certificate for etcd."""
    client_key: str = ""
    """PEM file with its key."""
    timeout: float = Field(default=5.0, gt=0)
    """Seconds that one operation may take, over all endpoints."""
    lease: float = Field(default=10.0, ge=2)
    """Seconds after which another server takes over from an active one that died."""


class PostgresqlSection(Section):
    """`[storage.postgresql]`."""

    url: SecretStr
    """A libpq URL."""
    table: str = "svault_entries"
    """The table; made when it is missing."""
    connections: int = Field(default=8, ge=1, le=256)
    """How many connections at most."""
    timeout: float = Field(default=5.0, gt=0)
    """Seconds that one operation may take."""
    lease: float = Field(default=10.0, ge=2)
    """Seconds after which another server takes over from an active one that died."""


class SurrealdbSection(Section):
    """`[storage.surrealdb]`."""

    url: str
    """`surrealkv://PATH` (embedded), or a server: `ws://`, `wss://`, `http://` or `https://` with HOST:PORT."""
    namespace: str = "svault"
    """The namespace."""
    database: str = "svault"
    """The database."""
    username: str = ""
    """The user of a server."""
    password: SecretStr = SecretStr("")
    """Its password."""
    user_level: Literal["root", "namespace", "database"] = "root"
    """Where the user is defined."""
    timeout: float = Field(default=10.0, gt=0)
    """Seconds that one operation may take."""


class StorageSection(Section):
    """`[storage]`; the chosen backend's own table says the rest."""

    backend: Literal["memory", "filesystem", "etcd", "surrealdb", "postgresql"]
    """Where the encrypted entries are kept. `memory` forgets them when the server ends."""
    filesystem: FilesystemSection | None = None
    etcd: EtcdSection | None = None
    surrealdb: SurrealdbSection | None = None
    postgresql: PostgresqlSection | None = None

    @property
    def chosen(self) -> Section | None:
        """The table of the chosen backend; memory has none."""
        return None if self.backend == "memory" else getattr(self, self.backend)

    @model_validator(mode="after")
    def _has_its_table(self) -> Self:
        if self.backend != "memory" and self.chosen is None:
            raise ValueError(f"the backend {self.backend} needs the table [storage.{self.backend}]")
        return self


class ShamirSection(Section):
    """`[seal.shamir]`: what `svault init` makes when it is not told otherwise."""

    shares: int = Field(default=5, ge=1, le=255)
    """How many shares the unseal key is split into."""
    threshold: int = Field(default=3, ge=1, le=255)
    """How many of them unseal."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.threshold > self.shares:
            raise ValueError("threshold cannot be larger than shares")
        if self.shares > 1 and self.threshold == 1:
            raise ValueError("threshold must be greater than one for several shares")
        return self


class StaticSection(Section):
    """`[seal.static]`: the machine unseals by itself, with 32 bytes as base64 or hex."""

    key_file: str = ""
    """The file with the key."""
    key_env: str = ""
    """The environment variable with the key."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.key_file) == bool(self.key_env):
            raise ValueError("give either key_file or key_env")
        return self


class SealSection(Section):
    """`[seal.shamir]`, or `[seal.static]` for a server that nobody unseals."""

    shamir: ShamirSection | None = None
    static: StaticSection | None = None


class AuthSection(Section):
    """`[auth]`."""

    token_ttl: Seconds | None = None
    """How long a token lives unless it is renewed: 24h when left out."""
    token_max_ttl: Seconds | None = None
    """How long renewals can keep it: 720h when left out."""

    @property
    def default_lease_ttl(self) -> int:
        """Seconds; what is not said never contradicts what is."""
        return self.token_ttl or min(24 * HOUR, self.max_lease_ttl)

    @property
    def max_lease_ttl(self) -> int:
        """Seconds."""
        return self.token_max_ttl or max(720 * HOUR, self.token_ttl or 0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.default_lease_ttl > self.max_lease_ttl:
            raise ValueError("token_ttl cannot be longer than token_max_ttl")
        return self


class AuditSection(Section):
    """`[audit]`: an audit device that is enabled whenever the vault is unsealed."""

    enabled: bool = True
    """Whether it is written who did what."""
    backend: Literal["file", "socket"] = "file"
    """A file with a signed hash chain, or a socket."""
    path: str = ""
    """The file."""
    address: str = ""
    """The socket: HOST:PORT."""
    retention_days: float = Field(default=2555, ge=1)
    """For how many days closed files are kept."""

    @model_validator(mode="after")
    def _has_its_place(self) -> Self:
        if self.enabled and self.backend == "file" and not self.path:
            raise ValueError("the file audit device needs path")
        if self.enabled and self.backend == "socket" and not self.address:
            raise ValueError("the socket audit device needs address")
        return self


class EngineSection(Section):
    """One engine of `[engines]`."""

    path: str = Field(min_length=1, max_length=400)
    """Where it is mounted."""
    type: str = ""
    """Its type; the key's name when left out."""
    version: Literal[1, 2] | None = None
    """Of kv."""
    description: str = ""
    """For people."""
    default_lease_ttl: Seconds | None = None
    """How long what it gives lives."""
    max_lease_ttl: Seconds | None = None
    """How long renewals can keep it."""


class MetricsSection(Section):
    """`[metrics]`: a listener of its own for Prometheus, without a token."""

    enabled: bool = True
    """Whether it listens."""
    address: Listen | None = None
    """Where: HOST:PORT. Without it there is `/v1/sys/metrics` only, which needs a token."""


class Settings(Section):
    """The whole file."""

    vault: VaultSection = VaultSection()
    server: ServerSection = ServerSection()
    storage: StorageSection
    seal: SealSection = SealSection()
    auth: AuthSection = AuthSection()
    audit: AuditSection = AuditSection(enabled=False)
    engines: dict[str, EngineSection] = Field(default_factory=dict)
    metrics: MetricsSection = MetricsSection(enabled=False)
