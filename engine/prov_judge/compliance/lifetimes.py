"""Predicates about what ends on a day: releases and certificates."""

from datetime import date

from prov_corpus import catalogue
from prov_judge.compliance.evidence import Evidence, failing, holding, unknown, value_in_words
from prov_judge.compliance.scope import Subject, World


def os_supported(subject: Subject, world: World) -> Evidence:
    """Whether the server's operating system gets security updates today."""
    system = subject.record.spec.os
    version = system.version or catalogue.images()[system.family].default
    shown = f"{system.family} {value_in_words(version, is_default=system.version is None)}"
    return _supported(catalogue.os_version(system.family, version), (*subject.path, "spec", "os", "version"), shown, world.today)


def kubernetes_supported(subject: Subject, world: World) -> Evidence:
    """Whether the cluster's Kubernetes minor version gets security updates today."""
    stated = subject.record.version
    version = ".".join((stated or catalogue.default_kubernetes().version).split(".")[:2])
    shown = f"Kubernetes {value_in_words(version, is_default=stated is None)}"
    return _supported(catalogue.kubernetes_versions().get(version), (*subject.path, "version"), shown, world.today)


def _supported(release: catalogue.Release | None, path: tuple[str | int, ...], shown: str, today: date) -> Evidence:
    if release is None:
        return unknown(path, shown, f"the catalogue does not know {shown}, so its support is not known")
    if catalogue.is_end_of_life(release, today):
        return failing(path, shown, f"{shown} gets no security updates since {release.end_of_life}")
    until = release.end_of_life or "a day that is not announced"
    return holding(path, shown, f"{shown} is supported until {until}")


def not_expired(subject: Subject, world: World) -> Evidence:
    """Whether the certificate's last day is not over."""
    path, text = (*subject.path, "expires"), subject.record.expires
    if text is None:
        if subject.record.issuer == "imported" or not subject.record.auto_renew:
            return unknown(path, "not stated", "its last day is not stated, and nobody renews it")
        return holding(path, "not stated", "whoever issues it renews it")
    try:
        last = date.fromisoformat(text)
    except ValueError:
        return unknown(path, text, f"{text} is no day of the calendar")
    return Evidence(last >= world.today, path, text, f"its last day is {text}")
