"""The live display of an operation: what it shows when the terminal has fewer lines than the operation has steps."""

import io

import pytest
from rich.console import Console
from rich.spinner import Spinner

from prov_server.cli.live import _picture
from provisioning.progress import progress_of
from provisioning.state.model import Operation, StepStatus
from provisioning.workflow.control import OperationState, StepState

STATUSES: dict[str, StepStatus] = {"s": "succeeded", "r": "running", "f": "failed", "p": "pending"}


def drawn(marks: str, height: int) -> list[str]:
    operation = Operation("op", "apply", "running", "plan", "", "a plan", "a person", made_at=0.0)
    steps = tuple(StepState(f"s{n}", f"step {n}", f"a{n}", STATUSES[mark], wave=0) for n, mark in enumerate(marks))
    console = Console(file=io.StringIO(), width=80, height=height, force_terminal=True, color_system=None)
    found = progress_of(OperationState(operation, steps, 0.5, ""))
    with console.capture() as captured:
        console.print(_picture(found, Spinner("dots"), console.height))
    return captured.get().splitlines()


@pytest.mark.parametrize("height", [8, 24, 40])
def test_all_of_it_fits_the_terminal_and_says_how_much_is_done(height: int):
    lines = drawn("s" * 20 + "rr" + "p" * 20, height)
    assert len(lines) < height
    assert "20 of 42 steps" in lines[-1]
    assert "more steps" in lines[-2]


def test_what_runs_is_shown_before_what_is_over_and_what_is_to_come():
    lines = drawn("s" * 20 + "rrf" + "p" * 20, 8)
    shown = [int(line.partition("step ")[2].split()[0]) for line in lines[:-2]]
    assert shown == [18, 19, 20, 21, 22]


def test_a_short_operation_is_shown_whole():
    lines = drawn("srp", 24)
    assert [line.strip(" ✓⠋·") for line in lines[:-1]] == ["step 0", "step 1", "step 2"]
