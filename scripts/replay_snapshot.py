"""Converts a recording to three voices with the newest snapshot of a run.

Usage: .venv/bin/python scripts/replay_snapshot.py RUN WAV

RUN is a results folder. Writes the three sounds in the current folder. `starvox replay`
does more: figures, copy-synthesis, many files.
"""

import sys

import starvox

if len(sys.argv) != 3:
    sys.exit(__doc__)
run = starvox.Replay.load(sys.argv[1])
rate = run.exp.audio.sample_rate
wave = starvox.read_waveform(sys.argv[2], rate)  # float32, 16 kHz, mono
for number, speaker in enumerate(run.speakers[:3], 1):
    sound = run.convert(wave, speaker=speaker)  # as long as wave
    starvox.write_wav(f"converted_{number}.wav", sound, rate)
    print(f"converted_{number}.wav: {speaker}")
