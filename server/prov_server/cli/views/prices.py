"""Where prices come from: a line for each provider's list, updated and negotiated prices."""

from rich.table import Table
from rich.text import Text

from prov_judge.prices.age import is_old
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.prices import PricesStatusOutput


def show(answer: Answer) -> None:
    """Print the lists, and how to refresh old ones."""
    output = answer.output
    assert isinstance(output, PricesStatusOutput)
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("provider", "from", "prices", "regions", "currency", "oldest", "newest", "days"):
        table.add_column(heading, justify="right" if heading in {"prices", "regions", "days"} else "left", no_wrap=True)
    for row in output.lists:
        age_style = "warning" if row.age_days is not None and is_old(row.age_days) else ""
        table.add_row(
            Text(visible(row.provider), "name"),
            Text(row.origin, "quiet" if row.origin == "list" else "good"),
            f"{row.prices:,}",
            f"{row.regions:,}" if row.regions else "any",
            ", ".join(row.currencies),
            row.oldest or "-",
            row.newest or "-",
            Text("-" if row.age_days is None else f"{row.age_days:,}", age_style),
        )
    answer.session.out.print(table)
    answer.session.notes.print("prov prices update fetches the list prices of AWS and Azure anew", style="quiet")
