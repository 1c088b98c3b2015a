#!/usr/bin/env bash
# Makes sure that the test API server is built, and prints the directory that holds `test-apiserver` and `etcd`.
#
#   bin=$(tests/apiserver/build.sh)
#   bin=$(tests/apiserver/build.sh --program DIR)    another Go program instead: the sources in DIR, built from the same packages into a file of DIR's name
#
# Progress goes to stderr. With nothing to do it returns in a few hundredths of a second.
# Needs Debian or a relative of it (apt-get, dpkg-deb), amd64, 3 GB of disk, and no root: Debian sid is only read, with lists and an unpacking
# root of our own; nothing is installed into the system.
#
# The cache is outside the checkout, so that all checkouts share it:
#   ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/apiserver/
#     bin/KEY/     the binaries and SHA256SUMS; KEY is a hash of this script, packages.lock and server/*.go, so a change never meets old binaries
#     bin-NAME/    the same for a program of that name
#     debs/        the Debian packages, each named by its SHA256
#     root/        those packages unpacked; root.stamp says from which packages, and with which files
#     gocache/     Go's build cache
#     resolved     the packages of the last build: those of packages.lock, or newer where sid has moved on
#     building/    a build under way; a dead attempt's is removed by the next one
# Everything in it is checked before it is used and made again when wrong; removing the whole directory is always safe.
# shellcheck disable=SC2317  # the steps are called through `attempt`, which shellcheck does not see
set -euo pipefail
source_dir=$([ "${1:-}" != --program ] || cd "${2:?usage: build.sh [--program DIR]}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
here=$PWD
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/apiserver
readonly here cache keep_builds=3 keep_unused_debs_days=30 lock_wait_seconds=1800

case ${1:-} in
  '') shelf=$cache/bin sources=(server/*.go) binaries=(test-apiserver etcd) program='' ;;
  --program)
    program=$(basename "$source_dir")
    shelf=$cache/bin-$program sources=("$source_dir"/*.go) binaries=("$program")
    ;;
  *) echo "usage: build.sh [--program DIR]" >&2; exit 2 ;;
esac
key=$(cat build.sh packages.lock "${sources[@]}" | sha256sum | cut -c1-16)
bin=$shelf/$key

say() { printf 'apiserver: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

# What the file system says about the binaries. It changes with every write, so that the hashes need to be checked only then.
seen() { (cd "$bin" && stat -c '%n %s %i %.9Y %.9Z' "${binaries[@]}" SHA256SUMS) 2>/dev/null; }

# True when the binaries are those that were built.
is_built() {
  local now
  now=$(seen) || return 1
  [ "$now" = "$(cat "$bin/.seen" 2>/dev/null)" ] && return 0
  [ "$(cd "$bin" && sha256sum "${binaries[@]}")" = "$(cat "$bin/SHA256SUMS")" ] || return 1
  echo "$now" >"$bin/.seen"
}

finish() {
  touch "$bin" # tells the sweep below which builds are in use
  echo "$bin"
  exit 0
}

# Runs a long step in sight: what it is, a sign of life every 30 s, how long it took. Leaves its exit code in attempt_code.
# (Not to be called in a condition: there bash would go on after the first error inside.)
attempt() {
  local what=$1 start=$SECONDS fd
  shift
  say "$what"
  ( # waits without a child of its own, so that nothing is left when it is ended
    exec {fd}<> <(:)
    while ! read -r -t 30 -u "$fd"; do say "… still $what ($((SECONDS - start)) s)"; done
  ) 9>&- &
  sign_of_life=$!
  set +e
  (
    set -e
    "$@"
  )
  attempt_code=$?
  set -e
  kill "$sign_of_life" 2>/dev/null || true
  wait "$sign_of_life" 2>/dev/null || true
  sign_of_life=
  local verdict='done'
  [ "$attempt_code" -eq 0 ] || verdict=FAILED
  say "$verdict: $what, $((SECONDS - start)) s"
}

step() {
  attempt "$@"
  [ "$attempt_code" -eq 0 ] || exit 1
}

end() {
  local code=$?
  [ -z "${sign_of_life:-}" ] || kill "$sign_of_life" 2>/dev/null || true
  rm -rf "$work"
  [ "$code" -eq 0 ] || say "failed (exit code $code)"
}

# ---- packages

# apt with lists, cache and status of our own: it neither needs root nor touches the system's.
own_apt() {
  local tool=$1
  shift
  "$tool" -qq -oDir::Etc::SourceList="$work/apt/sid.list" -oDir::Etc::SourceParts=/dev/null -oDir::State::Lists="$work/apt/lists" \
    -oDir::State::status="$work/apt/status" -oDir::Cache="$work/apt/cache" -oAcquire::Languages=none -oAcquire::Retries=3 \
    -oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -oAPT::Sandbox::User=root "$@"
}

# The Debian mirror that this system uses.
find_mirror() {
  # shellcheck disable=SC2016  # a field of apt's, not a command
  local format=(indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian')
  apt-get "${format[@]}" | head -1 | grep . && return 0
  say "apt-get update has never run here: reading the system's sources into lists of our own"
  mkdir -p "$work/apt/system/partial"
  apt-get -qq -oDir::State::Lists="$work/apt/system" -oAPT::Sandbox::User=root update >&2
  apt-get -oDir::State::Lists="$work/apt/system" "${format[@]}" | head -1 | grep .
}

# Sets missing to the entries of packages.lock (name=version) of which no good package is in the cache, and writes building/resolved for the others.
# A file in the cache is named by its hash: whatever does not match its name is removed, and what is left can be trusted.
find_missing() {
  local sha file entry known
  missing=()
  for file in "$cache"/debs/*; do [ -e "$file" ] || break; sha256sum "$file"; done | while read -r sha file; do
    [ "${file##*/}" = "$sha.deb" ] || { say "removing a damaged package: ${file##*/}"; rm -f "$file"; }
  done
  : >"$work/resolved"
  while read -r entry sha; do
    known=$(grep -s "^${entry%%=*}=" "$cache/resolved" | head -1) || true
    if [ -e "$cache/debs/$sha.deb" ]; then
      echo "$entry $sha" >>"$work/resolved"
    elif [ -n "$known" ] && [ -e "$cache/debs/${known#* }.deb" ]; then
      echo "$known" >>"$work/resolved"
    else
      missing+=("$entry")
    fi
  done <packages.lock
}

