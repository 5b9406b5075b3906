"""Draws the losses of D and G of one run or several, by hand.

Usage: .venv/bin/python scripts/plot_log.py RUN...

RUN is a results folder, or the log in it. Writes losses.png in the current folder.
The record's own five figures are `starvox plot`, or `starvox.plotting.plot_curves`.
"""

import sys

from matplotlib.figure import Figure

from starvox.plotting import read_log

figure = Figure(layout="constrained")
ax = figure.add_subplot(xlabel="iteration", ylabel="loss")
for run in sys.argv[1:] or sys.exit(__doc__):
    log = read_log(run)
    ax.plot(log["iteration"], log["dis/loss"], label=f"{run}, D")
    ax.plot(log["iteration"], log["gen/loss"], label=f"{run}, G")
ax.legend()
figure.savefig("losses.png")
