"""URLs with `{{issuer_id}}`, `{{cluster_path}}` and `{{cluster_aia_path}}` in them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import urlsplit

from svault.engines.pki.records import Issuer, Urls


def is_url(text: str) -> bool:
    """Whether this is an absolute URL."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path.startswith("//"))) and text.isascii() and "{{" not in text


def filled_urls(urls: Urls, cluster: Mapping[str, str], issuer: Issuer | None) -> tuple[str, Urls]:
    """`(problem, urls)`: the problem is a sentence, or nothing. Without an issuer its id is made up, to try the template."""
    values = {
        "issuer_id": issuer.id if issuer else "00000000-0000-0000-0000-000000000000",
        "cluster_path": cluster.get("path", ""),
        "cluster_aia_path": cluster.get("aia_path", ""),
    }
    found: dict[str, Any] = {}
    for name in (one.name for one in fields(Urls) if one.name != "enable_templating"):
        filled = []
        for url in getattr(urls, name):
            text = url
            for placeholder, value in values.items():
                written = "{{" + placeholder + "}}"
                if written in text and placeholder.startswith("cluster") and not value:
                    what = placeholder.removeprefix("cluster_")
                    return f"unable to template AIA URLs as we lack local cluster address information ({what})", urls
                text = text.replace(written, value)
            if not is_url(text):
                return f"error validating templated {name}; invalid URI: {url}", urls
            filled.append(text)
        found[name] = tuple(filled)
    return "", replace(urls, **found)
