"""Certificates and configuration files for server processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from etcd_servers import Authority
from programs import free_ports

Configure = Callable[..., tuple[Path, str]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA with the certificates `server` and `client`."""
    made = Authority(tmp_path / "ca")
    made.issue("server")
    made.issue("client")
    return made


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Write a `svault.toml` over file storage; `server` and `more` are added. Returns it and the server's URL."""

    def write(server: str = "", more: str = "", scheme: str = "http") -> tuple[Path, str]:
        address = f"127.0.0.1:{free_ports(1)[0]}"
        path = tmp_path / "svault.toml"
        path.write_text(
            f'[server]\naddress = "{address}"\n{server}\n[storage]\nbackend = "filesystem"\n'
            f'[storage.filesystem]\npath = "data"\n{more}\n',
            "utf-8",
        )
        return path, f"{scheme}://{address}"

    return write
