"""Pictures and sounds inside the page, as long as there is room."""

import base64
from pathlib import Path

from starvox.replay.report.html import Html, tag

_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".wav": "audio/wav", ".ogg": "audio/ogg"}


class Media:
    """Turns files into data URIs until the page is full.

    Args:
        limit: of all data URIs together, in characters.

    Attributes:
        left_out (list of str): the names of the files there was no room for.
    """

    def __init__(self, limit: int):
        self._room = limit
        self.left_out: list[str] = []

    def image(self, path: Path, alt: str, data: bytes | None = None) -> Html | None:
        """Returns a picture, or None if there is no room. ``data`` stands for a file not on disk."""
        uri = self._uri(path, data)
        return uri and tag("img", src=uri, alt=alt)

    def picture(self, path: Path, label: str, alt: str) -> Html | None:
        """Returns a picture with its name if it has one, or None if there is no room."""
        image = self.image(path, f"{alt}: {label}" if label else alt)
        caption = [tag("figcaption", label)] if label else []
        return image and tag("figure", image, *caption, class_="picture")

    def player(self, path: Path, label: str) -> Html | None:
        """Returns an audio player with its name, or None if there is no room."""
        uri = self._uri(path)
        sound = uri and tag("audio", controls=True, preload="metadata", src=uri, aria_label=label)
        return sound and tag("figure", tag("figcaption", label), sound, class_="sound")

    def _uri(self, path: Path, data: bytes | None = None) -> str | None:
        size = len(data) if data is not None else path.stat().st_size
        if size * 4 / 3 + 100 > self._room:
            self.left_out.append(path.name)
            return None
        text = base64.b64encode(path.read_bytes() if data is None else data).decode()
        uri = f"data:{_TYPES[path.suffix.lower()]};base64,{text}"
        self._room -= len(uri)
        return uri
