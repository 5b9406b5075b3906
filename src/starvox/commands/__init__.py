"""The commands, one a file: each has ``add(commands)``, which says what it takes and what it calls.

What a command computes with is imported when it runs, so that ``--help`` and a
command that needs no network do not wait for what they do not use.
"""

from starvox.commands import data, plot, show, train

COMMANDS = (train, show, data, plot)
