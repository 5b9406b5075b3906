"""Whether starvox and the peer compute the same; nothing is timed before it has passed."""

import sys
from pathlib import Path

from benchmarks.prepare import open_prepared
from starvox.corpus import CropDataset


def run(job) -> dict[str, float]:
    import torch

    from benchmarks.check import TOLERANCE, compare_small

    torch.set_num_threads(job.threads)
    exp, corpus, encoder = open_prepared(Path(job.folder))
    found = compare_small(exp, CropDataset(corpus, encoder))
    worst = max(found, key=lambda what: found[what].ours)
    if not found[worst].ours < TOLERANCE:
        sys.exit(f"starvox and the peer do not compute the same: {worst} is off by {found[worst].ours:.1e}")
    return {worst: found[worst].ours}
