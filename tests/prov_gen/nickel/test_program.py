"""A `nickel` program in place of py-nickel. The stand-in is a small real program: it reads, answers and misbehaves as asked."""

import shutil
import subprocess
from pathlib import Path

import pytest

from prov_gen.nickel import Limits, Nickel, NickelError, NickelRunawayError, NickelSource
from prov_gen.nickel.sandbox import landlock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler"),
    pytest.mark.skipif(landlock.abi() < 1, reason="this kernel offers no Landlock"),
]

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
int main(int argc, char **argv) {
    char text[65536];
    size_t size = fread(text, 1, sizeof text - 1, stdin);
    text[size] = 0;
    if (argc < 4 || strcmp(argv[1], "export")) return 64;
    if (!strcmp(text, "1")) return puts("1") < 0;
    if (strstr(text, "abort")) abort();
    if (strstr(text, "spin")) for (;;) {}
    if (strstr(text, "wrong")) {
        fprintf(stderr, "error: unbound identifier `wrong`\n  ┌─ <stdin>:1:3\n  │\n1 │ { wrong }\n  │   ^^^^^ this\n\n");
        return 1;
    }
    FILE *passwd = fopen("/etc/passwd", "r");
    printf("{\"passwd\": %s, \"environment\": %s, \"exec\": %s}\n", passwd ? "true" : "false", *environ ? "true" : "false",
           access("/bin/sh", X_OK) == 0 && execl("/bin/true", "true", (char *)0) == 0 ? "true" : "false");
    return 0;
}
"""


@pytest.fixture(scope="module", params=["dynamic", "static"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    (folder / "nickel.c").write_text(PROGRAM)
    flags = ["-static"] if request.param == "static" else []
    built = subprocess.run(
        ["gcc", *flags, "-o", str(folder / "nickel"), str(folder / "nickel.c")], capture_output=True, check=False
    )
    if built.returncode:
        pytest.skip("cannot link this way here")
    return folder / "nickel"


async def test_a_program_runs_in_the_same_sandbox(program: Path, schemas: Path) -> None:
    async with Nickel(program=program, schemas=schemas) as nickel:
        for _ in range(2):
            value = await nickel.evaluate(NickelSource("{ }"))
            assert value == {"passwd": False, "environment": False, "exec": False}


async def test_its_reports_point_into_the_text(program: Path, schemas: Path) -> None:
    async with Nickel(program=program, schemas=schemas) as nickel:
        with pytest.raises(NickelError) as caught:
            await nickel.evaluate(NickelSource("{ wrong }", "main.ncl"))
        first = caught.value.diagnostics[0]
        assert (first.code, first.file, first.line, first.column, first.end_column) == ("nickel_unbound", "main.ncl", 1, 3, 8)


@pytest.mark.parametrize(("text", "reason"), [("abort", "nickel_crash"), ("spin", "nickel_deadline")])
async def test_a_program_that_crashes_or_hangs_is_replaced(program: Path, schemas: Path, text: str, reason: str) -> None:
    async with Nickel(program=program, schemas=schemas, limits=Limits(deadline_seconds=1)) as nickel:
        with pytest.raises(NickelRunawayError) as caught:
            await nickel.evaluate(NickelSource(text))
        assert caught.value.details["reason"] == reason
        assert (await nickel.evaluate(NickelSource("{ }")))["passwd"] is False
