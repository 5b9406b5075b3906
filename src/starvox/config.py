"""An experiment: TOML files with one parent each, validated and frozen."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from starvox.errors import UserError
from starvox.files import read_text

ROOT = "47c97768"  # the experiment that every other one extends
SET = "--set"  # the source of a value that was given for one run alone

# Far above any use; with more a computation would run out of memory, or not end.
MAX_COUNT = 1_000_000  # of anything that is counted
MAX_BYTES = 1_000_000  # of a configuration file
MAX_DEPTH = 16  # halvings of a map

Positive = Annotated[int, Field(gt=0, le=MAX_COUNT)]
NotNegative = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Depth = Annotated[int, Field(gt=0, le=MAX_DEPTH)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Average = Annotated[float, Field(ge=0, lt=1)]  # how much of a running mean stays
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Initializer = Literal["lecun_normal", "he_normal", "glorot_uniform"]


def _odd(side: int) -> int:
    if side % 2 == 0:
        raise ValueError("must be odd, so that the map keeps its size")
    return side


Side = Annotated[int, Field(gt=0), AfterValidator(_odd)]
Kernel = Annotated[tuple[Side, Side], Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Audio(_Table):
    """How a waveform becomes a spectrogram; see experiments/47c97768/config.toml."""

    sample_rate: Positive
    crop_samples: Annotated[int, Field(gt=0, le=1000 * MAX_COUNT)]
    n_fft: Annotated[int, Field(gt=0, le=MAX_COUNT, multiple_of=2)]
    hop_length: Positive
    window: Literal["hamming"]
    window_periodic: bool
    normalization: Literal["min-max", "peak"]
    silence_rms: Annotated[float, Field(gt=0, le=1)]
    max_redraws: NotNegative
    spectrum: Literal["magnitude", "power"]
    first_bin: NotNegative
    bins: Positive
    frames: Positive
    floor: Annotated[float, Field(gt=0, lt=1)]


class Labels(_Table):
    """How many classes of each group the networks can hold, and what training hides of them."""

    speaker: Positive
    birthplace: Positive
    sex: Positive
    drop_probability: Share

    @property
    def sizes(self) -> dict[str, int]:
        """Group -> classes, in the order of the label vectors."""
        return self.model_dump(exclude={"drop_probability"})


class Generator(_Table):
    """The shape of G."""

    labels: Literal["merge", "conditional"]
    filters: Positive
    depth: Depth
    blocks: Annotated[int, Field(gt=0, le=1000)]
    block_convolutions: Literal[1, 2]
    merge_kernel: Kernel
    block_kernel: Kernel
    normalization: Literal["batch", "instance"]
    bn_decay: Share
    bn_eps: PositiveFloat
    statistics: Literal["every forward", "generator steps"]
    initializer: Initializer


class Discriminator(_Table):
    """The shape of D."""

    filters: Positive
    layers: Depth
    time_layers: Annotated[int, Field(ge=0, le=MAX_DEPTH)]
    slope: Annotated[float, Field(ge=0, lt=1)]
    class_kernel: Positive
    class_pad: NotNegative
    initializer: Initializer


class Loss(_Table):
    """Which losses are taken of what, and their weights."""

    classify: Literal["x_fake", "x_real"]
    penalty: Literal["x_orig", "x_real"]
    penalty_output: Literal["sum", "mean"]
    classification_reduction: Literal["mean", "sum", "softmax"]
    classification_weight: Weight
    gradient_penalty_weight: Weight
    reconstruction_weight: Weight
    identity_weight: Weight
    identity_iterations: NotNegative
    feature_matching_weight: Weight


class Training(_Table):
    """The optimizer and the schedule."""

    optimizer: Literal["rmsprop", "adam"]
    learning_rate: PositiveFloat
    learning_rate_factor: PositiveFloat
    learning_rate_epochs: Positive
    rmsprop_alpha: Average
    rmsprop_eps: PositiveFloat
    adam_beta1: Average
    adam_beta2: Average
    adam_eps: PositiveFloat
    batchsize: Positive
    epochs: Positive
    n_dis: Positive
    minibatch: Literal["step", "iteration"]


class Experiment(_Table):
    """A validated, frozen experiment.

    Attributes:
        id (str): its folder below ``experiments/``, for example ``47c97768`` or ``ladder/drawn``.
        sources (dict): dotted key -> the file that set it, or `SET`.
    """

    title: str
    audio: Audio
    labels: Labels
    generator: Generator
    discriminator: Discriminator
    loss: Loss
    training: Training
    _id: str = PrivateAttr(default="")
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Experiment {self.id}: {self.title}>"

    __str__ = __repr__

    @property
    def id(self) -> str:
        return self._id

    @property
    def sources(self) -> dict[str, str]:
        return self._sources

    def flatten(self) -> dict[str, Any]:
        """Returns dotted key -> value, in the order of the configuration file."""
        return _flatten(self.model_dump(mode="json"))

    def dumps(self) -> str:
        """Returns the JSON text of ``config.json``, which `load_experiment` reads."""
        head = {"id": self.id, "set": list(self.changes())}
        return json.dumps(head | self.model_dump(mode="json"), indent=2) + "\n"

    def changes(self) -> dict[str, Any]:
        """Returns dotted key -> value of what was set for one run."""
        return {key: value for key, value in self.flatten().items() if self.sources.get(key) == SET}


def load_experiment(experiment: str | Path, changes: Mapping[str, Any] | None = None) -> Experiment:
    """Reads an experiment with its parents.

    A ``config.json`` that lacks a key, because the run is older than it, has the value of `ROOT`.

    Args:
        changes: dotted key -> value, for one run alone.
        experiment: an id (a folder of ``experiments/``), or the path of an
            experiment's folder, of its ``config.toml``, or of the
            ``config.json`` of a results folder.

    Raises:
        UserError: if there is no such experiment, or a key is unknown, missing
            or wrong; the message names the file and the dotted key.
    """
    path = _find(str(experiment))
    recorded: Any = []
    if path.suffix == ".json":
        own = _read(path, json.loads)
        name, recorded = own.pop("id", path.parent.name), own.pop("set", [])
        if not _is_id(name):  # it may lead out of a folder: results go to results/<id>
            raise UserError(f"{path}: id: expected the plain name of an experiment, got {name!r}")
        # The run may be older than a key: then it had what has become the root's value.
        layers = [(str(path), own), *_read_layers(_find(ROOT))]
    else:
        layers = _read_layers(path)
        name = _id_of(path)
    for key, value in (changes or {}).items():
        for part in reversed(key.split(".")):
            value = {part: value}
        layers.insert(0, (SET, value))
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for file, own in reversed(layers):
        values = _merge(values, own)
        sources |= dict.fromkeys(_flatten(own), file)
    try:
        result = Experiment.model_validate(values)
    except ValidationError as error:
        raise UserError(_explain(error, layers, path)) from None
    if isinstance(recorded, list):
        sources |= {key: SET for key in map(str, recorded) if key in sources}
    result._id, result._sources = name, sources
    _check_shapes(result, path)
    return result


def experiment_ids() -> list[str]:
    """Returns the ids that `load_experiment` knows, sorted."""
    found = {_id_of(p) for root in _roots() for p in root.rglob("config.toml")}
    return sorted(found)


def experiment_folder(name: str) -> Path | None:
    """Returns the folder of an experiment in ``experiments/``, or None if there is none of this id."""
    folders = (root / name for root in _roots() if _is_id(name))
    return next((folder for folder in folders if os.path.isfile(folder / "config.toml")), None)


def _roots() -> list[Path]:
    package = Path(__file__).resolve().parent  # in a checkout they lie beside src/, in a wheel inside
    return [Path.cwd() / "experiments", package.parents[1] / "experiments", package / "experiments"]


def _id_of(path: Path) -> str:
    """Returns the id of a ``config.toml``: its folder below ``experiments/``, elsewhere its folder's name."""
    folder = path.resolve().parent
    inside = (folder.relative_to(root) for root in map(Path.resolve, _roots()) if folder.is_relative_to(root))
    return next(map(Path.as_posix, inside), folder.name)


