"""Findings of a validation, and errors: what the code says, and what to do."""

from collections.abc import Iterator
from inspect import cleandoc

from prov_gen.codes import codes
from prov_gen.findings import LAYERS, WORDS
from prov_rag import errors as search_errors
from prov_server.approval import terminal
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.page import code
from prov_server.derived.reference import error_classes
from prov_server.http import errors as http_errors
from provisioning import errors as engine_errors
from provisioning.approval import errors as approval_errors
from provisioning.workflow import tasks as task_errors
from stratumops import errors


def pages() -> Iterator[tuple[str, str]]:
    """A page for every code."""
    yield from _findings()
    yield from _errors()


def _findings() -> Iterator[tuple[str, str]]:
    for one in sorted(codes().values(), key=lambda one: one.code):
        layers = " and ".join("words" if layer == WORDS else f"layer {layer} ({LAYERS[layer]})" for layer in one.layers)
        fixes = [*one.fixes, *[""] * (len(one.titles) - len(one.fixes))]
        said = [f"- {title}" + (f": {fix}" if fix else "") for title, fix in zip(one.titles, fixes, strict=False)]
        yield f"findings/{file_name(one.code)}.md", sheet(
            f"Finding {one.code}: {one.titles[0]}",
            f"{code(one.code)} ({' or '.join(one.severities)}; {layers}). How to mend it:",
            "\n".join(said),
            source="`findings.toml` and `security_rules.toml` of `prov_gen`",
            service="stratumops",
            tags=["finding", one.severities[0], LAYERS.get(one.layers[0], "words").split()[0]],
        )  # fmt: skip


def _errors() -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for module in (errors, engine_errors, approval_errors, task_errors, terminal, search_errors, http_errors):
        for one in error_classes(module):
            if one.code in seen:
                continue
            seen.add(one.code)
            bases = (base for base in one.__mro__[1:] if issubclass(base, errors.StratumError))
            above = next((base for base in bases if base is not errors.StratumError), None)
            kind = f", a kind of {code(above.code)}" if above else ""
            yield f"errors/{file_name(one.code)}.md", sheet(
                f"Error {one.code}: exit code {one.exit_code}, HTTP status {one.http_status}",
                f"{code(one.code)}{kind}: {cleandoc(one.__doc__ or '')}",
                source="the classes of errors",
                service="stratumops",
                tags=["error", f"exit-{one.exit_code}", f"http-{one.http_status}"],
            )  # fmt: skip
