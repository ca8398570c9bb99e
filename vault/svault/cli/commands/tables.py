"""The commands that are one request each."""

from svault.cli.rows import Opt, Row, group

_TTLS = (
    Opt("default-lease-ttl", "How long what it gives lives.", field="config.default_lease_ttl"),
    Opt("max-lease-ttl", "How long renewals can keep it.", field="config.max_lease_ttl"),
)
_TUNED = tuple(Opt(one.name, one.help) for one in _TTLS)
_MOUNT = (
    Opt("path", "Where; the type's name when left out.", default="{type}"),
    Opt("description", "For people."),
    Opt("version", "Of kv: 1 or 2.", field="options.version"),
    *_TTLS,
)

SECRETS = [
    Row("list", "List the mounted engines.", "GET sys/mounts", show="mounts"),
    Row(
        "enable TYPE",
        "Mount an engine: kv, transit, pki, database.",
        "POST sys/mounts/{path}",
        _MOUNT,
        {"type": "{type}"},
        "said",
        "Success! Enabled the {type} secrets engine at: {path}/",
    ),
    Row(
        "disable PATH",
        "Unmount an engine; everything in it is gone.",
        "DELETE sys/mounts/{path}",
        show="said",
        said="Success! Disabled the secrets engine (if it existed) at: {path}/",
    ),
    Row(
        "move SOURCE DESTINATION",
        "Mount an engine at another path.",
        "POST sys/remount",
        (),
        {"from": "{source}", "to": "{destination}"},
        "said",
        "Success! Moved {source}/ to {destination}/",
    ),
    Row(
        "tune PATH",
        "Change an engine's times and description.",
        "POST sys/mounts/{path}/tune",
        (*_TUNED, Opt("description", "For people.")),
        show="said",
        said="Success! Tuned the secrets engine at: {path}/",
    ),
]

AUTH = [
    Row("list", "List the ways to log in.", "GET sys/auth", show="mounts"),
    Row(
        "enable TYPE",
        "Enable one: userpass, approle.",
        "POST sys/auth/{path}",
        _MOUNT[:2] + _TTLS,
        {"type": "{type}"},
        "said",
        "Success! Enabled {type} auth method at: {path}/",
    ),
    Row(
        "disable PATH",
        "Disable one; its tokens are revoked.",
        "DELETE sys/auth/{path}",
        show="said",
        said="Success! Disabled the auth method (if it existed) at: {path}/",
    ),
    Row(
        "tune PATH",
        "Change its times and description.",
        "POST sys/auth/{path}/tune",
        (*_TUNED, Opt("description", "For people.")),
        show="said",
        said="Success! Tuned the auth method at: {path}/",
    ),
]

AUDIT = [
    Row("list", "List the audit devices.", "GET sys/audit", show="devices"),
    Row(
        "enable TYPE [DATA...]",
        "Enable one: file file_path=FILE, or socket address=HOST:PORT.",
        "POST sys/audit/{path}",
        (Opt("path", "Its name; the type's when left out.", default="{type}"), Opt("description", "For people.")),
        {"type": "{type}"},
        "said",
        "Success! Enabled the {type} audit device at: {path}/",
        "options",
    ),
    Row(
        "disable PATH",
        "Disable one; what it wrote stays.",
        "DELETE sys/audit/{path}",
        show="said",
        said="Success! Disabled audit device (if it was enabled) at: {path}/",
    ),
]

LEASE = [
    Row("lookup ID", "Tell when a lease ends.", "PUT sys/leases/lookup", (), {"lease_id": "{id}"}),
    Row("list PREFIX", "List the leases below a path.", "LIST sys/leases/lookup/{prefix}", show="names"),
    Row(
        "renew ID",
        "Renew a lease.",
        "PUT sys/leases/renew",
        (
            Opt(
                "increment",
                "For how long.",
            ),
        ),
        {"lease_id": "{id}"},
    ),
]


def _at(mount: str) -> Opt:
    return Opt("mount", f"Where the engine is mounted; {mount} when left out.", default=mount)


_TRANSIT, _PKI, _DATABASE = _at("transit"), _at("pki"), _at("database")
_KEY = Opt("key-version", "Which version of the key.", "integer")
_SIGN = (
    _TRANSIT,
    Opt("hash-algorithm", "sha2-256 and others."),
    Opt("signature-algorithm", "Of RSA: pss or pkcs1v15."),
    Opt("prehashed", "The input is a hash already.", "flag"),
    Opt("context", "Of derived keys, as base64."),
)

