"""Keys and seal on the command line: init, unseal, rekey, a new root token."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from programs import free_ports
from vault_processes import Ran, VaultProcess, running, svault

Run = Callable[..., Ran]


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[VaultProcess]:
    """A server whose vault has no keys yet."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    config = tmp_path / "svault.toml"
    config.write_text(
        f'[server]\naddress = "{address}"\n[storage]\nbackend = "filesystem"\n[storage.filesystem]\npath = "data"\n'
    )
    with running(tmp_path, f"http://{address}", "-config", str(config)) as made:
        yield made


@pytest.fixture
def run_here(sealed: VaultProcess, tmp_path: Path) -> Run:
    def ran(words: str, stdin: str = "", **settings: str) -> Ran:
        return svault(tmp_path, *words.split(), stdin=stdin, VAULT_ADDR=sealed.url, **settings)

    return ran


def test_the_usual_numbers_count_when_nobody_says_any_and_each_share_is_asked_for(run_here: Run) -> None:
    assert run_here("status").code == 2
    assert run_here("operator init -status").code == 2
    made = run_here("init")
    shares = re.findall(r"Unseal Key \d: (\S+)", made.out)
    assert len(shares) == 5
    assert "any 3 of the 5" in made.out
    assert run_here("operator init -status").code == 0
    assert "already initialized" in run_here("init").err
    progress = run_here("unseal", stdin=f"{shares[0]}\n")
    assert "Unseal Progress    1/3" in progress.out
    assert shares[0] not in progress.out + progress.err
    assert "0/3" in run_here("unseal -reset").out
    for share in shares[1:4]:
        run_here(f"operator unseal {share}")
    assert run_here("status").code == 0
    token = re.findall(r"Initial Root Token: (\S+)", made.out)[0]
    assert run_here("seal", VAULT_TOKEN=token).code == 0


def test_a_wrong_share_is_refused_and_not_repeated(run_here: Run) -> None:
    run_here("init -key-shares=1 -key-threshold=1")
    wrong = "00" * 32
    refused = run_here(f"unseal {wrong}")
    assert refused.code == 2
    assert wrong not in refused.err


def test_new_shares_and_a_new_root_token_are_made(run_here: Run) -> None:
    made = json.loads(run_here("operator init -n 1 -t 1 -format=json").out)
    assert set(made) == {
        "unseal_keys_b64",
        "unseal_keys_hex",
        "unseal_shares",
        "unseal_threshold",
        "recovery_keys_b64",
        "recovery_keys_hex",
        "recovery_keys_shares",
        "recovery_keys_threshold",
        "root_token",
    }
    [share] = made["unseal_keys_b64"]
    run_here(f"unseal {share}")
    assert run_here("operator rekey -init -key-shares=3 -key-threshold=2").code == 0
    assert "started                  true" in run_here("operator rekey -status").out
    rekeyed = run_here("operator rekey", stdin=f"{share}\n")
    shares = re.findall(r"Key \d: (\S+)", rekeyed.out)
    assert len(shares) == 3
    begun = json.loads(run_here("operator generate-root -init -format=json").out)
    run_here(f"operator generate-root {shares[0]}")
    last = json.loads(run_here(f"operator generate-root -format=json {shares[1]}").out)
    token = run_here(f"operator generate-root -decode={last['encoded_root_token']} -otp={begun['otp']}").out.strip()
    assert run_here("token lookup", VAULT_TOKEN=token).code == 0
    assert run_here("operator key-status", VAULT_TOKEN=token).code == 0
    assert run_here("operator rotate", VAULT_TOKEN=token).code == 0
    assert "term            2" in run_here("operator key-status", VAULT_TOKEN=token).out
    assert "do not belong together" in run_here("operator generate-root -decode=AAAA -otp=ab").err


def test_the_storage_is_read_through_while_no_server_runs(run_here: Run, sealed: VaultProcess, tmp_path: Path) -> None:
    run_here("init")
    sealed.stop()
    whole = svault(tmp_path, "operator", "storage-check", "svault.toml", "-format=json")
    assert whole.code == 0, whole.err
    assert json.loads(whole.out)["damaged"] == []
    assert json.loads(whole.out)["entries"] > 5
