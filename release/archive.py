#!/usr/bin/env python3
"""Packs the program for one platform: archive.py DIRECTORY OS ARCHITECTURE PROGRAM. Prints the path of the archive.

OS is linux, darwin or windows, ARCHITECTURE amd64 or arm64. The archive holds the program under its own name, and the licence: as tar.gz, for Windows as zip.
The same program gives the same archive, byte for byte: times, owners and modes are fixed.
"""
import gzip
import io
import pathlib
import subprocess
import sys
import tarfile
import zipfile

NAME = "bucket-encryption-operator"
SINCE_1980 = (1980, 1, 1, 0, 0, 0)
root = pathlib.Path(__file__).resolve().parent.parent
directory, system, architecture, program = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
version = subprocess.run(["bash", root / "release/version.sh"], capture_output=True, text=True, check=True).stdout.strip()
members = [(NAME + (".exe" if system == "windows" else ""), program.read_bytes(), 0o755), ("LICENSE", (root / "LICENSE").read_bytes(), 0o644)]
archive = directory / f"{NAME}_{version}_{system}_{architecture}.{'zip' if system == 'windows' else 'tar.gz'}"
directory.mkdir(parents=True, exist_ok=True)
if system == "windows":
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content, mode in members:
            entry = zipfile.ZipInfo(name, SINCE_1980)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, mode << 16, 3
            out.writestr(entry, content)
else:
    with open(archive, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as out:
        for name, content, mode in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            out.addfile(entry, io.BytesIO(content))
print(archive.as_posix())
