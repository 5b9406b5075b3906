"""Labelled speech: manifest -> stored waveforms -> crops and labels. No Chainer."""

from starvox.corpus.corpus import Corpus
from starvox.corpus.crops import usable_starts
from starvox.corpus.dataset import CropDataset, Example
from starvox.corpus.labels import GROUPS, LabelEncoder
from starvox.corpus.manifest import Clip, hold_out, read_manifest, write_manifest
from starvox.corpus.store import WaveformStore

__all__ = [
    "GROUPS",
    "Clip",
    "Corpus",
    "CropDataset",
    "Example",
    "LabelEncoder",
    "WaveformStore",
    "hold_out",
    "read_manifest",
    "usable_starts",
    "write_manifest",
]
