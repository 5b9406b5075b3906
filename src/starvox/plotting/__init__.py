"""Figures: the record's curves from a log, and spectrograms side by side.

Needs matplotlib and numpy only, so that a log can be plotted where Chainer is
not installed. Nothing here uses pyplot or any other state shared with the
caller's own figures.
"""

from starvox.plotting.curves import CURVES, Curve, draw_curve, plot_curves
from starvox.plotting.evaluations import draw_evaluations
from starvox.plotting.files import save_figure
from starvox.plotting.spectrogram import draw_spectrograms
from starvox.run.log import LOG_KEYS, read_log

__all__ = ["CURVES", "LOG_KEYS", "Curve", "draw_curve", "draw_evaluations"]
__all__ += ["draw_spectrograms", "plot_curves", "read_log", "save_figure"]
