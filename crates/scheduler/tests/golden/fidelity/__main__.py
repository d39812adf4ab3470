"""Draws configurations of other libraries' schedulers, translates each into a document of ours as
docs/book/src/migration.md says, and writes it with the rates that the library's own code gives.

    pip install optax==0.2.8 timm==1.0.31 transformers==5.24.0 keras==3.15.1 torch==2.15.0 composer==0.32.1 \
        ai2-olmo-core==3.0.0 torchtitan==0.3.0 megatron-core==0.16.1 deepspeed==0.19.8 levanter==1.1 \
        pytorch_optimizer==4.1.0 fairseq==0.12.2 fastai==2.8.12
    python tests/golden/fidelity [LIBRARY ...] [--seed N] [--into FOLDER]

writes LIBRARY.json beside this file or into another folder, for every library if none is named. Another seed
draws other configurations; they are drawn from the whole range that a library accepts, edges included. Then

    cargo run --example fidelity [-- FOLDER]

compares, and writes docs/book/src/fidelity.md if no other folder is given. Everything is computed in float64.

Where a package cannot be installed as a whole, its folder can be given instead, unpacked from the wheel:
FIDELITY_PACKAGES=/folder, with /folder/timm/timm and so on. Schedulers are plain Python; what they import
and do not need for a rate is left empty then, see stand_ins.py.
"""

import argparse
import importlib
import os
import warnings
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

LIBRARIES = [
    "pytorch",
    "optax",
    "timm",
    "transformers",
    "keras",
    "composer",
    "olmo_core",
    "torchtitan",
    "megatron_core",
    "deepspeed",
    "levanter",
    "pytorch_optimizer",
    "fairseq",
    "fastai",
    "papers",
]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("libraries", nargs="*", default=LIBRARIES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    for library in options.libraries:
        cases = importlib.import_module(f"of_{library}").cases(options.seed)
        cases.write(library, options.seed, options.into)
