"""Logs go to stderr and nowhere else, in one format, and never with the values of local variables."""

import json
import subprocess
import sys

import pytest

from stratumops.logging import describe

PROGRAM = """
import logging, sys
import structlog
from stratumops import logging as ours

log = structlog.get_logger("ours")
ours.configure(level=sys.argv[1], format=sys.argv[2])

def fail(password):
    raise ValueError("it broke: " + password)

log.debug("our debug")
log.info("our info", number=1)
logging.getLogger("theirs").debug("their debug")
logging.getLogger("theirs").warning("their %s", "warning")
with structlog.contextvars.bound_contextvars(request="r-1"):
    log.warning("in a request")
try:
    fail("canary" + "-27aa")
except ValueError:
    log.exception("ours failed")
    logging.getLogger("theirs").exception("theirs failed")
ours.configure(level=sys.argv[1], format=sys.argv[2])
log.error("configured twice")
"""


def run(level: str, format_: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, level, format_],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout == "", "stdout carries protocol bytes"
    return done.stderr


@pytest.mark.parametrize("format_", ["json", "console", "auto"])
def test_nothing_is_written_to_stdout_and_neither_local_variables_nor_an_exception_s_text_are_told(format_: str):
    told = run("info", format_)
    for text in ("our info", "their warning", "ours failed", "theirs failed", "ValueError", ":fail", "configured twice"):
        assert text in told
    assert "canary-27aa" not in told


def test_the_level_holds_for_our_records_and_for_those_of_libraries():
    told = run("warning", "json")
    assert "our info" not in told
    assert "their warning" in told
    assert "debug" not in told
    assert {"our debug", "their debug"} <= {json.loads(line)["event"] for line in run("debug", "json").splitlines()}


def test_without_a_terminal_every_record_is_one_line_of_json():
    records = [json.loads(line) for line in run("info", "auto").splitlines()]
    by_event = {record["event"]: record for record in records}
    assert len(records) == len(by_event) == 6
    assert by_event["our info"]["number"] == 1
    assert by_event["their warning"]["level"] == "warning"
    assert by_event["in a request"]["request"] == "r-1"
    assert all(record["timestamp"].endswith("Z") for record in records)
    for event in ("ours failed", "theirs failed"):
        assert by_event[event]["error"] == "ValueError"
        assert [frame.rpartition(":")[2] for frame in by_event[event]["frames"]] == ["<module>", "fail"]


def test_the_console_format_is_text_and_has_no_colours_without_a_terminal():
    told = run("info", "console")
    assert "\x1b" not in told
    assert not told.startswith("{")


def test_an_exception_is_described_with_what_led_to_it_and_without_their_words():
    def inner() -> None:
        raise KeyError("canary-27aa")

    try:
        try:
            inner()
        except KeyError as error:
            raise ValueError("canary-27aa") from error
    except ValueError as error:
        told = describe(error)
    assert told["error"] == "ValueError"
    assert told["frames"][0].startswith("stratumops/test_logging.py:")
    assert len(told["caused_by"]) == 1
    assert told["caused_by"][0].startswith("KeyError at ")
    assert ":inner" in told["caused_by"][0]
    assert "canary" not in str(told)
