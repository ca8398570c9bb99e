"""Our user data and the user's own, side by side: a MIME archive, which cloud-init takes apart again.

Source: cloud-init's "User-data formats" and "Merging user-data sections".
"""

import hashlib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

KINDS = {
    "#cloud-config": "cloud-config",
    "#!": "x-shellscript",
    "#cloud-boothook": "cloud-boothook",
    "#include": "x-include-url",
    "## template: jinja": "jinja2",
}
"""The first line's start -> MIME subtype, as cloud-init tells user data apart."""

# Ours first; lists of the user's are added to ours, and what both set stays as the configuration says.
_MERGE = "dict(recurse_dict,no_replace)+list(append)+str(no_replace)"


def kind_of(user_data: str) -> str | None:
    """The MIME subtype of a text, None for one that cloud-init would not know either."""
    # The longer starts first: '#cloud-config-archive' is a format of its own.
    start_of_text = user_data.lstrip().lower()
    if start_of_text.startswith(("#cloud-config-archive", "#include-once")):
        return None
    return next((kind for start, kind in KINDS.items() if start_of_text.startswith(start)), None)


def multipart(ours: str, user_data: str, kind: str) -> str:
    """Both as one MIME archive; the same texts give the same archive."""
    boundary = "prov-" + hashlib.sha256(f"{ours}\0{user_data}".encode()).hexdigest()[:32]
    whole = MIMEMultipart("mixed", boundary)
    for text, subtype, name in ((ours, "cloud-config", "prov.yaml"), (user_data, kind, "user-data")):
        part = MIMEText(text, subtype, "us-ascii" if text.isascii() and text is ours else "utf-8")
        part.add_header("Content-Disposition", "attachment", filename=name)
        if text is not ours and subtype in ("cloud-config", "jinja2"):
            part.add_header("Merge-Type", _MERGE)
        whole.attach(part)
    return whole.as_string()
