"""``starvox manifest``."""

import pytest

from starvox.cli import main
from starvox.corpus import read_manifest


@pytest.fixture
def jvs(tmp_path, monkeypatch):
    """Ten clips of each of two speakers; the second one's sex is told."""
    monkeypatch.chdir(tmp_path)
    for speaker in ("jvs001", "jvs002"):
        folder = tmp_path / "jvs_ver1" / speaker / "parallel100/wav24kHz16bit"
        folder.mkdir(parents=True)
        for number in range(10):
            (folder / f"A_{number:03}.wav").touch()
    whisper = tmp_path / "jvs_ver1/jvs001/whisper10/wav24kHz16bit"
    whisper.mkdir(parents=True)
    (whisper / "W_001.wav").touch()
    (tmp_path / "jvs_ver1/gender_f0range.txt").write_text("speaker Male_or_Female\njvs002 F 120 500\n")
    return "jvs_ver1"


def test_counts_on_screen(jvs, capsys):
    assert main(["manifest", "jvs", jvs, "-o", "m.csv", "--held-out", "h.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "m.csv: 18 clips, 2 speakers, 0 birthplaces (18 clips not labelled), 1 sex (9 clips not labelled)",
        "h.csv: 2 clips, 2 speakers, 0 birthplaces (2 clips not labelled), 1 sex (1 clips not labelled)",
        "note: not in gender_f0range.txt, so labelled with the speaker only: jvs001",
    ]
    held_out = [clip.path.as_posix() for clip in read_manifest("h.csv")]
    assert held_out == [
        f"jvs_ver1/{name}/parallel100/wav24kHz16bit/A_009.wav" for name in ("jvs001", "jvs002")
    ]


def test_the_same_again_byte_for_byte_and_not_over_it_unless_asked(jvs, capsys, tmp_path):
    command = ["manifest", "jvs", jvs, "-o", "m.csv"]
    main(command)
    first = (tmp_path / "m.csv").read_bytes()
    assert main(command) == 2
    assert "m.csv is there already; choose another file, or give --overwrite\n" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert (tmp_path / "m.csv").read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jvs_ver1", "m.csv"]


def test_all_styles(jvs):
    main(["manifest", "jvs", jvs, "-o", "m.csv", "--all-styles"])
    assert len(read_manifest("m.csv")) == 21


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vctk", "jvs_ver1", "-o", "m.csv"], "no speaker-info.txt in it; VCTK is laid out as"),
        (["vctk", "jvs_ver1", "-o", "m.csv", "--all-styles"], "--all-styles is for jvs, not for vctk"),
        (["jvs", "jvs_ver1", "-o", "m.csv", "--held-out", "./m.csv"], "are the same file; name two"),
        (
            ["jvs", "jvs_ver1", "-o", "m.csv", "--held-out", "h.csv", "--held-out-share", "0.01"],
            "no speaker has",
        ),
        (["jvs", "jvs_ver1", "-o", "jvs_ver1/gender_f0range.txt/m.csv"], "cannot be written"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(jvs, arguments, message, capsys, tmp_path):
    assert main(["manifest", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["jvs_ver1"]


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "x", "1/0"])
def test_the_share_is_checked(jvs, share, capsys):
    with pytest.raises(SystemExit):
        main(["manifest", "jvs", jvs, "-o", "m.csv", "--held-out", "h.csv", "--held-out-share", share])
    assert "expected a number between 0 and 1" in capsys.readouterr().err
