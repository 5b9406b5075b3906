"""``starvox replay``."""

import argparse
import sys
from pathlib import Path

from starvox.commands.options import add_command, count
from starvox.commands.paths import run_folder, writable_folder
from starvox.errors import UserError


def add(commands: argparse._SubParsersAction) -> None:
    command = add_command(commands, "replay", "convert recordings with the generator of a run")
    command.add_argument("run_name", metavar="RUN", help="results folder, or the id of an experiment")
    command.add_argument(
        "inputs", nargs="+", metavar="WAV", help="sound files of any format, folders, or patterns 'in/*.wav'"
    )
    who = command.add_mutually_exclusive_group()
    who.add_argument("--speaker", metavar="NAME", help="whose voice (default: not labelled)")
    who.add_argument("--speakers", metavar="A,B", type=_names, help="several, each gives a result")
    who.add_argument("--all-speakers", action="store_true", help="every speaker of the training")
    command.add_argument("--birthplace", metavar="NAME", help="default: not labelled")
    command.add_argument("--sex", metavar="NAME", help="default: not labelled")
    command.add_argument(
        "--phase",
        choices=("griffin-lim", "source"),
        default="griffin-lim",
        # Measured on two short runs: the sound's spectrogram is 25 and 32 % off the network's with
        # Griffin-Lim, 43 and 55 % with the source's phase, which pulls it back to the input.
        help="one found for the result, or the input's: faster, but pulls the sound towards the input "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--band",
        choices=("record", "source"),
        default="record",
        help="above 4 kHz: nothing, as the network sees, or the input's (default: %(default)s)",
    )
    command.add_argument(
        "--statistics",
        choices=("running", "clip"),
        default="running",
        help="of batch normalisation: the training's, or the recording's own (default: %(default)s)",
    )
    command.add_argument("--iteration", type=count, metavar="N", help="of the snapshot (default: the newest)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    command.add_argument("-o", "--out", type=Path, metavar="DIR", help="folder (default: RUN/replay)")
    command.add_argument("--no-figure", action="store_true", help="sounds alone")
    command.add_argument("--overwrite", action="store_true", help="replace results that are there")
    command.set_defaults(run=_run)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names between the commas, got {text!r}")
    return names


def _run(args: argparse.Namespace) -> None:
    from tqdm import tqdm

    from starvox.audio import AudioFileError
    from starvox.replay.files import FileReplay
    from starvox.replay.inputs import find_inputs
    from starvox.replay.replay import Replay
    from starvox.run.run import Run

    folder = run_folder(args.run_name)
    own = Run(writable_folder(folder))
    out = args.out or own.inside(own.replay)
    inputs = find_inputs(args.inputs, out)
    run = Replay.load(folder, args.iteration, args.device)
    speakers = run.speakers if args.all_speakers else args.speakers or [args.speaker]
    targets = [{"speaker": name, "birthplace": args.birthplace, "sex": args.sex} for name in speakers]
    names = {"name_iteration": args.iteration is not None, "overwrite": args.overwrite}
    sounds = {"phase": args.phase, "band": args.band, "statistics": args.statistics}
    replay = FileReplay(run, out, **sounds, **names, figure=not args.no_figure)
    replay.check(list(inputs), targets)
    if not any(targets[0].values()):
        print("no label is given: converting with every group unlabelled", file=sys.stderr)
    unused = []
    quiet = None if len(inputs) > 1 else True  # None: shown on a terminal
    for name, path in tqdm(inputs.items(), "replay", unit=" files", disable=quiet):
        try:
            for written in replay.convert(name, path, targets):
                tqdm.write(str(written))
        except AudioFileError as error:
            unused.append(f"{path}: {error}")
    if unused:
        more = f" (and {len(unused) - 1} more, of {len(inputs)} files)" if unused[1:] else ""
        raise UserError(f"{unused[0]}{more}; convert it to WAV or FLAC, or leave it out")
