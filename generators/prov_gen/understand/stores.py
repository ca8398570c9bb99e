"""What keeps data (databases, caches, buckets, file systems, queues), and the small things beside it (keys, registries, logs)."""

from prov_gen.understand.machines import SIZES
from prov_gen.understand.mentions import Mention
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site

_PLAIN = (
    ("bucket", "buckets", "bucket"),
    ("file_system", "file_systems", "shared"),
    ("queue", "queues", "queue"),
    ("registry", "registries", "registry"),
    ("log_group", "log_groups", "logs"),
)
# Where a key is named, by kind of head.
_KEYED = {"bucket": "buckets", "volume": "volumes", "file_system": "file_systems", "queue": "queues", "database": "databases"}
_KEYED |= {"cluster": "clusters", "log_group": "log_groups"}


def build_databases(site: Site) -> None:
    """Databases and caches; cores and memory become a size."""
    for made in site.of("database", "cache"):
        is_cache = made.head.kind == "cache"
        field_name = "caches" if is_cache else "databases"
        if not site.draft.allows(field_name):
            continue
        made.take("managed")
        _size(site, made, field_name)
        _nodes(site, made, is_cache=is_cache)
        engine = str(made.values.get("engine") or ("valkey" if is_cache else "postgresql"))
        if "engine" not in made.values:
            made.assume("engine", engine, "no engine was named")
            made.values["engine"] = engine
        if "version" not in made.values:
            _assume_version(made, engine)
        site.add(field_name, made, "cache" if is_cache else "db")


def _assume_version(made: Made, engine: str) -> None:
    from prov_corpus.catalogue import default_engine, engines  # noqa: PLC0415 - the catalogue is read on the first description, not on import

    if engine in engines():
        made.values["version"] = default_engine(engine).version
        made.assume("version", made.values["version"], "no version was named; the catalogue's default")


def _size(site: Site, made: Made, field_name: str) -> None:
    from prov_corpus.prices import plan_size  # noqa: PLC0415 - reads a price list

    cpu, memory = made.take("cpu"), made.take("memory_gb")
    stated = cpu is not None or memory is not None
    if "plan" in made.values and not (stated and made.values["plan"] in SIZES):
        _name_managed_plan(site, made)
        return
    if not stated:
        plan = "small" if field_name == "caches" else "medium"
        made.assume("plan", plan, "no size was named")
        return
    fitting = [
        size
        for size in SIZES
        if (sku := plan_size(site.provider, size)).vcpu >= (cpu or 0) and (sku.memory_gb or 0) >= (memory or 0)
    ]
    made.values["plan"] = fitting[0] if fitting else "xlarge"
    why = "the smallest size with the cores and memory that were named" if fitting else "the largest size; more was named"
    made.assume("plan", made.values["plan"], why)


def _name_managed_plan(site: Site, made: Made) -> None:
    """ "A database m5.large" means db.m5.large: a machine's size that a managed plan is named after is written as that plan."""
    from prov_corpus.catalogue.managed_plans import managed_plans  # noqa: PLC0415 - reads a price list; only for a named plan

    known = managed_plans(str(made.values.get("provider", site.provider)), "cache" if made.head.kind == "cache" else "database")
    plans = known.of_machine(str(made.values["plan"])) if known else ()
    if plans:
        made.values["plan"] = plans[0]
        made.facts = [(mention, path, plans[0] if path == "plan" else value) for mention, path, value in made.facts]


def _nodes(site: Site, made: Made, *, is_cache: bool) -> None:
    """ "A 3-node PostgreSQL cluster": one primary and two replicas; a cache has nodes of its own."""
    for node in site.of("node"):
        if node.head.owner is not made.head:
            continue
        count = node.head.count or 1
        if is_cache:
            made.values["nodes"] = count
        else:
            made.values["replicas"] = max(0, count - 1)
        path = "nodes" if is_cache else "replicas"
        made.facts.extend((mention, path, made.values[path]) for mention in node.head.mentions)


def build_keys(site: Site) -> None:
    """Encryption keys; a key that something is "encrypted with" is named there once the things are placed."""
    if not site.draft.allows("kms_keys"):
        return
    for made in site.of("kms_key"):
        site.add("kms_keys", made, "main")
        users = _users(site, made)
        if not users:
            site.draft.assume(made.prefix, made.placed[0], "nothing that was described is encrypted with it")
        for user in users:
            user.values["kms_key"] = made.placed[0]
            if user.head.kind == "bucket":
                user.values["encryption"] = "kms"
                site.draft.restate(f"{user.prefix}.encryption", "kms")
            for record in site.draft.config.get(_KEYED[user.head.kind], []):
                if record["name"] in user.placed:
                    record["kms_key"] = made.placed[0]
                    if user.head.kind == "bucket":
                        record["encryption"] = "kms"


def _users(site: Site, made: Made) -> list[Made]:
    """What a key is for: the thing before it in the sentence, or everything when "encrypted" was said of everything."""
    lead = site.phrases[made.head.phrase].lead
    able = [user for user in site.made if user.head.kind in _KEYED and user.head.sentence == made.head.sentence]
    before = [user for user in able if user.head.phrase <= made.head.phrase]
    if any(_is_encryption(mention) for made_too in site.of("server") for mention in made_too.head.attributes):
        site.draft.find(
            "key_not_for_servers", "a server's disks have no key of their own; they use the provider's", "use a volume"
        )
    encrypted = [user for user in before if any(_is_encryption(mention) for mention in user.head.attributes)]
    if encrypted:
        return encrypted
    named = before[-1:] if lead and lead[-1] in {"with", "in"} else []
    said = any(_is_encryption(mention) for phrase in site.phrases for mention in phrase.mentions)
    return named or ([user for user in site.made if user.head.kind in _KEYED and user.placed] if said else [])


def _is_encryption(mention: Mention) -> bool:
    return mention.category == "flag" and mention.value == "encrypted" and not mention.negated


def build_plain(site: Site) -> None:
    """Kinds that need nothing but a name and what was said of them."""
    for kind, field_name, base in _PLAIN:
        if not site.draft.allows(field_name):
            continue
        for made in site.of(kind, "topic") if kind == "queue" else site.of(kind):
            named = "topic" if made.values.get("kind") == "topic" else base
            site.add(field_name, made, named)
