"""Rows in columns: nothing is lost, nothing is wider than the room."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from prov_server.cli.console import console
from prov_server.cli.views.columns import print_columns

# What a cell holds has gone through `visible`; words of two cells a character are among them.
cells = st.text(st.sampled_from("abc 字é-"), max_size=60)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_no_line_is_wider_than_the_room_and_no_word_is_lost(rows):
    out = io.StringIO()
    print_columns(console(out, width=60), [[(name, ""), (note, "")] for name, note in rows], "ll", (1, 0))
    lines = out.getvalue().splitlines()
    assert all(cell_len(line) <= 60 and line == line.rstrip() for line in lines)
    told = sorted("".join(lines).replace(" ", ""))
    assert told == sorted("".join(name + note for name, note in rows).replace(" ", ""))


def test_figures_stand_below_each_other_on_the_right():
    out = io.StringIO()
    print_columns(console(out, width=80), [[("a", ""), ("1.00", "")], [("bbb", ""), ("1,000.00", "")]], "lr", (0,))
    assert out.getvalue().splitlines() == ["a        1.00", "bbb  1,000.00"]
