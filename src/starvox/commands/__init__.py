"""The commands, one a file: each has ``add(commands)``, which says what it takes and what it calls.

What a command computes with is imported when it runs: ``--help`` and ``show``
do not wait for librosa and matplotlib.
"""

from starvox.commands import (
    compare,
    data,
    evaluate,
    keep,
    list_runs,
    manifest,
    plot,
    replay,
    report,
    show,
    train,
)

COMMANDS = (train, show, data, plot, replay, evaluate, keep, report, list_runs, compare, manifest)
