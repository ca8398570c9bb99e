"""Versions of operating systems, databases and Kubernetes with the ends of their lives, and the shipped workflows."""

from collections.abc import Iterator, Mapping

from prov_corpus.catalogue.images import images
from prov_corpus.catalogue.release import Release
from prov_corpus.catalogue.versions import cni_versions, cnis, engine_versions, engines, kubernetes_versions
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.page import block, cell, code, table

_SOURCE = "the tables of `prov_corpus.catalogue`"
_ADVICE = (
    "`prov validate` warns of a version whose day has passed (`version_end_of_life`) and of one that is not here "
    "(`version_unknown`)."
)


def pages() -> Iterator[tuple[str, str]]:
    """A page for every system, engine and network plugin, and for Kubernetes."""
    for system in images().values():
        offered = (
            f"A stock image at {', '.join(system.providers)}; elsewhere upload your own. The default is {code(system.default)}."
        )
        yield _page("images", system.family, system.name, system.versions, offered)
    for engine in engines():
        yield _page(
            "engines",
            engine,
            engine,
            engine_versions(engine),
            f"The managed databases and caches of kind {code(engine)} take these versions.",
        )
    for cni in cnis():
        yield _page(
            "kubernetes",
            cni,
            f"{cni} (Kubernetes network)",
            cni_versions(cni),
            "The network plugin of a cluster: `cni` in its configuration.",
        )
    yield _page(
        "kubernetes",
        "kubernetes",
        "Kubernetes",
        kubernetes_versions(),
        "Versions that a cluster can have; upgrade one minor version at a time.",
    )


def _page(folder: str, name: str, title: str, found: Mapping[str, Release], about: str) -> tuple[str, str]:
    rows = [
        (code(one.version), one.release.isoformat(), one.end_of_life.isoformat() if one.end_of_life else "not announced",
         "about" if one.approximate else "exact", cell(", ".join(one.aliases)))
        for one in sorted(found.values(), key=lambda one: one.release, reverse=True)
    ]  # fmt: skip
    return f"versions/{folder}/{file_name(name)}.md", sheet(
        f"{title}: versions and when their support ends",
        about,
        table(("version", "released", "support ends", "dates", "also called"), rows),
        _ADVICE,
        block("sh", "prov validate main.ncl"),
        source=_SOURCE,
        service=file_name(name),
        tags=["version", "end-of-life", file_name(name)],
    )  # fmt: skip
