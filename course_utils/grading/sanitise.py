"""What a submission shows, made fit for an instructor's browser: nothing in it can run.

nbconvert's own clean-up also drops the styles and table headings that a verdict's card is made of.
"""

from __future__ import annotations

import re

from bleach import clean
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.filters import strip_files_prefix
from nbformat import NotebookNode

TAGS = (
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol",
    "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
)  # fmt: skip
STYLES = (
    "background", "background-color", "border", "border-left", "border-radius", "color", "display", "flex",
    "flex-wrap", "font-family", "font-size", "font-style", "font-weight", "height", "margin", "max-width",
    "overflow-wrap", "padding", "text-align", "text-decoration", "vertical-align", "white-space", "width",
)  # fmt: skip
EVERYWHERE = ("class", "id", "style", "title", "colspan", "rowspan", "align")
PROTOCOLS = ("http", "https", "mailto", "data")
SHOWN = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml")
ATTACHED = re.compile(r"attachment:([^\s()<>\"']*)")
STYLE_SHEET = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)


def allowed(tag: str, name: str, value: str) -> bool:
    """Whether a tag may keep an attribute. Pictures may be embedded; a link may not hold a page."""
    if tag == "a" and name == "href":
        return not value.strip().lower().startswith("data:")
    if tag == "img":
        return name in ("src", "alt", "width", "height") or name in EVERYWHERE
    return name in EVERYWHERE


def harmless_html(text: str | bytes) -> str:
    """The HTML with every tag, attribute and address that could run something shown as text or left out."""
    text = text.decode() if isinstance(text, bytes) else text
    text = STYLE_SHEET.sub("", text)  # tables of pandas carry one each
    css = CSSSanitizer(allowed_css_properties=STYLES)
    return clean(text, tags=TAGS, attributes=allowed, protocols=PROTOCOLS, css_sanitizer=css)


def harmless_markdown(text: str) -> str:
    """Rendered markdown, made harmless: stands where nbgrader's page has nbconvert's last step for such cells."""
    return harmless_html(strip_files_prefix(text))


def keep_what_can_be_shown(notebook: NotebookNode) -> None:
    """Leave of a notebook's outputs the kinds that a page shows, and of their metadata the sizes of pictures.

    nbconvert writes some metadata into tags as it stands; and widgets without their parts, or a picture that is said to
    be attached and is not, make it fail.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for name in set(ATTACHED.findall(cell.source)) - set(cell.get("attachments", {})):
                cell.source = cell.source.replace(f"attachment:{name}", f"missing:{name}")
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data = {kind: output.data[kind] for kind in SHOWN if kind in output.data}
                output.metadata = {kind: sizes_of(output.metadata.get(kind)) for kind in output.data}


def sizes_of(metadata: object) -> dict[str, int]:
    sizes = metadata.items() if isinstance(metadata, dict) else ()
    return {name: value for name, value in sizes if name in ("width", "height") and type(value) is int}
