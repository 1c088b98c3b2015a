#!/usr/bin/env bash
# Does what .github/workflows/release.yaml does, as far as it can be done without registries and signatures: release/dry-run.sh AMD64-PROGRAM [ARM64-PROGRAM]
# The programs are those that were compiled for Linux (tests/tools/publish.sh amd64 and arm64); each is started from its archive, the other architecture's under qemu.
# The chart is pushed to a registry on this machine and pulled from it. What is made is in artifacts/release. The last line is "release: N passed, N failed"; the first failure ends it.
#
# Not done here, hence untried: the push of the image, cosign's signatures, GitHub's attestations and release, and the programs for macOS and Windows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly repository=example/bucket-encryption-operator image=ghcr.io/example/bucket-encryption-operator out=artifacts/release
readonly name=bucket-encryption-operator
[ $# -ge 1 ] || { echo "usage: release/dry-run.sh AMD64-PROGRAM [ARM64-PROGRAM]" >&2; exit 2; }
digest=sha256:$(printf 'no image was pushed' | sha256sum | cut -c1-64)
work=$(mktemp -d "${TMPDIR:-/tmp}/beo-release.XXXXXX")
passed=0
finish() {
  local code=$?
  trap - EXIT
  [ -z "${registry:-}" ] || { kill "$registry" && wait "$registry"; } 2>/dev/null || true
  rm -rf "$work"
  echo "release: $passed passed, $((code != 0)) failed"
  exit "$code"
}
trap finish EXIT
ok() { passed=$((passed + 1)); printf '    ok: %s\n' "$*"; }
die() { printf '    FAILED: %s\n' "$*"; exit 1; }
is() { [ "$2" = "$3" ] || die "$1: expected \"$3\", found \"$2\""; ok "$1"; }

rm -rf "$out"
mkdir -p "$out"
version=$(release/version.sh)
is "the tag must be the version" "$(release/version.sh "v$version" 2>&1)" "$version"
if release/version.sh v9.9.9 2>/dev/null; then die "a wrong tag was accepted"; fi
ok "a tag of another version is refused"
deploy/render.sh --check
ok "the version is the same everywhere, and what is rendered is up to date"

if ! release/notes.py "$version" >"$out/notes.md" 2>/dev/null; then
  release/notes.py Unreleased >"$out/notes.md"
  echo "    the changelog has no section of $version yet: these are the notes of the next release"
fi
ok "notes of $(wc -w <"$out/notes.md") words"

release/sbom.sh "$out/$name.cdx.json"
ok "SBOM"

architecture=amd64
for program in "$@"; do
  [ -x "$program" ] || die "no program: $program"
  archive=$(release/archive.py "$out" linux "$architecture" "$program")
  is "the same program gives the same archive" "$(release/archive.py "$work/again" linux "$architecture" "$program" | xargs sha256sum | cut -c1-64)" "$(sha256sum "$archive" | cut -c1-64)"
  mkdir "$work/$architecture"
  tar -xzf "$archive" -C "$work/$architecture"
  is "the archive has program and licence" "$(find "$work/$architecture" -type f -printf '%f %m\n' | sort | xargs)" "LICENSE 644 $name 755"
  start=("$work/$architecture/$name")
  case $architecture-$(uname -m) in
    amd64-x86_64 | arm64-aarch64) how=here ;;
    arm64-*)
      tests/tools/ensure.sh cross-aarch64-linux-gnu >/dev/null # has the libraries that the program is linked with
      how='under qemu' start=("$(tests/tools/ensure.sh qemu-user-static)" -L /usr/aarch64-linux-gnu "${start[@]}")
      ;;
    *) die "$architecture cannot be started on $(uname -m)" ;;
  esac
  is "the program for linux/$architecture starts $how" "$("${start[@]}" --version)" "$version"
  architecture=arm64
done
# What Windows gets is packed too, with another program in it.
release/archive.py "$work/windows" windows amd64 "$1" >/dev/null
is "an archive for Windows is a zip with an .exe" "$(python3 -m zipfile -l "$work/windows/${name}_${version}_windows_amd64.zip" | awk 'NR > 1 { print $1 }' | xargs)" "$name.exe LICENSE"

release/chart.py "$repository" "$image" "$digest" "$work/manifests"
for helm in helm3 helm4; do
  helm=$(tests/tools/ensure.sh "$helm")
  "$helm" lint --strict --quiet "$work/manifests/chart"
  "$helm" package "$work/manifests/chart" --destination "$out" >/dev/null
  is "the packaged chart installs the image by digest, with no value given ($("$helm" version --template '{{ .Version }}'))" \
    "$("$helm" template x "$out/$name-$version.tgz" --show-only templates/deployment.yaml | sed -n 's/^ *image: //p')" "$image:$version@$digest"
done
is "the chart's own version is the release's" "$("$helm" show chart "$out/$name-$version.tgz" | sed -n 's/^\(appV\|v\)ersion: //p' | sort -u | xargs)" "$version"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$work/registry" "$port" >"$work/registry.yaml"
"$(tests/tools/ensure.sh docker-registry)" serve "$work/registry.yaml" >"$work/registry.log" 2>&1 &
registry=$!
for _ in {1..100}; do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
for helm in helm3 helm4; do
  helm=$(tests/tools/ensure.sh "$helm")
  # As the workflow reads it.
  pushed=$("$helm" push "$out/$name-$version.tgz" "oci://127.0.0.1:$port/charts" --plain-http 2>&1 | sed -n 's/^Digest: //p')
  [[ $pushed =~ ^sha256:[0-9a-f]{64}$ ]] || die "helm push names no digest: $pushed"
  mkdir -p "$work/pulled"
  "$helm" pull "oci://127.0.0.1:$port/charts/$name" --version "$version" --plain-http --destination "$work/pulled" >/dev/null 2>&1
  is "the chart is pushed to a registry and pulled as it was ($("$helm" version --template '{{ .Version }}'))" \
    "$(sha256sum <"$work/pulled/$name-$version.tgz")" "$(sha256sum <"$out/$name-$version.tgz")"
done
cp "$work/manifests/install.yaml" "$work/manifests/crds.yaml" "$out/"
is "install.yaml has the image by digest" "$(sed -n 's/^ *image: //p' "$out/install.yaml" | sort -u)" "$image:$version@$digest"

(cd "$out" && sha256sum -- *.tar.gz *.tgz *.json install.yaml crds.yaml >checksums.txt && sha256sum --check --quiet checksums.txt)
ok "checksums of $(wc -l <"$out/checksums.txt") files"
release/krew.py "$repository" "$out" >"$out/bucket-encryption.yaml"
is "the krew manifest has each archive with its checksum" \
  "$("$(tests/tools/ensure.sh python3-yaml)" -c '
import sys, yaml
for p in yaml.safe_load(open(sys.argv[1]))["spec"]["platforms"]: print(p["sha256"], "", p["uri"].rsplit("/", 1)[1])' "$out/bucket-encryption.yaml")" \
  "$(grep -F .tar.gz "$out/checksums.txt")"
ls -l "$out"
