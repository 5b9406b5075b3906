"""The record's finding in numbers: does the generator copy, or answer to the labels?"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from starvox.corpus import Corpus
from starvox.device import find_device
from starvox.errors import UserError
from starvox.evaluation.evaluation_set import EvaluationSet
from starvox.evaluation.judge import Judge
from starvox.evaluation.measurement import measure
from starvox.files import read_text
from starvox.replay.networks import load_networks
from starvox.run.run import Run

DEFAULT_CROPS = 24


def evaluate(
    run_folder: str | Path,
    iterations: Iterable[int | None],
    manifest: str | Path,
    store_folder: str | Path,
    device: str = "cpu",
    crops: int | None = None,
    seed: int = 0,
    progress: bool = True,
    training: str | Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Measures what generators of a run do to the clips of a manifest.

    Every crop is given its own labels, those of two other voices (labels that
    occur together in the manifest), and labels that differ in one group alone.
    Batch normalisation uses its running statistics. What does not depend on the generator
    is computed once.

    Args:
        run_folder: a results folder, or a kept run.
        iterations: of the generators; None for the newest. An iteration without a snapshot to
            resume from has no D, and ``accuracy`` is None.
        manifest: of the clips, best such as the run was not trained on.
        store_folder: where decoded clips are kept.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        crops, seed: as of `EvaluationSet`; None for `DEFAULT_CROPS`.
        progress: show the time left, on a terminal.
        training: manifest of the clips that the run was trained on, to fit the judge
            on. Without it ``judge`` is None.

    Yields:
        dict: what ``evaluation_iter_N.json`` holds; docs/evaluation.md names its keys.

    Raises:
        UserError: if the run, a manifest or the device cannot be used.
    """
    snapshots = Run(run_folder).snapshots()
    clips = None
    for iteration in iterations:
        with_dis = bool(snapshots) if iteration is None else iteration in snapshots
        networks = load_networks(run_folder, iteration, with_dis)
        where = find_device(device)  # one that is not there is told before a corpus is decoded
        networks.gen.to_device(where)
        if networks.dis is not None:
            networks.dis.to_device(where)
        if clips is None:
            exp, encoder = networks.exp, networks.encoder
            judge = None
            if training:
                corpus = Corpus.open(training, exp.audio, store_folder, progress=progress)
                judge = Judge(corpus, encoder, seed)
            clips = EvaluationSet(
                exp, encoder, manifest, store_folder, crops or DEFAULT_CROPS, seed, judge, progress
            )
        yield measure(networks, clips, progress)


def read_evaluations(folder: Path) -> list[dict[str, Any]]:
    """Returns the evaluations in a folder, by iteration.

    Raises:
        UserError: if one of them is damaged.
    """
    found = []
    for path in Run(folder).evaluations().values():
        try:
            evaluation = json.loads(read_text(path))
            evaluation["judged_by"]["thresholds"]["min_target_share"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise UserError(f"{path}: damaged, or of an earlier version; remove it") from None
        found.append(evaluation)
    return found
