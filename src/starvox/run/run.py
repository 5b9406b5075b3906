"""The results folder: every name in it, what it is read as, and when it is refused."""

import json
import re
import shutil
from pathlib import Path

from starvox import files
from starvox.config import Experiment, load_experiment
from starvox.corpus.labels import LabelEncoder
from starvox.errors import UserError
from starvox.run.environment import Environment
from starvox.run.lock import LOCK, is_held
from starvox.run.log import read_log

# what only a training writes, which holds the lock, and what others add
_OF_TRAINING = (
    r"(?:config|labels|environment)\.json|(?:rejected|clips)\.csv|log|(?:snapshot|gen)_iter_\d+\.npz"
)
_OWN = rf"{_OF_TRAINING}|curves|samples|replay|report\.html|evaluation_iter_\d+\.json"


class Run:
    """A results folder, which may still be empty or missing.

    Args:
        folder: its path.

    Attributes:
        folder, config, labels, environment, rejected, clips, log, curves, replay, report, sums (Path):
            the folder, and what lies in it; the methods give what there is one of for each iteration.
    """

    def __init__(self, folder: str | Path):
        self.folder = folder = Path(folder)
        self.config = folder / "config.json"
        self.labels = folder / "labels.json"
        self.environment = folder / "environment.json"
        self.rejected = folder / "rejected.csv"
        self.clips = folder / "clips.csv"
        self.log = folder / "log"
        self.curves = folder / "curves"
        self.replay = folder / "replay"
        self.report = folder / "report.html"
        self.sums = folder / "SHA256SUMS"

    def samples(self, iteration: int) -> Path:
        """Returns the folder of the samples of an iteration."""
        return self.folder / "samples" / f"iter_{iteration}"

    def snapshot(self, iteration: int) -> Path:
        """Returns the file to resume from."""
        return self.folder / f"snapshot_iter_{iteration}.npz"

    def generator(self, iteration: int) -> Path:
        """Returns the file to replay from."""
        return self.folder / f"gen_iter_{iteration}.npz"

    def evaluation(self, iteration: int) -> Path:
        """Returns the file of an evaluation."""
        return self.folder / f"evaluation_iter_{iteration}.json"

    def snapshots(self) -> dict[int, Path]:
        """Returns iteration -> file to resume from, in ascending order."""
        return self._find(r"snapshot_iter_(\d+)\.npz")

    def generators(self) -> dict[int, Path]:
        """Returns iteration -> file to replay from, in ascending order; a kept one has a hash in its name."""
        return self._find(r"gen_iter_(\d+)(?:-[0-9a-f]{8})?\.npz")

    def evaluations(self) -> dict[int, Path]:
        """Returns iteration -> file of an evaluation, in ascending order."""
        return self._find(r"evaluation_iter_(\d+)\.json")

    def inside(self, path: Path) -> Path:
        """Returns a path below the folder to write to.

        Raises:
            UserError: if a link on the way leads somewhere else.
        """
        for part in (path, *path.parents):
            if part == self.folder:
                break
            if part.is_symlink():
                raise UserError(f"{part} is a link, and what is written there lies elsewhere; remove it")
        return path

    def _find(self, pattern: str) -> dict[int, Path]:
        paths = self.folder.iterdir() if self.folder.is_dir() else ()
        found = {int(match[1]): path for path in paths if (match := re.fullmatch(pattern, path.name))}
        return dict(sorted(found.items()))

    def is_there(self) -> bool:
        """Returns whether a training has been configured in this folder."""
        return self.config.is_file()

    def is_kept(self) -> bool:
        """Returns whether this is a kept run, which nothing is written into."""
        return self.sums.is_file()

    def state(self) -> str:
        """Returns ``finished`` if all epochs are done, ``training`` if a process is at it, else ``stopped``.

        Raises:
            UserError: if ``config.json`` is missing or damaged.
        """
        if is_held(self.folder):
            return "training"
        try:
            epoch = read_log(self.folder)["epoch"][-1]
        except UserError:
            return "stopped"
        return "finished" if epoch >= self.experiment().training.epochs else "stopped"

    def experiment(self) -> Experiment:
        """Reads ``config.json``.

        Raises:
            UserError: if it is missing or damaged.
        """
        if not self.is_there():
            raise UserError(f"{self.folder} is no results folder: it has no config.json", self._mend())
        return load_experiment(self.config)

    def encoder(self, exp: Experiment) -> LabelEncoder:
        """Reads ``labels.json``.

        Raises:
            UserError: if it is missing, damaged, or does not fit the experiment.
        """
        try:
            return LabelEncoder.loads(files.read_text(self.labels), exp.labels.sizes)
        except OSError as error:
            raise UserError(
                f"{self.labels}: {error.strerror}; the label names of the run are in it"
            ) from None
        except UnicodeDecodeError:
            raise UserError(f"{self.labels}: not UTF-8; restore it, or train anew") from None
        except UserError as error:
            raise UserError(f"{self.folder}: {error}") from None

    def read_environment(self) -> Environment:
        """Reads ``environment.json``.

        Raises:
            UserError: if it is missing, or a value in it is none that a run writes.
        """
        try:
            values = json.loads(files.read_text(self.environment))
            return Environment.model_validate(values)
        except (OSError, ValueError, RecursionError):  # a ValidationError is a ValueError
            raise UserError(
                f"{self.environment}: missing or damaged, so there is no whole run", self._mend()
            ) from None

    def _mend(self) -> str:
        """Returns what mends that there is no run: one can be started in an empty folder alone."""
        return "out" if self.folder.is_dir() and any(self.folder.iterdir()) else "train"

    def write_environment(self, values: Environment) -> None:
        """Writes ``environment.json``."""
        known = values.model_dump(exclude_unset=True)
        files.write_text(self.environment, json.dumps(known, indent=2) + "\n")

    def refuse_if_changed(self, path: Path, same: bool, what: str) -> None:
        """Refuses to resume the run with something else than it was started with.

        Raises:
            UserError: unless ``same``; it names ``path``, the run's own record of ``what``.
        """
        if not same:
            raise UserError(
                f"{path}: {what} is not what this run was started with; restore it, or start anew elsewhere",
                "out",
            )

    def check_free(self, overwrite: bool) -> None:
        """Refuses to put a new run where something is, unless that is a run and may go.

        A run that was ended before its first iteration left nothing to keep, and is in nobody's way.
        A folder without the `environment.json` of a run, which is written first, is never touched.

        Raises:
            UserError: if a run, or anything else, is in the way.
        """
        first = (LOCK, self.environment.name)
        there = [path for path in self.folder.iterdir() if files.written_to(path) not in first]
        if not there and not self.environment.exists():
            return
        if not self._is_run():
            raise UserError(f"{self.folder} is not empty and not a run of starvox", "out")
        if not (overwrite or all(map(self._is_recorded, there))):
            resume = ["resume"] if self.snapshots() else []
            raise UserError(f"{self.folder} holds a run already", *resume, "overwrite", "out")

    def clear(self) -> None:
        """Removes an old run, but for what is not a run's."""
        # What makes it a run stays till the new one replaces it: a kill leaves no folder of unknown things.
        kept = (self.config.name, self.environment.name)
        own = [path for path in self.folder.iterdir() if re.fullmatch(_OWN, path.name)]
        for path in own:
            if path.name not in kept:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def remove_leftovers(self) -> None:
        """Removes what a killed training left half-written in its folder, which this process has locked."""
        files.remove_leftovers(self.folder, rf"{_OF_TRAINING}|(?:curves|samples)/.*")
        files.remove_leftovers(self.folder, f"(?:{_OWN})(?:/.*)?", seconds=3600)  # a replay may be writing

    def _is_recorded(self, path: Path) -> bool:
        """Returns whether a path in the folder is one of the files written before iteration 1."""
        recorded = (self.config, self.labels, self.rejected, self.clips)
        temporary = path.suffix == ".tmp" and re.fullmatch(_OF_TRAINING, files.written_to(path))
        return bool(path in recorded or temporary) and path.is_file() and not path.is_symlink()

    def _is_run(self) -> bool:
        """Returns whether a training has been started in this folder."""
        try:
            return self.read_environment().corpus is not None
        except UserError:
            return False
