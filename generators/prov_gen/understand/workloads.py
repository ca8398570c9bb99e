"""Containers on the clusters, and the places of secrets."""

from prov_gen.understand.mentions import Mention
from prov_gen.understand.naming import slug
from prov_gen.understand.site import Site


def build_workloads(site: Site) -> None:
    """Every container image becomes a workload of the cluster before it; without a cluster it has no place."""
    clusters = [cluster for cluster in site.of("cluster") if cluster.placed]
    for made in site.of("workload"):
        image = next(mention for mention in made.head.mentions if mention.category == "image")
        if not site.draft.allows("workloads") or not clusters:
            site.draft.leave(image, "no cluster is described that could run it")
            continue
        before = [cluster for cluster in clusters if cluster.head.order <= made.head.order] or clusters[:1]
        made.values["image"] = image.value
        if len(clusters) > 1:
            made.values["cluster"] = before[-1].placed[0]
        counts = [mention for mention in made.head.mentions if mention.category == "number" and _counts(mention)]
        if counts:
            made.values["replicas"] = counts[0].value
        made.head.count = 1
        made.facts = [
            (mention, "image" if mention is image else path or "replicas", value)
            for mention, path, value in made.facts
            if mention is not image
        ]
        made.facts.append((image, "image", image.value))
        ports = [port for rule in made.rules for port, _ in rule.value.ports]
        if ports:
            made.values["ports"] = ports
            made.facts.extend((rule, "ports", ports) for rule in made.rules)
        if "replicas" not in made.values:
            made.assume("replicas", 2, "no number of replicas was named")
        site.add("workloads", made, slug(str(image.value).rsplit("/", 1)[-1].split(":")[0]) or "app")


def _counts(mention: Mention) -> bool:
    return mention.language == "any" or mention.value != 1


def build_secrets(site: Site) -> None:
    """Secrets that were named with the place where they live; without one there is nothing to write."""
    for made in site.of("secret"):
        if not site.draft.allows("secrets") or "handle" not in made.values:
            for mention in made.head.mentions:
                site.draft.leave(mention, "say where it lives, as vault:path#key")
            continue
        path, _, key = str(made.values["handle"]).partition("#")
        site.add("secrets", made, slug(f"{path.rsplit('/', 1)[-1]}-{key}") or "secret")
