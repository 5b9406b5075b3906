"""Synthetic corpora, made by eSpeak NG: the default one, and one of the record's shape."""

from starvox.corpus.demo.make import make_demo
from starvox.corpus.demo.parallel import is_synthetic, say_in_voice
from starvox.corpus.demo.speakers import SPEAKERS
from starvox.corpus.demo.table import CORPORA

__all__ = ["CORPORA", "SPEAKERS", "is_synthetic", "make_demo", "say_in_voice"]
