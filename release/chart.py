#!/usr/bin/env python3
"""Writes the chart and the manifests of a release: chart.py REPOSITORY IMAGE DIGEST DIRECTORY

  REPOSITORY   owner/name on GitHub: where links lead
  IMAGE        the image without a tag, ghcr.io/owner/name
  DIGEST       sha256:…, of the image that this release has pushed
  DIRECTORY    gets chart/ (for `helm package`), install.yaml and crds.yaml

What a checkout cannot know is filled in: image and digest, so that the chart installs as it is; home, sources, icon and links; what the changelog says. Everything else
is as it is in the checkout. Fails when a place to fill in is not there once.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

repository, image, digest, directory = sys.argv[1], sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
root = pathlib.Path(__file__).resolve().parent.parent
CHART = "charts/bucket-encryption-operator"
if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
    sys.exit(f"not a digest: {digest}")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout.strip()


version = run("bash", root / "release/version.sh")
tree = f"https://github.com/{repository}/blob/v{version}"
raw = f"https://raw.githubusercontent.com/{repository}/v{version}"


def put(path, *pairs):
    """Replaces each text, which must be there once, and returns what becomes of the file."""
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        if text.count(old) != 1:
            sys.exit(f"{path}: {text.count(old)} times, and not once: {old!r}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return text


def notes():
    """The entries of this version's section in the changelog, or of the next one's, for Artifact Hub: kind and the first sentence."""
    try:
        text = run(sys.executable, root / "release/notes.py", version)
    except subprocess.CalledProcessError:
        text = run(sys.executable, root / "release/notes.py", "Unreleased")
    kind = None
    for line in re.sub(r"\n  +", " ", text).splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").lower()
        elif line.startswith("- ") and kind in ("added", "changed", "deprecated", "removed", "fixed", "security"):
            plain = re.sub(r"\[([^\]]+)\]\([^)]+\)|\*\*|`", lambda m: m[1] or "", line[2:])
            yield {"kind": kind, "description": re.split(r"(?<=\.) ", plain)[0].rstrip(".")}


chart = directory / "chart"
shutil.rmtree(chart, ignore_errors=True)
shutil.copytree(root / CHART, chart)
put(chart / "values.yaml",
    ('  # -- Repository of the image, without its tag. Required, because no image is published yet: build it with `make image` and push it to your registry.\n  repository: ""\n',
     f"  # -- Repository of the image, without its tag.\n  repository: {image}\n"),
    ('  digest: ""\n', f"  digest: {digest}\n"))
indented = "".join("    " + line + "\n" for line in "\n".join(f"- kind: {n['kind']}\n  description: {json.dumps(n['description'], ensure_ascii=False)}" for n in notes()).splitlines())
put(chart / "Chart.yaml",
    ("type: application\n", f"type: application\nhome: https://github.com/{repository}\nicon: {raw}/docs/icon.svg\nsources: [https://github.com/{repository}]\n"),
    ("annotations:\n", f"annotations:\n  artifacthub.io/images: |\n    - name: operator\n      image: {image}:{version}@{digest}\n"
     f"  artifacthub.io/links: |\n    - name: How to verify image and chart\n      url: {tree}/docs/verify.md\n  artifacthub.io/changes: |\n{indented}"))
run(sys.executable, root / "tests/chart/values_table.py", chart)
owner = image.rsplit("/", 1)[0]
readme = put(chart / "README.md",
             (f"helm install bucket-encryption-operator {CHART} --namespace bucket-encryption-operator --create-namespace \\\n"
              "  --set image.repository=registry.example.com/bucket-encryption-operator\n",
              f"helm install bucket-encryption-operator oci://{owner}/charts/bucket-encryption-operator --version {version} \\\n"
              "  --namespace bucket-encryption-operator --create-namespace\n"))
(chart / "README.md").write_text(readme.replace("](../../", f"]({tree}/"), encoding="utf-8")

install = (root / "deploy/install.yaml").read_text(encoding="utf-8")
placeholder = f"image: bucket-encryption-operator:{version}\n"
if install.count(placeholder) != 1:
    sys.exit(f"deploy/install.yaml: not once: {placeholder}")
(directory / "install.yaml").write_text(install.replace(placeholder, f"image: {image}:{version}@{digest}\n"), encoding="utf-8")
(directory / "crds.yaml").write_text("---\n".join(path.read_text(encoding="utf-8") for path in sorted((root / "crds").glob("*.yaml"))), encoding="utf-8")
print(f"chart, install.yaml and crds.yaml of {version}, with {image}@{digest}")