fetch() {
  local mirror available entry want=() file name version sha
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debs"
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || die "no /usr/share/keyrings/debian-archive-keyring.gpg: apt-get install debian-archive-keyring"
  mirror=$(find_mirror) || die "no Debian mirror in this system's apt sources"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/apt/sid.list"
  : >"$work/apt/status"
  own_apt apt-get update >&2
  own_apt apt-cache madison "${missing[@]%%=*}" | awk '{ print $1 "=" $3 }' >"$work/available"
  for entry in "${missing[@]}"; do
    if grep -qxF "$entry" "$work/available"; then
      want+=("$entry")
    else
      available=$(grep "^${entry%%=*}=" "$work/available" | head -1) || die "sid has no ${entry%%=*} any more: packages.lock must be made anew"
      say "sid has moved on: taking $available, locked is ${entry#*=}"
      want+=("$available")
    fi
  done
  (cd "$work/debs" && own_apt apt-get download "${want[@]}" >&2)
  for file in "$work"/debs/*.deb; do # apt has checked these against the archive's signature
    name=$(dpkg-deb -f "$file" Package) version=$(dpkg-deb -f "$file" Version) sha=$(sha256sum "$file" | cut -d' ' -f1)
    if grep -q "^$name=$version " packages.lock && ! grep -qx "$name=$version $sha" packages.lock; then
      die "$name $version is not the package that packages.lock names"
    fi
    mv "$file" "$cache/debs/$sha.deb"
    echo "$name=$version $sha" >>"$work/resolved"
  done
}

# ---- one private root

list_root() { (cd "$cache/root" && find . -printf '%P %s\n' | sort | sha256sum); }

stamp_of_root() { sha256sum <"$cache/resolved"; list_root; }

unpack() {
  local entry sha
  rm -rf "$cache/root" "$cache/root.stamp"
  mkdir "$cache/root"
  while read -r entry sha; do
    dpkg-deb --fsys-tarfile "$cache/debs/$sha.deb" | tar -x -C "$cache/root" --exclude=./usr/share/doc --exclude='./usr/share/go-*/test' --exclude=./usr/share/lintian
  done <"$cache/resolved"
  stamp_of_root >"$cache/root.stamp"
}

# ---- compile