TRANSIT = [
    Row("list", "List the keys.", "LIST {mount}/keys", (_TRANSIT,), show="names"),
    Row(
        "create NAME",
        "Make a key: aes256-gcm96, ed25519, ml-dsa-65, ml-kem-768 and others.",
        "POST {mount}/keys/{name}",
        (
            _TRANSIT,
            Opt("type", "The type; aes256-gcm96 when left out."),
            Opt("derived", "Each context has a key of its own.", "flag"),
            Opt("exportable", "The key may be exported.", "flag"),
            Opt("convergent-encryption", "The same text encrypts to the same.", "flag"),
        ),
    ),
    Row("read NAME", "Describe a key.", "GET {mount}/keys/{name}", (_TRANSIT,)),
    Row(
        "delete NAME",
        "Delete a key that allows it.",
        "DELETE {mount}/keys/{name}",
        (_TRANSIT,),
        show="said",
        said="Success! Data deleted (if it existed) at: {mount}/keys/{name}",
    ),
    Row(
        "rotate NAME",
        "Make a new version of a key.",
        "POST {mount}/keys/{name}/rotate",
        (_TRANSIT,),
        said="Success! Rotated: {mount}/keys/{name}",
    ),
    Row(
        "config NAME [DATA...]",
        "Change a key: min_decryption_version=2, deletion_allowed=true ...",
        "POST {mount}/keys/{name}/config",
        (_TRANSIT,),
        said="Success! Changed: {mount}/keys/{name}",
    ),
    Row(
        "encrypt NAME [DATA...]",
        "Encrypt plaintext=BASE64.",
        "POST {mount}/encrypt/{name}",
        (_TRANSIT, _KEY, Opt("context", "Of derived keys, as base64.")),
    ),
    Row(
        "decrypt NAME [DATA...]",
        "Decrypt ciphertext=vault:v1:... to base64.",
        "POST {mount}/decrypt/{name}",
        (_TRANSIT, Opt("context", "Of derived keys, as base64.")),
    ),
    Row(
        "rewrap NAME [DATA...]",
        "Encrypt ciphertext=vault:v1:... with the newest version.",
        "POST {mount}/rewrap/{name}",
        (_TRANSIT, _KEY),
    ),
    Row("sign NAME [DATA...]", "Sign input=BASE64.", "POST {mount}/sign/{name}", (*_SIGN, _KEY)),
    Row("verify NAME [DATA...]", "Check input=BASE64 signature=vault:v1:...", "POST {mount}/verify/{name}", _SIGN),
    Row("hmac NAME [DATA...]", "Authenticate input=BASE64.", "POST {mount}/hmac/{name}", (_TRANSIT, _KEY)),
    Row(
        "random",
        "Random bytes.",
        "POST {mount}/random/{bytes}",
        (
            _TRANSIT,
            Opt("bytes", "How many; 32 when left out.", default="32"),
            Opt("encoding", "base64 or hex.", field="format"),
        ),
    ),
]

PKI = [
    Row(
        "root generate NAME",
        "Make a root CA with the common name NAME, such as 'Example Root'. Its key never leaves the vault; clients that have its "
        "certificate trust what it signs.",
        "POST {mount}/root/generate/internal",
        (
            _PKI,
            Opt("ttl", "How long it is valid, such as 87600h (ten years); the engine's longest when left out."),
            Opt("key-type", "rsa, ec, ed25519 or ml-dsa; rsa when left out."),
            Opt("key-bits", "Of the key: 2048 to 8192 for rsa, 224 to 521 for ec, 44, 65 or 87 for ml-dsa.", "integer"),
            Opt("issuer-name", "What the vault's own paths call it, such as issuer/NAME."),
        ),
        {"common_name": "{name}"},
    ),
    Row(
        "role NAME [DATA...]",
        "Make or change a role: allowed_domains=example.com allow_subdomains=true ...",
        "POST {mount}/roles/{name}",
        (_PKI,),
        said="Success! Data written to: {mount}/roles/{name}",
    ),
    Row("roles", "List the roles.", "LIST {mount}/roles", (_PKI,), show="names"),
    Row(
        "issue ROLE NAME",
        "Issue a certificate with its key for the common name NAME.",
        "POST {mount}/issue/{role}",
        (
            _PKI,
            Opt("ttl", "How long it is valid."),
            Opt("alt-names", "Other names, with commas."),
            Opt("ip-sans", "Addresses, with commas."),
        ),
        {"common_name": "{name}"},
    ),
    Row("sign ROLE [DATA...]", "Sign csr=@FILE.", "POST {mount}/sign/{role}", (_PKI,)),
    Row("revoke SERIAL", "Revoke a certificate.", "POST {mount}/revoke", (_PKI,), {"serial_number": "{serial}"}),
    Row("list", "List the serial numbers.", "LIST {mount}/certs", (_PKI,), show="names"),
    Row("read SERIAL", "Show a certificate.", "GET {mount}/cert/{serial}", (_PKI,)),
    Row("issuers", "List the issuers.", "LIST {mount}/issuers", (_PKI,), show="names"),
]

