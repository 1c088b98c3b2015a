#!/usr/bin/env python3
"""Prints the krew manifest of a release: krew.py REPOSITORY DIRECTORY. REPOSITORY is owner/name on GitHub; DIRECTORY has the archives and checksums.txt.

Krew installs the program as `kubectl bucket-encryption`.
"""
import json
import pathlib
import re
import sys

repository, directory = sys.argv[1], pathlib.Path(sys.argv[2])
checksums = dict(reversed(line.split()) for line in (directory / "checksums.txt").read_text(encoding="utf-8").splitlines())
platforms, versions = [], set()
for name, checksum in sorted(checksums.items()):
    match = re.fullmatch(r"bucket-encryption-operator_(.+)_(linux|darwin|windows)_(amd64|arm64)\.(tar\.gz|zip)", name)
    if not match:
        continue
    version, system, architecture, _ = match.groups()
    versions.add(version)
    platforms.append({
        "selector": {"matchLabels": {"os": system, "arch": architecture}},
        "uri": f"https://github.com/{repository}/releases/download/v{version}/{name}",
        "sha256": checksum,
        "bin": "bucket-encryption-operator" + (".exe" if system == "windows" else ""),
    })
if len(versions) != 1:
    sys.exit(f"{directory}/checksums.txt: archives of one version are needed, found {sorted(versions)}")
# JSON is YAML, and quotes what needs it.
print(json.dumps({
    "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
    "kind": "Plugin",
    "metadata": {"name": "bucket-encryption"},
    "spec": {
        "version": "v" + versions.pop(),
        "homepage": f"https://github.com/{repository}",
        "shortDescription": "Read and set the default encryption of buckets",
        "description": "Reads and sets the default server-side encryption of object store buckets (Alibaba Cloud OSS, Huawei Cloud OBS, JD Cloud OSS, S3),\n"
                       "with the same code as the Bucket Encryption Operator, which keeps it as declared.\n",
        "platforms": platforms,
    },
}, indent=2, ensure_ascii=False))
