"""StarGAN voice conversion, experiment 47c97768 (2019), in Chainer.

Importing it imports Chainer, with the repairs it needs, if Chainer is
installed; the names below are loaded when they are first used.
"""

import importlib
import os
import signal
import sys

if os.path.basename(sys.argv[0]) in ("-m", "starvox") and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
    # As a command: until `cli.main` there is nothing to lose, and Ctrl-C in an import would be a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from starvox import chainer_compat  # noqa: F401  (must come before any import of Chainer)

__version__ = "0.1.0"

_HOMES = {
    "Experiment": "starvox.config",
    "load_experiment": "starvox.config",
    "experiment_ids": "starvox.config",
    "UserError": "starvox.errors",
    "spectrogram": "starvox.audio",
    "griffin_lim": "starvox.audio",
    "read_waveform": "starvox.audio",
    "write_wav": "starvox.audio",
    "Corpus": "starvox.corpus",
    "LabelEncoder": "starvox.corpus",
    "build_models": "starvox.build",
    "train": "starvox.commands.train",
    "Replay": "starvox.replay.replay",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'starvox' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