PKI_GROUPS = {"root": "Make the root CA, which signs what is issued."}
DATABASE = [
    Row(
        "config NAME [DATA...]",
        "Make a connection: plugin_name=postgresql-database-plugin connection_url=... allowed_roles=... password=-",
        "POST {mount}/config/{name}",
        (_DATABASE,),
        said="Success! Data written to: {mount}/config/{name}",
    ),
    Row(
        "role NAME [DATA...]",
        "Make a role: db_name=NAME creation_statements=@FILE default_ttl=1h",
        "POST {mount}/roles/{name}",
        (_DATABASE,),
        said="Success! Data written to: {mount}/roles/{name}",
    ),
    Row("roles", "List the roles.", "LIST {mount}/roles", (_DATABASE,), show="names"),
    Row("list", "List the connections.", "LIST {mount}/config", (_DATABASE,), show="names"),
    Row("creds ROLE", "Make a user of a role.", "GET {mount}/creds/{role}", (_DATABASE,)),
    Row("static-creds ROLE", "Read the password of a static role.", "GET {mount}/static-creds/{role}", (_DATABASE,)),
    Row(
        "rotate-root NAME",
        "Give the connection's own user a password that only the vault knows.",
        "POST {mount}/rotate-root/{name}",
        (_DATABASE,),
        said="Success! Rotated the password of: {mount}/config/{name}",
    ),
    Row(
        "rotate-role ROLE",
        "Rotate the password of a static role.",
        "POST {mount}/rotate-role/{role}",
        (_DATABASE,),
        said="Success! Rotated the password of: {role}",
    ),
]

OPERATOR = [
    Row("rotate", "Begin a new key of the barrier.", "PUT sys/rotate", show="said", said="Success! Rotated key"),
    Row("key-status", "Tell the key that encrypts.", "GET sys/key-status", show="data"),
    Row("step-down", "Let another server become the active one.", "PUT sys/step-down", show="said", said="Success! Stepped down"),
    Row("seal", "Seal the vault.", "PUT sys/seal", show="said", said="Success! Vault is sealed."),
]
POLICY = [
    Row("delete NAME", "Delete a policy.", "DELETE sys/policies/acl/{name}", show="said", said="Success! Deleted policy: {name}"),
]
_TOKEN_OPTIONS = (
    Opt("policy", "A policy; may be given several times.", "list", "policies"),
    Opt("ttl", "How long it lives."),
    Opt("explicit-max-ttl", "How long renewals can keep it."),
    Opt("period", "Each renewal is for this long, without end."),
    Opt("use-limit", "How many requests it is good for.", "integer", "num_uses"),
    Opt("display-name", "For the audit log."),
    Opt("metadata", "KEY=VALUE; may be given several times.", "pairs", "meta"),
    Opt("orphan", "It does not end with the token that made it.", "flag", "no_parent"),
    Opt("no-default-policy", "Without the policy `default`.", "flag"),
    Opt("renewable", "Whether it can be renewed.", "flag"),
    Opt("type", "service."),
    Opt("id", "The token itself; needs sudo."),
)
TOKEN = [
    Row(
        "create", "Make a token.", "POST auth/token/create/{role}", (*_TOKEN_OPTIONS, Opt("role", "Within the bounds of a role."))
    ),
]

secrets = group("secrets", "Mount engines that keep or make secrets.", SECRETS)
auth = group("auth", "Enable the ways to log in.", AUTH)
audit = group("audit", "Enable audit devices; check their files.", AUDIT)
transit = group("transit", "Encrypt and sign with keys that never leave the vault.", TRANSIT)
pki = group("pki", "Issue certificates.", PKI, PKI_GROUPS)
database = group("database", "Database users with an end.", DATABASE)