def _find(experiment: str) -> Path:
    given = Path(experiment)
    candidates = [given / "config.toml", given / "config.json", given]
    candidates += [root / experiment / "config.toml" for root in _roots()]
    for path in candidates:
        if experiment and os.path.isfile(path):
            return path
    known = ", ".join(experiment_ids()) or "none found; run from the project's folder"
    raise UserError(f"no experiment {experiment!r}; there are: {known}")


def _is_id(name: Any) -> bool:
    plain = isinstance(name, str) and name.isprintable() and "\\" not in name
    return plain and not {"", ".", ".."} & set(name.split("/"))


def _read(path: Path, parse) -> dict[str, Any]:
    try:
        values = parse(read_text(path, MAX_BYTES).removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except RecursionError:
        raise UserError(f"{path}: nested too deep; an experiment has tables of single values") from None
    except ValueError as error:  # not TOML, not JSON, or a number of thousands of digits
        raise UserError(f"{path}: {error}; mend it there") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give an experiment that can be read") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a table at the top")
    return values


def _read_layers(path: Path, children: tuple[Path, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    """Returns the names and the contents of ``path`` and its parents, the root's last."""
    if path in children:
        circle = " -> ".join(p.parent.name for p in (*children, path))
        raise UserError(f"{path}: `extends` goes in a circle: {circle}")
    own = _read(path, tomllib.loads)
    parent = own.pop("extends", None)
    if parent is None:
        return [(str(path), own)]
    if not isinstance(parent, str):
        raise UserError(f"{path}: extends: expected the id of one experiment, got {parent!r}")
    beside = path.resolve().parent.parent / parent / "config.toml"
    try:
        parent_path = beside if os.path.isfile(beside) else _find(parent)
    except UserError as error:
        raise UserError(f"{path}: extends: {error}") from None
    return [(str(path), own), *_read_layers(parent_path, (*children, path))]


def _merge(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    merged = dict(parent)
    for key, value in child.items():
        both = isinstance(value, dict) and isinstance(parent.get(key), dict)
        merged[key] = _merge(parent[key], value) if both else value
    return merged


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _explain(error: ValidationError, layers: list[tuple[str, dict[str, Any]]], path: Path) -> str:
    """Returns the first complaint as ``file: dotted.key: what to do``."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    # The key may be that of an array's element, or stand for a whole table.
    setters = (file for file, own in layers if any(_is_within(key, other) for other in _flatten(own)))
    setter = next(setters, str(path))
    if first["type"] == "missing":
        return f"{setter}: missing key {key}; add it, or extend an experiment that has it"
    if first["type"] == "extra_forbidden":
        known = [other for other in _flatten(layers[-1][1]) if other != key]  # the root has every key
        near = difflib.get_close_matches(key, known, n=1)
        return f"{setter}: unknown key {key}; " + (f"did you mean {near[0]}?" if near else "leave it out")
    got = repr(first["input"])
    got = got if len(got) < 80 else f"{got[:80]}..."
    return f"{setter}: {key}: {first['msg'][0].lower()}{first['msg'][1:]}, got {got}"


def _is_within(one: str, other: str) -> bool:
    """Returns whether one of two dotted keys is the other or lies below it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def _check_shapes(exp: Experiment, path: Path) -> None:
    """Refuses numbers that are each valid but do not fit together."""
    a, g, d = exp.audio, exp.generator, exp.discriminator
    samples = a.n_fft + (a.frames - 1) * a.hop_length
    step = 2**g.depth
    time_layers = min(d.time_layers, d.layers)
    last = (a.bins / 2**d.layers, a.frames / 2**time_layers)
    wrong = {
        "audio.crop_samples": a.crop_samples != samples
        and f"{a.frames} frames of {a.n_fft} every {a.hop_length} need {samples} samples",
        "audio.hop_length": a.hop_length > a.n_fft and f"must be no more than n_fft, {a.n_fft}",
        "audio.bins": a.first_bin + a.bins > a.n_fft // 2 + 1
        and f"bins {a.first_bin}..{a.first_bin + a.bins - 1} of at most {a.n_fft // 2}",
        "generator.depth": (a.bins % step or a.frames % step)
        and f"{a.bins} bins and {a.frames} frames are not both multiples of 2^depth = {step}",
        "discriminator.class_kernel": last != (d.class_kernel, d.class_kernel)
        and f"{d.layers} halvings of {a.bins} bins and {time_layers} of {a.frames} frames leave "
        f"{last[0]:g} x {last[1]:g}, which a kernel of {d.class_kernel} must cover exactly",
    }
    for key, reason in wrong.items():
        if reason:
            raise UserError(f"{path}: {key}: {reason}")
