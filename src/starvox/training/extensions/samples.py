"""What the generator does to fixed held-out clips, to look at and to hear."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import chainer
import numpy as np
from chainer.training import Extension, Trainer

from starvox.audio import write_wav
from starvox.audio.source import Array, Source
from starvox.config import Audio
from starvox.files import file_name
from starvox.plotting import draw_spectrograms, save_figure
from starvox.run.run import Run


class Voice(NamedTuple):
    """A target of conversion: what to call it, and its input labels (float32)."""

    title: str
    c: np.ndarray


class SampleClip(NamedTuple):
    """A clip to convert: its crop (crop_samples,) float32, and the voice it has."""

    crop: np.ndarray
    voice: Voice


class Samples(Extension):
    """Writes a figure and sounds of fixed clips to ``samples/iter_N``.

    For each clip: the input, its conversion to every target, and the
    reconstruction (there and back, to the first target), made as replay makes them: with
    the running statistics, mirrored ends, at the level of the input. The sounds have the input's
    phase, so that Griffin-Lim's artefacts are not taken for the model's. Beside
    the input as it was recorded lies its copy-synthesis, made the same way
    without the network, for a fair comparison.

    Args:
        gen (Generator): on any device.
        clips (list of SampleClip): what to convert.
        targets (list of Voice): what to convert it to; their titles differ.
        audio: the experiment's table ``audio``.
        multiple (int): of which the number of frames is one; 2^depth of the generator.
        check: raises if the results folder is no longer this training's.
    """

    def __init__(
        self,
        gen: chainer.Link,
        clips: list[SampleClip],
        targets: list[Voice],
        audio: Audio,
        multiple: int,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._check = check
        self._gen = gen
        self._clips = clips
        self._targets = targets
        self._audio = audio
        self._sources = [Source(clip.crop, audio, multiple) for clip in clips]

    def __call__(self, trainer: Trainer) -> None:
        columns = self._convert()
        run = Run(trainer.out)
        folder = run.inside(run.samples(trainer.updater.iteration))
        labels = [f"{number}: {clip.voice.title}" for number, clip in enumerate(self._clips, 1)]
        rows = [
            [source.inner(s) for s in row]
            for source, row in zip(self._sources, zip(*columns.values(), strict=True), strict=True)
        ]
        figure = draw_spectrograms(rows, list(columns), self._audio, labels)
        self._check()  # the conversion takes its time
        save_figure(figure, folder / "spectrograms.png")
        sounds = {"input": [clip.crop for clip in self._clips]}
        for column, outputs in columns.items():
            title = "copy-synthesis" if column == "input" else column
            pairs = zip(self._sources, outputs, strict=True)
            sounds[title] = [source.sound(s, "source") for source, s in pairs]
        for name, waves in zip(_file_names(sounds), sounds.values(), strict=True):
            for label, wave in zip(labels, waves, strict=True):
                self._check()
                write_wav(folder / f"{file_name(label)}_{name}.wav", wave, self._audio.sample_rate)

    def _convert(self) -> dict[str, Array]:
        """Returns title -> (clips, bins, frames) float32, for every column of the figure."""
        own = np.stack([clip.voice.c for clip in self._clips])
        columns = {"input": np.stack([source.spectrogram for source in self._sources])}
        for target in self._targets:
            c = np.broadcast_to(target.c, own.shape)
            columns[f"to {target.title}"] = self._generate(columns["input"], c)
        there = columns[f"to {self._targets[0].title}"]
        return columns | {"reconstruction": self._generate(there, own)}

    def _generate(self, s: Array, c: Array) -> Array:
        device = self._gen.device
        with chainer.using_config("train", False), chainer.no_backprop_mode():
            y = self._gen(device.send(s[:, None]), device.send(np.ascontiguousarray(c)))
        return chainer.get_device("@numpy").send(y.array)[:, 0]


def _file_names(titles: Iterable[str]) -> list[str]:
    """Returns a file name for each title; where several give one, the later ones get a number."""
    names: dict[str, str] = {}  # as a file system compares them -> as they are written
    for title in titles:
        name, number = file_name(title), 1
        while name.casefold() in names:
            number += 1
            name = f"{file_name(title)}_{number}"
        names[name.casefold()] = name
    return list(names.values())
