"""What all processes of a benchmark read: the experiment, the corpus, and minibatches of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from starvox.config import Experiment, load_experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import find_device
from starvox.training.assemble import make_converter, make_prepare
from starvox.training.iterator import ClipIterator


def prepare(folder: Path, exp: Experiment, manifest: Path, store: Path) -> None:
    """Writes the experiment, where its clips are, and a minibatch A and B for each step of an iteration.

    Raises:
        UserError: if the clips cannot be used.
    """
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(exp.dumps(), encoding="utf-8")
    where = {"manifest": str(manifest), "store": str(store)}
    (folder / "corpus.json").write_text(json.dumps(where), encoding="utf-8")
    _, corpus, encoder = open_prepared(folder)
    with drawing(exp, CropDataset(corpus, encoder), find_device("cpu")) as pairs:
        minibatches = [minibatch for pair in islice(pairs, exp.training.n_dis + 1) for minibatch in pair]
    columns = zip("xct", zip(*minibatches, strict=True), strict=True)
    np.savez(folder / "minibatches.npz", **{name: np.stack(column) for name, column in columns})


def open_prepared(folder: Path) -> tuple[Experiment, Corpus, LabelEncoder]:
    """Opens what `prepare` wrote."""
    exp = load_experiment(folder / "config.json")
    where = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    corpus = Corpus.open(where["manifest"], exp.audio, where["store"])
    return exp, corpus, LabelEncoder.from_clips(corpus.clips, exp.labels.model_dump())


@contextmanager
def drawing(exp: Experiment, dataset: CropDataset, device, seed: int = 0) -> Iterator[Iterator[list]]:
    """Gives an iterator of what the updater of that seed draws: [A, B], each (x, c, t) on the device."""
    prepare_batch = make_prepare(exp.audio, device)
    iterators = ClipIterator.pair(dataset, exp.training.batchsize, seed, prepare=prepare_batch)
    convert = make_converter(exp.audio)

    def draw():
        while True:
            yield [convert(iterators[name].next(), device) for name in ("main", "orig")]

    try:
        yield draw()
    finally:
        for iterator in iterators.values():
            iterator.finalize()
