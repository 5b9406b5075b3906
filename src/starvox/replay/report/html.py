"""HTML in which every text is escaped unless it is known to be HTML."""

from collections.abc import Iterable, Sequence
from html import escape

_VOID = {"img", "meta"}


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def tag(name: str, *children, **attributes) -> Html:
    """Returns an element.

    Args:
        name: of the element.
        children: `Html` goes in as it is, anything else as escaped text.
        attributes: ``class_`` is ``class``, ``data_label`` is ``data-label``;
            True has no value, None is left out.
    """
    words = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is not None:
            words.append(key if value is True else f'{key}="{escape(str(value))}"')
    start = Html(f"<{' '.join(words)}>")
    return start if name in _VOID else join(start, *children, Html(f"</{name}>"))


def join(*children) -> Html:
    """Returns children one after the other, escaped as in `tag`."""
    return Html("".join(child if isinstance(child, Html) else escape(str(child)) for child in children))


def section(anchor: str, title: str, *children) -> Html:
    """Returns a part of the page with its heading."""
    heading = tag("h2", title, id=f"{anchor}-title")
    return tag("section", heading, *children, id=anchor, aria_labelledby=f"{anchor}-title")


def table(header: Sequence[str], rows: Iterable[Sequence], caption: str | None = None) -> Html:
    """Returns a table whose first column names the rows; it scrolls where it is too wide.

    Args:
        header: names of the columns; none for a list of names and values.
        rows: texts, a row each.
        caption: above the table.
    """
    names = (tag("th", name, scope="col") for name in header)
    head = [tag("thead", tag("tr", *names))] if header else []
    body = (tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows)
    title = [tag("caption", caption)] if caption else []
    kind = None if 0 < len(header) < 6 else "wide" if header else "list"
    return tag("div", tag("table", *title, *head, tag("tbody", *body), class_=kind), class_="scroll")
