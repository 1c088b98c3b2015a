#!/usr/bin/env bash
# Makes sure that a Ceph from a Debian release is unpacked, and prints the directory that it is in.
#
#   root=$(tests/interop/ceph/build.sh bookworm|trixie|sid)    Ceph 16, 18 or 20
#
# Progress goes to stderr. With nothing to do it returns in less than two seconds.
# Needs Debian or a relative (apt-get, dpkg-deb), amd64, and about 0.7 GB of disk for each release. Nothing is installed into the
# system: apt works with lists and a status of our own, and the packages are unpacked into one directory, for chroot.
#
# The cache is outside the checkout, so that all checkouts share it:
#   ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/ceph/RELEASE/
#     root/         the packages, unpacked; what a running Ceph writes is not in here (cluster.sh)
#     root.stamp    the hash of this script, and of the names and sizes of all files of root/
#     work/         a build under way; the next one removes what a dead one has left
# The stamp is compared before each use: a damaged root is made again from what the release holds then, which may be newer. Removing
# the whole directory is always safe.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly lock_wait_seconds=1800
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly packages=(base-files base-passwd bash coreutils dash libc-bin sed grep gawk passwd login procps
  radosgw ceph-mon ceph-osd ceph-common)
# Written when the root is made or used, not part of what was unpacked.
readonly written=(./proc ./dev ./run ./tmp ./ceph)

release=${1:-}
case $release in
  bookworm | trixie | sid) ;;
  *) echo "usage: build.sh bookworm|trixie|sid" >&2; exit 2 ;;
esac
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/ceph/$release
root=$cache/root work=$cache/work

say() { printf 'ceph %s: [%3d s] %s\n' "$release" "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

stamp() {
  local skip=() dir
  for dir in "${written[@]}"; do skip+=(-path "$dir" -prune -o); done
  sha256sum <build.sh
  (cd "$root" && find . "${skip[@]}" -type f -printf '%p %s\n' -o -type l -printf '%p %l\n' | sort | sha256sum)
}

is_good() { [ -d "$root" ] && [ "$(stamp)" = "$(cat "$cache/root.stamp" 2>/dev/null)" ]; }

# apt with lists, cache and status of our own: it neither needs the system's nor touches it.
own_apt() {
  apt-get -qq -oDir::Etc::SourceList="$work/apt/release.list" -oDir::Etc::SourceParts=/dev/null -oDir::State::Lists="$work/apt/lists" \
    -oDir::State::status="$work/apt/status" -oDir::Cache="$work/apt/cache" -oAcquire::Languages=none -oAcquire::Retries=3 \
    -oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -oAPT::Sandbox::User=root -oAPT::Architecture=amd64 "$@"
}

# The Debian mirror that this system uses.
find_mirror() {
  # shellcheck disable=SC2016  # a field of apt's, not a command
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -1 | grep .
}

fetch() {
  local mirror
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
  mirror=$(find_mirror) || die "no Debian mirror in this system's package lists: apt-get update"
  echo "deb [signed-by=$keyring] $mirror $release main" >"$work/apt/release.list"
  : >"$work/apt/status"
  say "reading the package lists"
  own_apt update >&2
  say "fetching the packages (about 150 MB)"
  own_apt install -y --no-install-recommends --download-only "${packages[@]}" >&2
}

unpack() {
  local file dir
  say "unpacking"
  rm -rf "$root" "$cache/root.stamp"
  mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
  for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$root/$dir"; done
  for file in "$work"/apt/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --keep-directory-symlink --no-same-owner \
      --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
  done
  for dir in "${written[@]}"; do mkdir -p "$root/$dir"; done
  mkdir -p "$root/etc/ceph"
  cp -n "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
  cp -n "$root/usr/share/base-passwd/group.master" "$root/etc/group"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  chroot "$root" /usr/sbin/ldconfig
}

[ "$(id -u)" -eq 0 ] || die "needs root, for chroot"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || die "needs Debian or a relative, on amd64"
[ -e "$keyring" ] || die "no $keyring: apt-get install debian-archive-keyring"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w "$lock_wait_seconds" 9 || die "another build does not end"
if ! is_good; then
  [ ! -e "$cache/root.stamp" ] || say "what is cached is damaged or of another version of the script: making it again"
  rm -rf "$work"
  trap 'rm -rf "$work"' EXIT
  fetch
  unpack
  stamp >"$cache/root.stamp"
  say "made: $(chroot "$root" /usr/bin/radosgw --version)"
fi
echo "$root"
