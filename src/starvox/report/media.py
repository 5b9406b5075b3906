"""Pictures and sounds of a run, inside the page as long as there is room."""

import base64
import io
from pathlib import Path

import soundfile
from PIL import Image

_TYPES = {
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
ENDINGS = (".png", ".wav", ".ogg")
_MAX_PIXELS = 20_000_000


def data_uri(ending: str, data: bytes) -> str:
    """Returns the bytes of a file with such a name, ``.ogg`` for example, as a data URI."""
    return f"data:{_TYPES[ending]};base64,{base64.b64encode(data).decode()}"


class Media:
    """Turns files of a results folder into data URIs until the page is full.

    Args:
        run: the results folder.
        limit: of all data URIs together, in characters.

    Attributes:
        run (Path): the results folder.
        left_out (list of str): the files that are damaged, or that there was no room for.
    """

    def __init__(self, run: Path, limit: int):
        self.run = run
        self._room = limit
        self.left_out: list[str] = []

    def files(self, folder: Path) -> list[Path]:
        """Returns the pictures and sounds below a folder of the run, sorted."""
        return sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and self.has(path))

    def has(self, path: Path) -> bool:
        """Returns whether a path is a regular file of the run.

        Through a link that leads out of it any file of the machine could get on the page.
        """
        return path.is_file() and path.resolve().is_relative_to(self.run.resolve())

    def uri(self, path: Path, data: bytes | None = None) -> str:
        """Returns a file as a data URI, or "" if it is left out. ``data`` stands for a file not on disk."""
        try:
            data, ending = (data, path.suffix) if data else self._read(path)
            uri = data_uri(ending, data)
            if len(uri) > self._room:
                raise ValueError("no room")
        except (OSError, SyntaxError, ValueError, soundfile.SoundFileError, Image.DecompressionBombError):
            self.left_out.append(path.relative_to(self.run).as_posix())
            return ""
        self._room -= len(uri)
        return uri

    def _read(self, path: Path) -> tuple[bytes, str]:
        """Returns the bytes and their ending: FLAC of a WAV, WebP of a PNG, an Ogg as it is."""
        made = io.BytesIO()
        if path.suffix == ".png":
            with Image.open(path) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise ValueError("too large")
                image.convert("RGB").save(made, "WEBP", quality=50)  # a thirteenth of the PNG
            return made.getvalue(), ".webp"
        info = soundfile.info(path)
        # FLAC takes about one byte of a sample's two
        if (info.frames * info.channels if path.suffix == ".wav" else path.stat().st_size) > self._room:
            raise ValueError("no room")
        if path.suffix == ".ogg":
            return path.read_bytes(), ".ogg"
        wave, rate = soundfile.read(path, info.frames, dtype="int16")
        soundfile.write(made, wave, rate, format="FLAC", subtype="PCM_16")
        return made.getvalue(), ".flac"
