"""Converting sound files: for each input and target a sound and a figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from starvox.audio import AudioFileError, read_waveform, write_wav
from starvox.audio.source import Array
from starvox.errors import UserError
from starvox.files import file_name
from starvox.plotting import draw_spectrograms, save_figure
from starvox.replay.replay import Replay

Labels = Mapping[str, str | None]  # group -> name, as `Replay.convert` takes them


@dataclass(frozen=True)
class FileReplay:
    """Writes conversions to a folder under names that say what they are.

    ``NAME_to_LABELS.wav`` and ``.png`` are a conversion and its figure,
    ``NAME_input.wav`` the recording at the run's rate, ``NAME_copy-synthesis.wav``
    the same way as a conversion without the generator. A setting other
    than the default is added to the name, so that both can be compared.

    Args:
        run: what converts.
        folder: where to write; made when it is needed.
        phase, band, statistics: as in `Replay.convert`.
        name_iteration: whether the names of conversions have the run's iteration.
        figure: whether to draw the figures.
        overwrite: replace files that are there.
    """

    run: Replay
    folder: Path
    phase: str = "griffin-lim"
    band: str = "record"
    statistics: str = "running"
    name_iteration: bool = False
    figure: bool = True
    overwrite: bool = False

    def check(self, names: Sequence[str], targets: Sequence[Labels]) -> None:
        """Refuses what would fail after the first conversions: labels, and files that are there.

        Raises:
            UserError: if a label is unknown, two targets have one name, or a file
                is there and not to be replaced.
        """
        for target in targets:
            self.run.encoder.input(**target)
        wanted = [self._result(name, target) for name in names for target in targets]
        twice = next((path for path in wanted if wanted.count(path) > 1), None)
        if twice:
            raise UserError(f"{twice} would be written twice; leave one of the two labels out")
        there = [path for path in wanted if path.exists() or path.with_suffix(".png").exists()]
        if there and not self.overwrite:
            more = f" (and {len(there) - 1} more)" if there[1:] else ""
            raise UserError(f"{there[0]} is there{more}; replace with --overwrite, or choose another folder")

    def convert(self, name: str, path: Path, targets: Sequence[Labels]) -> Iterator[Path]:
        """Converts one file to every target.

        Args:
            name: what to call it.
            path: the sound file, of any format and rate.
            targets: the labels to convert to.

        Yields:
            Path: each file, once it is written (the recording and its copy-synthesis
            are left as they are if there); a target's figure comes after its sound.

        Raises:
            AudioFileError: if the file cannot be used.
            UserError: if a result cannot be written, or those that are there are of
                another recording.
        """
        source = self.run.source(wave := read_waveform(path, self.run.exp.audio.sample_rate))
        copy = self._path(f"{name}_copy-synthesis")
        recording = self.folder / f"{name}_input.wav"
        if not (there := self._is_there(recording, wave)) or self.overwrite:
            yield self._write(recording, wave)
        if not (there and copy.exists()) or self.overwrite:
            yield self._write(copy, source.sound(source.spectrogram, self.phase, self.band))
        for target in targets:
            s = self.run.generate(source.spectrogram, **target, statistics=self.statistics)
            result = self._result(name, target)
            yield self._write(result, source.sound(s, self.phase, self.band))
            if self.figure:
                x, y = source.inner(source.spectrogram), source.inner(s)
                words = ", ".join(filter(None, target.values())) or "no label"
                title = f"{path.name} to {words}\n{self.run.exp.id}, iteration {self.run.iteration}"
                rows, labels = [[x], [y], [y - x]], ["input", "output", "difference"]
                figure = draw_spectrograms(rows, [title], self.run.exp.audio, labels, difference=True)
                yield save_figure(figure, result.with_suffix(".png"))

    def _result(self, name: str, target: Labels) -> Path:
        title = file_name("_".join(filter(None, target.values()))) or "unlabelled"
        words = ["clip-statistics"] if self.statistics == "clip" else []
        words += [f"iteration-{self.run.iteration}"] if self.name_iteration else []
        return self._path(f"{name}_to_{title}", *words)

    def _path(self, stem: str, *words: str) -> Path:
        phase = ["source-phase"] if self.phase == "source" else []
        band = ["source-band"] if self.band == "source" else []
        return self.folder / ("_".join([stem, *phase, *band, *words]) + ".wav")

    def _is_there(self, recording: Path, wave: Array) -> bool:
        if not recording.exists():
            return False
        try:
            found = read_waveform(recording, self.run.exp.audio.sample_rate)
        except AudioFileError:
            found = wave[:0]
        scaled = wave / max(1, np.abs(wave).max(initial=0))  # as `write_wav` does
        if found.shape != wave.shape or not np.allclose(found, scaled, rtol=0, atol=1e-4):
            raise UserError(
                f"{recording} is another recording, beside what was made of it; choose another folder"
            )
        return True

    def _write(self, path: Path, wave: Array) -> Path:
        write_wav(path, wave, self.run.exp.audio.sample_rate)
        return path
