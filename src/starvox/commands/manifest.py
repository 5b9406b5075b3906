"""``starvox manifest``."""

import argparse
from fractions import Fraction
from pathlib import Path

from starvox.commands.options import add_command
from starvox.errors import UserError

_CORPORA = {
    "vctk": "read_vctk",
    "commonvoice": "read_common_voice",
    "librispeech": "read_librispeech",
    "jvs": "read_jvs",
}


def add(commands) -> None:
    command = add_command(commands, "manifest", "list the clips and labels of a known corpus as a manifest")
    command.add_argument(
        "corpus", choices=_CORPORA, help="which corpus (data/README.md says how each is read)"
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="the unpacked corpus")
    command.add_argument(
        "-o", "--out", type=Path, required=True, metavar="CSV", help="the manifest of the training clips"
    )
    command.add_argument(
        "--held-out", type=Path, metavar="CSV", help="a manifest of clips to keep apart from training"
    )
    command.add_argument(
        "--held-out-share",
        type=_share,
        default=Fraction(1, 10),
        metavar="S",
        help="of each speaker's clips (default: 0.1, every tenth)",
    )
    command.add_argument(
        "--all-styles", action="store_true", help="jvs: also the whispered and the falsetto clips"
    )
    command.add_argument("--overwrite", action="store_true", help="replace manifests that are there")
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.corpus import hold_out, readers, write_manifest

    _check(args)
    options = {"all_styles": True} if args.all_styles else {}
    clips, notes = getattr(readers, _CORPORA[args.corpus])(args.folder.resolve(), **options)
    parts = {args.out: clips}
    if args.held_out:
        parts[args.out], parts[args.held_out] = hold_out(clips, args.held_out_share)
    for path, part in parts.items():
        write_manifest(path, part)
        print(f"{path}: {_count(part)}")
    for note in notes:
        print(f"note: {note}")


def _check(args) -> None:
    if args.all_styles and args.corpus != "jvs":
        raise UserError(f"--all-styles is for jvs, not for {args.corpus}; leave it out")
    if args.held_out and args.held_out.resolve() == args.out.resolve():
        raise UserError(f"{args.out}: --out and --held-out are the same file; name two")
    for path in filter(None, (args.out, args.held_out)):
        if path.exists() and not args.overwrite:
            raise UserError(f"{path} is there already; choose another file, or give --overwrite")


def _count(clips) -> str:
    words = [f"{len(clips)} clips"]
    for group, many in (("speaker", "speakers"), ("birthplace", "birthplaces"), ("sex", "sexes")):
        labels = [clip.labels[group] for clip in clips]
        count = len(set(labels) - {None})
        missing = labels.count(None)
        unlabelled = f" ({missing} clips not labelled)" if missing else ""
        words.append(f"{count} {group if count == 1 else many}{unlabelled}")
    return ", ".join(words)


def _share(text: str) -> Fraction:
    """Reads a number between 0 and 1, exactly: 0.1 is every tenth clip."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, got {text!r}")
    return value
