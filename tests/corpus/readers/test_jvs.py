from starvox.corpus.readers import read_jvs

GENDER = "speaker Male_or_Female minf0[Hz] maxf0[Hz]\njvs001 M 70 300\njvs002 F 120 500\n"


def unpack_jvs(unpack, text=GENDER):
    folders = [
        f"{speaker}/{style}"
        for speaker in ("jvs001", "jvs002")
        for style in ("parallel100", "nonpara30", "whisper10", "falset10")
    ]
    files = [
        f"{folder}/{name}"
        for folder in folders
        for name in ("wav24kHz16bit/A_001.wav", "transcripts_utf8.txt")
    ]
    return unpack(*files, texts={"gender_f0range.txt": text})


def test_leaves_out_the_voices_that_are_not_the_speakers_own(unpack, rows):
    reading = read_jvs(unpack_jvs(unpack))
    assert rows(reading) == [
        (f"{speaker}/{style}/wav24kHz16bit/A_001.wav", speaker, None, sex)
        for speaker, sex in (("jvs001", "M"), ("jvs002", "F"))
        for style in ("nonpara30", "parallel100")
    ]
    assert reading.notes == []


def test_all_styles(unpack):
    assert len(read_jvs(unpack_jvs(unpack), all_styles=True).clips) == 8


def test_a_malformed_line(unpack, complaint):
    root = unpack_jvs(unpack, GENDER + "jvs003 70 300\n")
    assert complaint(read_jvs, root).startswith(f"{root}/gender_f0range.txt:4: expected speaker, F or M,")
