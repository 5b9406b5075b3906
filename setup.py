import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

# MPI itself is in mpich's wheels, for Linux and macOS: no root is needed.
MPI = ["mpi4py>=4.1,<5", "mpich>=5,<6"]
EVAL = ["pystoi>=0.4.1,<0.5"]  # whether the words of a conversion are kept
PYPERF = ["psutil>=6,<8", "pyperf>=2.8,<3"]  # measures in benchmarks/
VERSION = re.search(r'__version__ = "(.*)"', Path("src/starvox/__init__.py").read_text(encoding="utf-8"))[1]


class BuildWithExperiments(build_py):
    """Takes the experiments along, without their kept runs, for where only the package is installed."""

    def run(self):
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib, "starvox", "experiments")
            shutil.copytree("experiments", inside, ignore=shutil.ignore_patterns("runs"), dirs_exist_ok=True)


setup(
    name="starvox",
    version=VERSION,
    cmdclass={"build_py": BuildWithExperiments},
    description="StarGAN voice conversion 47c97768 (2019), reproduced in Chainer",
    license="MIT",
    python_requires=">=3.11,<3.14",
    package_dir={"": "src"},
    packages=find_packages("src"),
    package_data={
        "starvox": ["py.typed"],
        "starvox.corpus.demo": ["*.txt", "*.toml"],
        "starvox.kept": ["*.md"],
        "starvox.report": ["*.html"],
    },
    entry_points={"console_scripts": ["starvox = starvox.cli:main"]},
    # constraints.txt has the exact versions that were tested.
    install_requires=[
        "chainer==7.8.1",  # the last release; chainer_compat.py is written against it
        "espeakng-loader>=0.2.4,<0.3",  # bundles eSpeak NG and its voices: the default corpus
        "filelock>=4.2,<5",  # one maker of a corpus at a time; Chainer needs it too
        "jinja2>=3.1,<4",  # the report's page
        "librosa>=0.11,<1",
        "markdown-it-py>=4,<5",  # an experiment's README, with its tables, in the report
        "matplotlib>=3.9,<4",
        "numba>=0.61,<1",  # fast_cpu's loops; librosa needs it too
        "numpy>=2.4,<2.6",
        "pillow>=11,<14",  # the report's pictures; matplotlib needs it too
        "pydantic>=2.10,<3",
        "scikit-learn>=1.6,<2",  # the judge of conversions; librosa needs it too
        "soundfile>=0.13,<1",
        "soxr>=0.5,<2",  # resampling, block by block
        "threadpoolctl>=3.5,<4",  # holds BLAS to one thread: fast_cpu has its own
        "tqdm>=4.66,<5",
    ],
    extras_require={
        "cuda12": ["cupy-cuda12x[ctk]>=14,<15"],
        "cuda13": ["cupy-cuda13x[ctk]>=14,<15"],
        "eval": EVAL,
        "mpi": MPI,
        "nccl12": ["nvidia-nccl-cu12>=2.20,<3"],
        "nccl13": ["nvidia-nccl-cu13>=2.20,<3"],
        "test": [
            *(*MPI, *PYPERF, *EVAL, "hypothesis>=6.100,<7"),
            *("pytest>=8,<10", "pytest-xdist>=3.6,<4", "ruff>=0.14,<1", "mypy>=2,<3"),
            *("ipykernel>=6.29,<8", "nbclient>=0.10,<1"),  # run docs/notebook.ipynb
        ],
        "bench": [*PYPERF, "torch>=2.7,<3"],  # python -m benchmarks
    },
)
