"""All commands of `svault` by name: nothing below is imported before it is used."""

from svault.cli.groups import LazyGroup

_AT = "svault.cli.commands."

root = LazyGroup(
    "svault",
    help="SecretumVault: a vault for secrets, keys and certificates. It answers Vault's HTTP API.\n\n"
    "VAULT_ADDR (or -address) says where the vault is, VAULT_TOKEN (or `svault login`) who asks.",
    context_settings={"help_option_names": ["-h", "--help"]},
    lazy={
        "server": (f"{_AT}server:server", "Start a server (-dev for trying out)"),
        "init": (f"{_AT}operator:init", "Make the keys of a new vault"),
        "unseal": (f"{_AT}operator:unseal", "Give one share of the unseal key"),
        "seal": (f"{_AT}operator:seal", "Seal the vault"),
        "status": (f"{_AT}basic:status", "Tell whether the vault is sealed"),
        "login": (f"{_AT}login:login", "Log in and keep the token"),
        "read": (f"{_AT}basic:read", "Read what is at a path"),
        "write": (f"{_AT}basic:write", "Write to a path"),
        "patch": (f"{_AT}basic:patch", "Change some fields of what is at a path"),
        "delete": (f"{_AT}basic:delete", "Delete what is at a path"),
        "list": (f"{_AT}basic:list_", "List the names below a path"),
        "kv": (f"{_AT}kv:kv", "Keep secrets, with versions"),
        "transit": (f"{_AT}tables:transit", "Encrypt and sign with keys that never leave the vault"),
        "pki": (f"{_AT}tables:pki", "Issue certificates"),
        "database": (f"{_AT}tables:database", "Database users with an end"),
        "secrets": (f"{_AT}tables:secrets", "Mount engines that keep or make secrets"),
        "auth": (f"{_AT}tables:auth", "Enable the ways to log in"),
        "token": (f"{_AT}token:token", "Make, look up, renew and revoke tokens"),
        "policy": (f"{_AT}policy:policy", "Say who may do what"),
        "lease": (f"{_AT}lease:lease", "Look up, renew and revoke leases"),
        "wrap": (f"{_AT}basic:wrap", "Keep values behind a token that shows them once"),
        "unwrap": (f"{_AT}basic:unwrap", "Show what is behind a wrapping token"),
        "audit": (f"{_AT}audit:audit", "Enable audit devices; check their files"),
        "operator": (f"{_AT}operator:operator", "Keys, seal and servers"),
        "config": (f"{_AT}config:config", "Check a configuration file"),
        "crypto": (f"{_AT}crypto:crypto", "List the libraries for post-quantum cryptography"),
        "version": (f"{_AT}version:version", "Tell the version"),
    },
)
