"""Runs starvox as its command does, in a process that something is done to at a certain moment.

    python driver.py MOMENT argument ...

- ``writing``: the system kills the process in the middle of writing the first snapshot of the trainer.
- ``naming``: that snapshot is whole on the disk and waits to get its name, until the process is killed.
- ``opening``: the corpus is being opened, until a signal comes.
- ``slow``: every update takes at least 0.3 s, so that a fast machine is not at the end too soon.
"""

import os
import resource
import signal
import sys
import time

from starvox.cli import main
from starvox.corpus import Corpus
from starvox.training.updater import StarGANUpdater


def wait(*_, **__):
    print("now", flush=True)
    time.sleep(100)


def die_writing():
    # Beyond this size the kernel sends a signal that Python otherwise ignores.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def stop_naming():
    replace = os.replace

    def slow(source, target):
        if "snapshot_iter" in str(target):
            wait()
        replace(source, target)

    os.replace = slow


def stop_opening():
    Corpus.open = wait


def update_slowly():
    update = StarGANUpdater.update_core

    def slow(updater):
        time.sleep(0.3)
        update(updater)

    StarGANUpdater.update_core = slow


if __name__ == "__main__":
    moments = {"writing": die_writing, "naming": stop_naming, "opening": stop_opening, "slow": update_slowly}
    moments[sys.argv[1]]()
    sys.exit(main(sys.argv[2:]))
