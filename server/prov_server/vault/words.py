"""What the one-time pages say, in the languages of `Accept-Language`."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ask_title": "Type a secret",
        "ask": "The value goes straight into the vault. The assistant that asked for it never sees it.",
        "lines": "It has several lines",
        "ask_button": "Store it",
        "kept": "Stored. You can close this page.",
        "failed": "It could not be stored. Nothing was kept; ask for a new page.",
        "empty": "Nothing was typed.",
        "show_title": "Read a secret",
        "show": "The value is shown once, when you press the button. Make sure that nobody looks over your shoulder.",
        "show_button": "Show it",
        "shown": "This page is gone now: close it when you are done.",
        "gone_title": "This page is gone",
        "gone": "It could be used once, within five minutes. Ask for a new one.",
    },
    "es": {
        "ask_title": "Escriba un secreto",
        "ask": "El valor va directo a la bóveda. El asistente que lo pidió nunca lo ve.",
        "lines": "Tiene varias líneas",
        "ask_button": "Guardarlo",
        "kept": "Guardado. Puede cerrar esta página.",
        "failed": "No se pudo guardar. No quedó nada; pida una página nueva.",
        "empty": "No se escribió nada.",
        "show_title": "Lea un secreto",
        "show": "El valor se muestra una vez, al pulsar el botón. Compruebe que nadie mira por encima de su hombro.",
        "show_button": "Mostrarlo",
        "shown": "Esta página ya no existe: ciérrela cuando termine.",
        "gone_title": "Esta página ya no existe",
        "gone": "Se podía usar una vez, en cinco minutos. Pida otra.",
    },
}


def language(header: str) -> str:
    """The language of ours that a browser wants most (RFC 9110, 12.5.4); English when it wants none of them."""
    wanted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")[:20]):
        tag, _, parameter = part.strip().partition(";")
        name, _, quality = parameter.strip().partition("=")
        try:
            weight = float(quality) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        if primary in WORDS and weight > 0:
            wanted.append((-weight, position, primary))
    return min(wanted)[2] if wanted else "en"
