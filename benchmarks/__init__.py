"""`make bench`: the time and memory of training, features and replay, beside a plain PyTorch peer."""


def open_clips(exp, manifest: str, store: str) -> tuple:
    """Returns the clips of a manifest (CropDataset) and their labels (LabelEncoder)."""
    from starvox.corpus import Corpus, CropDataset, LabelEncoder  # the peer's processes import nothing of it

    corpus = Corpus.open(manifest, exp.audio, store)
    encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.model_dump())
    return CropDataset(corpus, encoder), encoder
