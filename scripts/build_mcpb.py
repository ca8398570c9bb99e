"""Build the .mcpb bundle that desktop clients install with one click.

    python scripts/build_mcpb.py [FILE]

stages the bundle in a folder of its own, checks and packs it with the `mcpb` program (an npm peer, see peers.py), and
prints where it is: `dist/stratumops-VERSION.mcpb` when no FILE is named.

Exit status: 0 built; 1 not built (standard error says why).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
from prov_server.install.bundle import stage
from prov_tools.registry import REGISTRY
from stratumops import __version__
from stratumops.errors import StratumError

PACK_LIMIT = 120  # seconds


def mcpb_program() -> list[str | Path]:
    """Return the start of a command line that runs `mcpb`; raise PeerError when it cannot be installed."""
    home = peers.prepare("mcpb") / "node_modules" / "@anthropic-ai" / "mcpb"
    program = json.loads((home / "package.json").read_text(encoding="utf-8"))["bin"]
    return [peers.NODE, home / program]


def build(target: Path) -> Path:
    """Stage, check and pack; return `target`. Raises PeerError when a step fails."""
    program = mcpb_program()
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mcpb-") as name:
        folder = Path(name)
        stage(peers.ROOT, folder, REGISTRY)
        for step in (["validate", folder / "manifest.json"], ["pack", folder, target]):
            done = subprocess.run(
                [*program, *step], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PACK_LIMIT, check=False
            )
            if done.returncode != 0:
                raise peers.PeerError(f"mcpb {step[0]} failed: {(done.stdout + done.stderr).strip()}")
    return target


def main() -> int:
    """Build the bundle that the command line names and print where it is."""
    default = peers.ROOT / "dist" / f"stratumops-{__version__}.mcpb"
    try:
        print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else default))
    except (peers.PeerError, StratumError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
