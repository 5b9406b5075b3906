"""The README of an experiment -> HTML that fits into the page."""

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from starvox.replay.report.html import Html


def render(text: str) -> Html:
    """Returns Markdown as HTML, from the first heading's text on.

    The title is left out and other headings move a level down, below the
    page's own. Links lead out of the page, so their words alone are kept, and
    of a picture its description. HTML in the text is shown, not used.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule in ("link_open", "link_close"):
        markdown.add_render_rule(rule, lambda *_: "")
    markdown.add_render_rule("image", lambda _, tokens, i, *__: escapeHtml(tokens[i].content))
    tokens = markdown.parse(text)
    if tokens and tokens[0].tag == "h1":
        del tokens[:3]
    _label_cells(tokens)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return Html(markdown.renderer.render(tokens, markdown.options, {}))


def _label_cells(tokens) -> None:
    """Gives each cell its column's name: on a phone the style sheet lays a row out as a list."""
    names, column = [], 0
    for token, inside in zip(tokens, [*tokens[1:], None], strict=False):
        if token.type == "thead_open":
            names = []
        elif token.type == "th_open":
            names.append("".join(part.content for part in inside.children))
            token.attrSet("scope", "col")
        elif token.type == "tr_open":
            column = 0
        elif token.type == "td_open":
            token.attrSet("data-label", names[column])
            column += 1
