"""SVG as PNG, drawn by resvg (the `resvg-py` wheel, MIT; resvg itself Apache-2.0 or MIT): no browser, no program, no network."""

import functools
import re

from stratumops.errors import InvalidInputError, UnavailableError

MAX_SIDE = 8_000
"""Pixels of the longer side: above it the picture is drawn smaller."""

_FONTS = ("DejaVu Sans", "Liberation Sans", "Noto Sans", "FreeSans", "Ubuntu", "Cantarell", "Helvetica", "Verdana")
"""Families that a machine without Arial may have, tried in this order."""
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"><text x="2" y="20" font-size="20">M</text></svg>'
_BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24"></svg>'


def png(svg: str, *, scale: float = 2.0) -> bytes:
    """The picture at `scale` pixels a unit, on the background that it draws itself.

    Nothing outside of the text is read but the machine's fonts. Raises InvalidInputError for what is not SVG, and
    UnavailableError where no font is installed: letters would be missing without a word.
    """
    family = font_family() if "<text" in svg else ""
    if family is None:
        raise UnavailableError(
            "this machine has no font, and the picture has words",
            hint="install one (Debian: apt install fonts-dejavu-core), or take the SVG: whoever looks at it has fonts",
        )
    try:
        # Its own size in pixels is what the zoom multiplies; it must not become a picture that eats the memory.
        return _drawn(svg, min(scale, MAX_SIDE / max(_sides(svg), default=1.0)), family)
    except ValueError as error:
        raise InvalidInputError(f"the text is not an SVG picture: {error}", hint="give a whole <svg> element") from None


def _sides(svg: str) -> list[float]:
    """Width and height that the picture states."""
    head = svg[: svg.find(">", svg.find("<svg")) + 1]
    return [float(side) for name in ("width", "height") for side in re.findall(rf'\s{name}="([0-9]+(?:\.[0-9]+)?)"', head)]


@functools.cache
def font_family() -> str | None:
    """What letters are drawn with: empty for what resvg means by itself; None where no font of this machine draws any.

    resvg means Arial and Times by the generic names, which a plain Linux machine does not have.
    """
    blank = _drawn(_BLANK, 1.0, "")
    # Letters can be drawn where the same picture with and without one differs.
    return next((name for name in ("", *_FONTS) if _drawn(_PROBE, 1.0, name) != blank), None)


def _drawn(svg: str, zoom: float, family: str) -> bytes:
    import resvg_py  # noqa: PLC0415 - a compiled library that only pictures need

    if not family:
        return resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom)
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=zoom,
        font_family=family,
        sans_serif_family=family,
        serif_family=family,
        monospace_family=family,
    )
