"""`prov schema list`: the names that `prov schema show` takes."""

from rich.text import Text

from prov_server.cli.groups import Command
from prov_server.cli.session import Session


def _run() -> None:
    from prov_tools.config import GetSchemaOutput

    session = Session.current()
    output = session.call("get_schema", {})
    assert isinstance(output, GetSchemaOutput)
    if session.as_json:
        session.say_json(output.names)
        return
    for name in output.names:
        session.out.print(Text(name, "name"))
    session.notes.print("prov schema show NAME shows its fields", style="quiet")


schema_list = Command("list", callback=_run, help="List the schemas: what a configuration may hold.")
