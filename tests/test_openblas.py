"""Which kernels OpenBLAS takes."""

import os
import subprocess
import sys

import pytest

from starvox.openblas import choose_kernels

AVX512 = "flags : fpu avx2 avx512f avx512dq avx512cd avx512bw avx512vl"


@pytest.mark.parametrize(
    ("vendor", "flags", "given", "chosen"),
    [
        ("AuthenticAMD", AVX512, None, "SkylakeX"),
        ("AuthenticAMD", AVX512, "Zen", "Zen"),
        ("AuthenticAMD", "flags : fpu avx2", None, None),
        ("GenuineIntel", AVX512, None, None),
    ],
)
def test_amds_processors_with_avx512_get_its_kernels(vendor, flags, given, chosen, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_CORETYPE", given)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # what is chosen is for this test alone
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"vendor_id : {vendor}\n{flags}\n")
    choose_kernels(cpuinfo)
    assert os.environ.get("OPENBLAS_CORETYPE") == chosen


def test_a_system_without_the_description_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    choose_kernels(tmp_path / "none")
    assert not os.environ


def test_they_are_chosen_before_numpy_is_imported():
    code = (
        "import sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        assert name != 'numpy' or 'starvox.openblas' in sys.modules\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import starvox\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
