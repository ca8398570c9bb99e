"""Real etcd clusters for tests: one node without protection, or three with TLS, client certificates and passwords."""

import contextlib
import datetime as dt
import ipaddress
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from programs import free_ports, program, wait_until

STOP_LIMIT = 30  # seconds


class Authority:
    """A certificate authority in a folder: `ca.pem`, and `NAME.pem` with `NAME-key.pem` for each certificate that it issued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certificate(f"authority {folder.name}", "ca", self.key, None)

    def issue(self, name: str) -> None:
        """Issue a certificate that serves on loopback and identifies a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._certificate(name, name, key, [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        self.file(f"{name}-key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))

    def file(self, name: str) -> Path:
        """The file of a certificate (`NAME`) or of its key (`NAME-key`)."""
        return self.folder / f"{name}.pem"

    def _certificate(
        self, subject: str, name: str, key: ec.EllipticCurvePrivateKey, usage: list[x509.ObjectIdentifier] | None
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(self.certificate.subject if usage else who)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        )
        if usage:
            loopback = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
            builder = builder.add_extension(x509.SubjectAlternativeName(loopback), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        self.file(name).write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return made


@dataclass
class EtcdNode:
    """One member. `start` after `kill` finds its data and the same ports again."""

    name: str
    folder: Path
    client_port: int
    peer_port: int
    metrics_port: int
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Start the program; `wait` tells when it serves."""
        with (self.folder / f"{self.name}.log").open("ab") as output:
            self.process = subprocess.Popen(
                [program("etcd", package="etcd-server"), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait(self) -> None:
        """Wait until the node is healthy, which means that the cluster has a leader."""
        assert self.process is not None
        wait_until(self._is_healthy, self.process, self.folder / f"{self.name}.log")

    def _is_healthy(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self.metrics_port}/health", timeout=2, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def start(self) -> None:
        """Start and wait until it serves."""
        self.launch()
        self.wait()

    def leads(self) -> bool:
        """Whether this node is the leader of the cluster."""
        text = httpx2.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=2, trust_env=False).text
        return "\netcd_server_is_leader 1\n" in text

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_LIMIT)
            self.process = None


@dataclass
class EtcdCluster:
    """Members that were started together."""

    nodes: list[EtcdNode]
    scheme: str
    authority: Authority | None = None

    @property
    def endpoints(self) -> list[str]:
        """The members' addresses for clients."""
        return [f"{self.scheme}://127.0.0.1:{node.client_port}" for node in self.nodes]

    def leader(self) -> EtcdNode:
        """The member that leads."""
        return next(node for node in self.nodes if node.process is not None and node.leads())

    def repair(self) -> None:
        """Start what is down, and wait until all members serve."""
        for node in self.nodes:
            if node.process is None:
                node.launch()
        for node in self.nodes:
            node.wait()


@contextlib.contextmanager
def etcd_cluster(size: int = 1, *, has_tls: bool = False, arguments: tuple[str, ...] = ()) -> Iterator[EtcdCluster]:
    """Run etcd on loopback. With TLS it demands a client certificate: the authority has issued one named `client`.

    Skips the test when the program is missing and cannot be installed.
    """
    program("etcd", package="etcd-server")
    folder = Path(tempfile.mkdtemp(prefix="etcd-"))
    authority = Authority(folder / "certificates") if has_tls else None
    scheme = "https" if has_tls else "http"
    protection: list[str] = []
    if authority is not None:
        for name in ("server", "client"):
            authority.issue(name)
        files = {"cert": "server", "key": "server-key", "trusted-ca": "ca"}
        protection = [f"--{option}-file={authority.file(name)}" for option, name in files.items()] + ["--client-cert-auth"]
    ports = free_ports(3 * size)
    members = ",".join(f"node{number}=http://127.0.0.1:{ports[3 * number + 1]}" for number in range(size))
    nodes = []
    for number in range(size):
        client, peer, metrics = ports[3 * number : 3 * number + 3]
        own = [
            f"--name=node{number}",
            f"--data-dir={folder / f'node{number}'}",
            f"--listen-client-urls={scheme}://127.0.0.1:{client}",
            f"--advertise-client-urls={scheme}://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--listen-metrics-urls=http://127.0.0.1:{metrics}",
            f"--initial-cluster={members}",
            "--initial-cluster-state=new",
            "--logger=zap",
            "--log-outputs=stderr",
        ]
        nodes.append(EtcdNode(f"node{number}", folder, client, peer, metrics, [*own, *protection, *arguments]))
    cluster = EtcdCluster(nodes, scheme, authority)
    try:
        cluster.repair()
        yield cluster
    finally:
        for node in nodes:
            node.kill()
        shutil.rmtree(folder)
