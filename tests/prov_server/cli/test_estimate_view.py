"""How an estimate looks: on a terminal of eighty columns, in a pipe, and as a picture."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from programs import font
from prov_judge.cost.budget import check
from prov_judge.cost.model import DEPENDS, Estimate, Part, ResourceCost, Saving, Usage
from prov_judge.prices.price import Price
from prov_server.cli.console import THEME, console
from prov_server.cli.views.estimate import show_estimate
from prov_server.cli.views.estimate_picture import draw, picture
from stratumops.errors import ConflictError, InvalidInputError, PermissionDeniedError

AS_OF = date(2026, 7, 20)
FALLBACK = "price of us-east-1: none is known for eu-west-3"
RANGE: dict[Usage, Decimal] = {"small": Decimal(10), "medium": Decimal(100), "large": Decimal(1000)}


def price(amount: str, unit: str = "hours", currency: str = "USD") -> Price:
    return Price(Decimal(amount), unit, currency, "us-east-1", "list", AS_OF, "list")


def resource(address: str, *parts: Part, provider: str = "aws", region: str = "eu-west-3") -> ResourceCost:
    return ResourceCost(("servers", 0), address, "server", provider, region, parts)


MACHINE = Part("Linux machine (m5.4xlarge)", Decimal(730), "hours", price("0.768"), (FALLBACK,))
DISK = Part("Data disk (io1)", Decimal(1000), "GB", price("0.125", "GB"), (FALLBACK, "negotiated price"))
TRAFFIC = Part("Data to the internet", Decimal(100), "GB", price("0.09", "GB"), (DEPENDS,), RANGE)
LICENCE = Part("Licence", Decimal(1), "months", None, hint="ask the vendor")
WEB = resource("server.web-1", MACHINE, DISK, TRAFFIC)
SMALLER = resource("server.web-1", Part("Linux machine (m5.large)", Decimal(730), "hours", price("0.096")), TRAFFIC)
FAR = resource(
    "server.far", Part("Machine (cx22)", Decimal(1), "months", price("3.79", "months", "EUR")), provider="hetzner", region="fsn1"
)
SAVING = Saving(
    "gp3", ("servers", 0), "server.web-1", "type gp2 -> gp3", Decimal("1.00"), "USD", "gp3 costs less", needs_testing=True
)


def estimate(*resources: ResourceCost, savings: tuple[Saving, ...] = (), rates: dict[str, Decimal] | None = None) -> Estimate:
    unpriced = tuple((one.address, part.name, part.hint) for one in resources for part in one.parts if part.price is None)
    return Estimate(resources, "medium", savings, unpriced, ("a note",), rates or {})


def shown(found: Estimate, width: int = 80, **more) -> str:
    out = io.StringIO()
    show_estimate(console(out, width=width), found, **more)
    return out.getvalue()


def test_at_eighty_columns_no_line_of_the_table_is_longer_and_no_figure_is_cut():
    text = shown(estimate(WEB))
    table = text.split("\ntotal")[0]
    assert all(len(line) <= 80 for line in table.splitlines())
    for figure in ("560.64", "125.00", "9.00", "694.64", "0.768", "0.125", "1,000"):
        assert figure in table


def test_amounts_stand_right_aligned_below_each_other():
    lines = shown(estimate(WEB)).splitlines()
    ends = {len(line.rstrip()) for line in lines if line.rstrip().endswith(("694.64", "560.64", "125.00"))}
    assert len(ends) == 1


def test_notes_are_numbered_once_where_there_is_no_room_beside_the_parts():
    text = shown(estimate(WEB))
    assert text.count(FALLBACK) == 1
    assert "[1] " + FALLBACK in text
    assert "[2] negotiated price" in text
    assert "[1] [2]" in text.replace("\n", " ").replace("   ", "")


def test_in_a_pipe_each_part_is_one_line_with_its_notes():
    lines = shown(estimate(WEB), width=240).splitlines()
    (disk,) = (line for line in lines if "Data disk" in line)
    assert "125.00" in disk
    assert f"{FALLBACK}; negotiated price" in disk
    (traffic,) = (line for line in lines if "Data to the internet" in line)
    assert f"{DEPENDS}: 0.90 to 90.00" in traffic


def test_a_pipe_gets_no_colour():
    assert "\x1b" not in shown(estimate(WEB, savings=(SAVING,)), against=estimate(SMALLER))


def test_a_usage_based_part_says_so_and_gives_its_range():
    text = shown(estimate(WEB))
    assert DEPENDS in text
    assert "0.90 to 90.00" in text
    assert "total  694.64 USD a month (686.54 to 775.64, depends on usage)" in text


def test_a_part_without_a_price_is_unpriced_and_listed_with_what_to_do():
    text = shown(estimate(resource("server.a", MACHINE, LICENCE)))
    (row,) = (line for line in text.splitlines() if "Licence" in line and "1" in line and "ask" not in line)
    assert "unpriced" in row
    assert "0.00" not in row
    assert "unpriced  server.a: Licence (ask the vendor)" in text


def test_two_currencies_have_two_totals_and_are_never_added():
    text = shown(estimate(WEB, FAR))
    assert "total  694.64 USD a month" in text
    assert "total  3.79 EUR a month" in text
    assert "698.43" not in text


def test_with_a_rate_the_whole_is_told_in_one_currency_as_well():
    text = shown(estimate(WEB, FAR, rates={"EUR": Decimal("1.1")}))
    assert "698.81 USD a month (1 EUR = 1.1 USD)" in text


def test_a_saving_tells_its_figure_its_place_and_its_reason():
    assert "save 1.00 USD  server.web-1: type gp2 -> gp3 (gp3 costs less; test it first)" in shown(
        estimate(WEB, savings=(SAVING,))
    )


def test_a_difference_shows_what_comes_goes_and_changes():
    before = estimate(WEB, resource("server.old", MACHINE))
    after = estimate(SMALLER, resource("server.new", DISK))
    lines = [" ".join(line.split()) for line in shown(after, against=before).splitlines()]
    assert "~ server.web-1 694.64 USD -> 79.08 USD -615.56 USD" in lines
    assert "+ server.new 125.00 USD +125.00 USD" in lines
    assert "- server.old 560.64 USD -560.64 USD" in lines
    assert "change 1,255.28 -> 204.08 USD (-1,051.20 USD, -83.7%)" in lines


def test_equal_estimates_say_that_nothing_differs():
    assert "nothing that is billed differs" in shown(estimate(WEB), against=estimate(WEB))


@pytest.mark.parametrize(
    ("budget", "words"),
    [("1000", "within the budget: 694.64 of 1,000.00 USD"), ("600", "over the budget by 94.64 USD: 694.64 of 600.00 USD")],
)
def test_the_budget_has_a_line(budget: str, words: str):
    found = estimate(WEB)
    assert words in shown(found, verdict=check(found, Decimal(budget), "USD"))


@pytest.mark.parametrize("other", [FAR, resource("server.a", LICENCE)])
def test_a_bill_that_is_not_compared_whole_is_not_shown_as_within_the_budget(other: ResourceCost):
    found = estimate(WEB, other)
    text = shown(found, verdict=check(found, Decimal(1000), "USD"))
    assert "whether it is within the budget cannot be told: 694.64 of 1,000.00 USD a month are known" in text
    assert "not compared with the budget" in text


def test_what_is_noted_of_the_configuration_that_is_compared_with_is_told():
    other = replace(estimate(FAR), notes=("a note", "hetzner has no region 'us-east-1'"))
    text = shown(estimate(WEB), against=other)
    assert "note: compared with: hetzner has no region 'us-east-1'" in text
    assert "compared with: a note" not in text


def test_a_configuration_without_billed_resources_says_so():
    assert "nothing in this configuration is billed" in shown(estimate())


def test_names_cannot_drive_the_terminal():
    text = shown(estimate(resource("server.\x1b[31mred\u202e", Part("x\x07", Decimal(1), "GB", None, hint="\x1b[2J"))))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_an_amount_that_rounds_to_nothing_is_not_shown_as_nothing():
    tiny = Part("Requests", Decimal(1), "1k requests", price("0.0000004", "1k requests"))
    text = shown(estimate(resource("bucket.a", tiny)))
    assert "< 0.01" in text
    assert "0.0000004" in text


def texts(svg: str) -> str:
    return " ".join(element.text or "" for element in ET.fromstring(svg).iter() if element.text)


def test_the_picture_has_a_bar_for_each_resource_and_a_panel_for_each_currency():
    words = texts(picture(estimate(WEB, FAR)))
    for said in ("server.web-1", "694.64 USD", "server.far", "3.79 EUR", "fixed", DEPENDS):
        assert said in words


def test_the_picture_of_a_difference_shows_before_and_after():
    words = texts(picture(estimate(SMALLER), estimate(WEB)))
    assert "694.64 -> 79.08" in words
    assert "before" in words


def test_pictures_are_written_where_they_were_asked_for(tmp_path: Path):
    font()
    svg, png = tmp_path / "cost.svg", tmp_path / "cost.png"
    draw(estimate(WEB), svg=str(svg), png=str(png))
    assert svg.read_text(encoding="utf-8") == picture(estimate(WEB))
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_picture_is_never_written_over_a_file_of_another_kind(tmp_path: Path):
    config = tmp_path / "main.ncl"
    config.write_text("{}")
    with pytest.raises(InvalidInputError, match=r"main\.ncl") as caught:
        draw(estimate(WEB), svg=str(tmp_path / "a.svg"), png=str(config))
    assert ".png" in caught.value.hint
    assert config.read_text() == "{}"
    assert not (tmp_path / "a.svg").exists()


def test_a_picture_is_written_over_an_older_one_only_with_force(tmp_path: Path):
    svg = tmp_path / "cost.svg"
    draw(estimate(WEB), svg=str(svg))
    before = svg.read_bytes()
    with pytest.raises(ConflictError, match=r"cost\.svg exists already") as caught:
        draw(estimate(FAR), svg=str(svg))
    assert "--force" in caught.value.hint
    assert svg.read_bytes() == before
    draw(estimate(FAR), svg=str(svg), force=True)
    assert svg.read_bytes() != before


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x.svg", "a\x00.svg"])
def test_a_path_that_is_none_is_refused(name: str):
    with pytest.raises(InvalidInputError, match="is no path here"):
        draw(estimate(WEB), svg=name)


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(PermissionDeniedError, match=r"cost\.svg"):
        draw(estimate(WEB), svg=str(tmp_path / "nowhere" / "cost.svg"))


LONG = Part("Linux machine of a very long name (m5.4xlarge)", Decimal(730), "hours", price("0.768"), (FALLBACK, "b", "c"))


def test_a_name_that_is_wrapped_keeps_its_indent_and_the_range_stands_beside_its_words():
    busy = replace(TRAFFIC, name="Data to the internet and to some other places", notes=("x", "y", DEPENDS))
    lines = shown(estimate(resource("server.web-1", LONG, busy))).splitlines()
    (ranged,) = (line for line in lines if DEPENDS in line and "total" not in line)
    assert ranged.split() == ["depends", "on", "usage", "0.90", "to", "90.00"]
    at = lines.index(ranged)
    first = next(number for number, line in enumerate(lines) if "Linux machine" in line)
    part_rows = lines[first:at]
    assert len(part_rows) > 2
    assert all(line.startswith("  ") for line in part_rows)
    assert sum(line.startswith("    ") for line in part_rows) == len(part_rows) - 2


def many(count: int, cost: Decimal = Decimal(1)) -> Estimate:
    parts = [Part("Disk", Decimal(number + 1), "GB", price(f"{cost}", "GB")) for number in range(count)]
    savings = tuple(replace(SAVING, address=f"server.s{number}") for number in range(count))
    return estimate(*(resource(f"server.s{number}", part) for number, part in enumerate(parts)), savings=savings)


def on_a_terminal(found: Estimate, **more) -> str:
    out = io.StringIO()
    screen = Console(file=out, theme=THEME, width=100, force_terminal=True, color_system=None, highlight=False, markup=False)
    show_estimate(screen, found, **more)
    return out.getvalue()


def test_a_terminal_shows_the_dearest_of_many_resources_and_says_how_many_more():
    text = on_a_terminal(many(1000))
    assert "the dearest 40 of 1,000 resources; 960 more: --json or a pipe has them all" in text
    assert "server.s999" in text
    assert "... and 960 more savings" in text
    table = text.split("total")[0]
    assert table.count("server.s") == 40
    assert "server.s960" in table
    assert "server.s959" not in table
    assert "500,500.00 USD" in text


def test_a_terminal_shows_sixty_resources_whole():
    text = on_a_terminal(many(60))
    assert "dearest" not in text
    assert text.split("total")[0].count("server.s") == 60


def test_a_terminal_shows_the_largest_of_many_differences():
    text = on_a_terminal(many(100, Decimal(2)), against=many(100))
    assert "the 40 largest of 100 differences; 60 more: a pipe has them all" in text
    assert "the 40 largest" not in shown(many(100, Decimal(2)), against=many(100))


@pytest.mark.parametrize("width", [80, 240])
def test_a_pipe_gets_every_resource_and_no_space_at_the_end_of_a_line(width: int):
    lines = shown(many(100), width=width, against=many(99)).splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert sum(line.startswith("server.s") for line in lines) == 100
    assert sum(line.startswith("save ") for line in lines) == 100


def test_what_takes_something_away_is_told_after_what_keeps_it():
    away = replace(SAVING, monthly=Decimal(500), change="take it away")
    kept = replace(SAVING, fields={"plan": "m6g.large"})
    text = shown(estimate(WEB, savings=(away, kept)))
    assert text.index("save 1.00") < text.index("save 500.00")
