"""Names of labels -> the vectors that the networks take and are trained on."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from unicodedata import normalize

import numpy as np
from pydantic import BaseModel

from starvox.corpus.manifest import Clip
from starvox.errors import UserError

GROUPS = ("speaker", "birthplace", "sex")


class _Classes(BaseModel):
    """What ``labels.json`` holds."""

    speaker: list[str]
    birthplace: list[str]
    sex: list[str]


@dataclass(frozen=True)
class LabelEncoder:
    """Encodes the labels of the three groups.

    Args:
        classes: group -> names of its classes, in the order of the vectors.
        sizes: group -> classes that the networks can hold; the record has
            1421, 53 and 2. Entries beyond the named classes are never 1.

    Raises:
        UserError: if a group has more classes than the networks can hold.
    """

    classes: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]
    _index: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        for group in GROUPS:
            needed, size = len(self.classes[group]), self.sizes[group]
            if needed > size:
                some = ", ".join(list(self.classes[group])[:5])
                raise UserError(
                    f"the corpus has {needed} classes of {group} ({some}{', ...' if needed > 5 else ''}), "
                    f"the networks hold {size}; if they are right, set labels.{group} = {needed} "
                    "in an experiment of your own"
                )
        index = {g: {normalize("NFC", n): i for i, n in enumerate(self.classes[g])} for g in GROUPS}
        object.__setattr__(self, "_index", index)

    @classmethod
    def from_clips(cls, clips: Iterable[Clip], sizes: Mapping[str, int]) -> "LabelEncoder":
        """Makes an encoder of the labels that ``clips`` have, sorted by name.

        Raises:
            UserError: if a group has more classes than ``sizes`` allows.
        """
        labels = [clip.labels for clip in clips]
        return cls({group: sorted({name for of in labels if (name := of[group])}) for group in GROUPS}, sizes)

    @classmethod
    def loads(cls, text: str, sizes: Mapping[str, int]) -> "LabelEncoder":
        """Reads what `dumps` wrote.

        Raises:
            UserError: if the text is something else, or does not fit ``sizes``.
        """
        try:
            return cls(_Classes.model_validate_json(text).model_dump(), sizes)
        except ValueError:
            raise UserError(
                f"labels.json: expected an object with lists of names {', '.join(GROUPS)}"
            ) from None

    def dumps(self) -> str:
        """Returns the JSON text of ``labels.json``: the names of the classes in order."""
        classes = {group: list(self.classes[group]) for group in GROUPS}
        return json.dumps(classes, ensure_ascii=False, indent=1) + "\n"

    @property
    def target_size(self) -> int:
        """Entries of `target`; the record's 1421 + 53 + 2 = 1476."""
        return sum(self.sizes[group] for group in GROUPS)

    @property
    def input_size(self) -> int:
        """Entries of `input`; the record's 1421 + 53 + 2 + 3 = 1479."""
        return self.target_size + len(GROUPS)

    def input(
        self, speaker: str | None = None, birthplace: str | None = None, sex: str | None = None
    ) -> np.ndarray:
        """Returns the label that goes into the generator.

        The one-hot vectors of the groups one after the other, then a flag for
        each group that is labelled. A group that is None is all 0.

        Returns:
            ndarray of shape (input_size,), float32, in {0, 1}.

        Raises:
            UserError: if a name is unknown; the message has the nearest ones.
        """
        c = np.zeros(self.input_size, np.float32)
        for flag, (start, _, index) in enumerate(self._places(speaker, birthplace, sex)):
            if index is not None:
                c[start + index] = c[self.target_size + flag] = 1
        return c

    def target(
        self, speaker: str | None = None, birthplace: str | None = None, sex: str | None = None
    ) -> np.ndarray:
        """Returns the label that the discriminator is trained on.

        The one-hot vectors of the groups one after the other. A group that is
        None is all -1, which the loss ignores.

        Returns:
            ndarray of shape (target_size,), int32, in {-1, 0, 1}.

        Raises:
            UserError: if a name is unknown; the message has the nearest ones.
        """
        t = np.zeros(self.target_size, np.int32)
        for start, stop, index in self._places(speaker, birthplace, sex):
            if index is None:
                t[start:stop] = -1
            else:
                t[start + index] = 1
        return t

    def without_unknown(self, clip: Clip) -> Clip:
        """Returns the clip with the labels that are no class here, a held-out stranger's, taken off."""
        unknown = [group for group, name in clip.labels.items() if name not in self._index[group]]
        nothing: dict[str, Any] = dict.fromkeys(unknown)
        return replace(clip, **nothing)

    def _places(self, *names: str | None) -> Iterator[tuple[int, int, int | None]]:
        """Yields where each group starts and stops, and the index of its name or None."""
        start = 0
        for group, name in zip(GROUPS, names, strict=True):
            index = None if name is None else self._index[group].get(normalize("NFC", name))
            if name is not None and index is None:
                raise UserError(f"no {group} {name!r}; {self._suggest(group, name)}")
            yield start, start + self.sizes[group], index
            start += self.sizes[group]

    def _suggest(self, group: str, name: str) -> str:
        known = self.classes[group]
        near = difflib.get_close_matches(name, known)
        if near:
            return f"the nearest: {', '.join(near)}"
        shown = ", ".join(known[:8]) or "none"
        return f"known: {shown}{f' and {len(known) - 8} more' if len(known) > 8 else ''}"
