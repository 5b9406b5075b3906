"""Public corpora as they are unpacked -> clips and labels for a manifest.

Each reader takes the corpus's folder and tells what the corpus tells; a label
that it does not tell stays None.
"""

from starvox.corpus.readers.common_voice import read_common_voice
from starvox.corpus.readers.jvs import read_jvs
from starvox.corpus.readers.layout import Reading
from starvox.corpus.readers.librispeech import read_librispeech
from starvox.corpus.readers.vctk import read_vctk

__all__ = [
    "Reading",
    "read_common_voice",
    "read_jvs",
    "read_librispeech",
    "read_vctk",
]
