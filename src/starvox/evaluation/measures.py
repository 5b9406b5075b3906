"""The numbers of an evaluation by which runs are compared."""

from typing import Any, NamedTuple

from starvox.corpus.labels import GROUPS


class Measure(NamedTuple):
    """A number of an evaluation.

    Attributes:
        name: of the number.
        path: where it stands in ``evaluation_iter_N.json``, dotted.
        panel: of a figure, what its axis says.
        form: how it is written, as of `format`.
        limit: likewise, of the number that the verdict needs; "" for none.
        relative: whether it is divided by the distance of two different clips.
    """

    name: str
    path: str
    panel: str
    form: str
    limit: str = ""
    relative: bool = False

    def read(self, evaluation: dict[str, Any]) -> float | None:
        """Returns the number, or None where it was not measured."""
        value = look_up(evaluation, self.path)
        unit = evaluation["distances"]["different_clips"]["mean"] if self.relative else 1
        return None if value is None else value / unit


def look_up(evaluation: dict[str, Any], path: str) -> float | None:
    """Returns what stands at a dotted path, or None where there is nothing."""
    found: Any = evaluation
    for key in path.split("."):
        found = found and found.get(key)
    return found


_UNIT = "\n(1: the distance of two clips)"
_JUDGED = "conversions judged as the target\n(share)"
_WORDS, _D = "words kept\n(STOI; correlation)", "D names the right speaker\n(share)"
_NEEDS = "judged_by.thresholds."
_RESPONSE = ("change by the labels" + _UNIT, ".3f", _NEEDS + "min_response", True)
MEASURES = (
    Measure(
        "copy error", "judged_by.copy", "output from its input" + _UNIT, ".2f", _NEEDS + "max_copy_error"
    ),
    *(Measure(f"response: {group}", f"response.{group}.mean", *_RESPONSE) for group in GROUPS),
    Measure("judged as the target", "judged_by.target", _JUDGED, ".0%", _NEEDS + "min_target_share"),
    Measure("STOI", "judged_by.stoi.value", _WORDS, ".2f", "judged_by.stoi.needed"),
    Measure("energy", "judged_by.energy.value", _WORDS, ".2f", "judged_by.energy.needed"),
    Measure("D on real", "accuracy.speaker.real.mean", _D, ".0%"),
    Measure("D on converted", "accuracy.speaker.converted.mean", _D, ".0%"),
)
