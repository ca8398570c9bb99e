"""The price tables: how long a fresh process takes to read them, and how much memory they hold.

The modules are imported before the clock starts: what is measured is opening, guarding and indexing the tables themselves.
Megabytes are 10^6 bytes.
"""

import json
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.measure import Benchmark, NotMeasuredError, Sample

RUNS = 7
# Every block of compute.csv, specs.csv, services.csv with free.toml; then the SKUs that are made of them.
EVERYTHING = """
import json, resource, time
from pathlib import Path
from prov_corpus import PROVIDERS
from prov_corpus.prices import compute, services
from prov_judge.prices import PriceBook

def resident():
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6

before, started, worked = resident(), time.perf_counter(), time.process_time()
table = compute.open_prices(compute.COMPUTE_TABLE)
kept = [table.block(*named) for named in table.blocks]
kept += [compute.read_specs(compute.SPECS_TABLE)]
kept += [services.service_prices(provider) for provider in PROVIDERS]
loaded, processor = (time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000
print(json.dumps({"milliseconds": loaded, "processor": processor, "megabytes": resident() - before}))
"""
# What one estimate needs: the machines of a provider and the prices of a region.
ONE_PROVIDER = """
import json, time
from prov_corpus.prices import compute, services
from prov_judge.prices import PriceBook

started = time.perf_counter()
book = PriceBook.shipped()
assert book.machine("aws", "us-east-1", "m5.4xlarge") and book.service("aws", "us-east-1", "block_storage", "gp3")
print(json.dumps({"milliseconds": (time.perf_counter() - started) * 1000}))
"""


def _fresh(program: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise NotMeasuredError(done.stderr.strip().rpartition("\n")[2] or "the process failed")
    found: dict[str, float] = json.loads(done.stdout)
    return found


@cache
def _loads() -> tuple[dict[str, float], ...]:
    if not Path("/proc/self/statm").exists():
        raise NotMeasuredError("needs Linux's /proc")
    _fresh(EVERYTHING)  # writes the bytecode and warms the disk's cache
    return tuple(_fresh(EVERYTHING) for _ in range(RUNS))


def load() -> Sample:
    """Every row of every table."""
    processor = statistics.median(run["processor"] for run in _loads())
    note = f"every row of compute.csv, specs.csv and services.csv, guarded; {processor:.0f} ms of it on the processor"
    return Sample([run["milliseconds"] for run in _loads()], note)


def memory() -> Sample:
    """What the process grew by."""
    return Sample([run["megabytes"] for run in _loads()], "growth of RSS with all tables read and kept")


def first() -> Sample:
    """A machine's and a disk's price of one region."""
    _fresh(ONE_PROVIDER)
    return Sample([_fresh(ONE_PROVIDER)["milliseconds"] for _ in range(RUNS)], "a machine's and a disk's price in us-east-1")


BENCHMARKS = (
    Benchmark("prices-load", "all price tables, fresh process", "ms", load, 50),
    Benchmark("prices-memory", "memory of all price tables", "MB", memory, 40),
    Benchmark("prices-first", "first prices of one region, fresh process", "ms", first),
)