# The packages are made for Go's GOPATH mode: all sources are in one tree, and no module is ever looked up.
compile() {
  local out=$work/out source=$work/gopath/src/testapiserver version minor group groups=()
  GOROOT=$(echo "$cache/root/usr/lib/"go-1.*)
  export GOROOT GO111MODULE=off GOFLAGS=-trimpath CGO_ENABLED=0 GOTOOLCHAIN=local GOENV=off GOCACHE=$cache/gocache
  export GOPATH=$work/gopath:$cache/root/usr/share/gocode PATH=$GOROOT/bin:$PATH
  rm -rf "$out" "$work/gopath"
  mkdir -p "$out"
  if [ -n "$program" ]; then
    mkdir -p "$work/gopath/src/$program"
    cp "${sources[@]}" "$work/gopath/src/$program"
    (cd "$work/gopath/src/$program" && go build -ldflags "-s -w" -o "$out/$program") >&2
    return
  fi
  mkdir -p "$source/openapi"
  cp "$here"/server/*.go "$source"
  : >"$work/empty"
  (
    cd "$source"
    go build -o "$work/openapi-gen" k8s.io/kube-openapi/cmd/openapi-gen
    for group in core/v1 apps/v1 batch/v1 autoscaling/v1 autoscaling/v2 policy/v1 networking/v1 rbac/v1 coordination/v1 events/v1 discovery/v1 \
      storage/v1 scheduling/v1 admissionregistration/v1 authorization/v1 authentication/v1; do groups+=("k8s.io/api/$group"); done
    "$work/openapi-gen" --go-header-file "$work/empty" --output-dir openapi --output-pkg testapiserver/openapi \
      --output-file zz_generated.openapi.go --report-filename /dev/null "${groups[@]}" \
      k8s.io/apimachinery/pkg/{apis/meta/v1,api/resource,runtime,version,util/intstr} k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1
    version=$(sed -n 's/^golang-k8s-apiextensions-apiserver-dev=0\.\([0-9.]*\).*/\1/p' "$cache/resolved") minor=${version%%.*}
    go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$minor" \
      -o "$out/test-apiserver" testapiserver
  ) >&2
  cp "$cache/root/usr/bin/etcd" "$out/etcd"
  "$out/etcd" --version >/dev/null # both at least start here
  "$out/test-apiserver" --help 2>/dev/null
}

# ---- the walk

if is_built; then finish; fi
[ "$(uname -m)" = x86_64 ] || die "built and tried on amd64 only; set KUBEBUILDER_ASSETS or USE_EXISTING_CLUSTER=true (see README.md)"
for tool in apt-get apt-cache dpkg-deb flock; do command -v "$tool" >/dev/null || die "needs $tool (Debian); or set KUBEBUILDER_ASSETS or USE_EXISTING_CLUSTER=true (see README.md)"; done

mkdir -p "$cache"/{debs,gocache}
exec 9>"$cache/lock"
flock -n 9 || { say "another build is under way: waiting for it"; flock -w "$lock_wait_seconds" 9 || die "gave up after $lock_wait_seconds s"; }
if is_built; then finish; fi
if [ -e "$bin" ]; then say "the build in the cache is damaged: making it again"; fi

work=$cache/building
rm -rf "$work"
mkdir "$work"
trap end EXIT

find_missing
if [ "${#missing[@]}" -gt 0 ]; then step "fetching ${#missing[@]} of $(wc -l <packages.lock) Debian packages (all: 84 MB)" fetch; fi
sort -u "$work/resolved" >"$cache/resolved"

just_unpacked=
if [ "$(stamp_of_root 2>/dev/null)" != "$(cat "$cache/root.stamp" 2>/dev/null)" ]; then
  step "unpacking (650 MB)" unpack
  just_unpacked=yes
fi

# A cache that passed the checks above can still be bad inside; one that was made just now cannot.
attempt "compiling (2 to 4 minutes the first time)" compile
if [ "$attempt_code" -ne 0 ]; then
  [ -z "$just_unpacked" ] || exit 1
  say "once more, with a new root and an empty Go cache"
  rm -rf "$cache/gocache"
  step "unpacking (650 MB)" unpack
  step "compiling (2 to 4 minutes)" compile
fi

(cd "$work/out" && sha256sum "${binaries[@]}" >SHA256SUMS)
mkdir -p "$shelf"
rm -rf "$bin" # a server that runs from it keeps its file
mv "$work/out" "$bin"

# The sweep: old builds and packages that nobody has used for long.
find "$shelf" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | tail -n +$((keep_builds + 1)) | cut -d' ' -f2- | xargs -r rm -rf
while read -r _ sha; do touch "$cache/debs/$sha.deb"; done <"$cache/resolved"
find "$cache/debs" -name '*.deb' -mtime +"$keep_unused_debs_days" -delete

is_built || die "the build did not survive its own check"
say "ready: $bin"
finish
