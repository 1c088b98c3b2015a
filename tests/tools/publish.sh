#!/usr/bin/env bash
# Publishes the operator as it ships, compiled ahead of time (NativeAOT), and prints the path of the program.
# Progress goes to stderr.
#
#   tests/tools/publish.sh [amd64|arm64]     this machine's architecture unless another is named, which is cross-linked
#
# The result is in artifacts/published/ARCHITECTURE: the stripped program, and its symbols beside it (.dbg). It is made
# again when the sources, the SDK or the linker are others than those that made it, and when a file in it is damaged or
# missing. Several may call this at the same time: one publishes, the others wait for it.
#
# Installs clang and lld with apt-get if they are missing, and to cross-link the other architecture's C library too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly program=bucket-encryption-operator
readonly lock_wait_seconds=1800 # a compilation takes two minutes, on a busy machine many more
# What decides what the program is, besides the tools.
readonly sources=(src crds docs/troubleshooting.md Directory.Build.props Directory.Build.targets Directory.Packages.props global.json tests/tools/publish.sh)

say() { printf 'publish: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

native_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) die "no NativeAOT for $(uname -m)" ;;
  esac
}

architecture=${1:-$(native_architecture)}
case $architecture in
  amd64) runtime=linux-x64 cross=x86-64-linux-gnu ;;
  arm64) runtime=linux-arm64 cross=aarch64-linux-gnu ;;
  *) echo "usage: tests/tools/publish.sh [amd64|arm64]" >&2; exit 2 ;;
esac
readonly out=artifacts/published/$architecture

install_tools() {
  tests/tools/ensure.sh clang >/dev/null
  tests/tools/ensure.sh lld >/dev/null
  [ "$architecture" = "$(native_architecture)" ] || tests/tools/ensure.sh "cross-$cross" >/dev/null
}

# The content of all that goes into the program, whatever the time of the files and the place of the checkout.
key() {
  {
    find "${sources[@]}" \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
    dotnet --version
    clang --version
    ld.lld --version
  } | sha256sum | cut -c1-32
}

# Content is compared only when the file system says that a file changed since it was compared last.
seen() { stat -c '%n %s %i %.9Y %.9Z' "$out/$program" "$out/$program.dbg" 2>/dev/null; }
is_good() {
  local now
  [ "$(cat "$out/key" 2>/dev/null)" = "$1" ] && [ -x "$out/$program" ] && now=$(seen) || return 1
  [ "$now" = "$(cat "$out/seen" 2>/dev/null)" ] && return 0
  (cd "$out" && sha256sum --status --check sums) 2>/dev/null || return 1
  echo "$now" >"$out/seen"
}

megabytes() { echo $(($(stat -c %s "$1") / 1000000)); }

# Outside of bin and obj, which `dotnet build` may be using. The analyzers have run there.
publish() {
  local work=$out.work log=$out.log
  rm -rf "$work"
  mkdir -p "$work"
  say "publishing for $architecture with NativeAOT (a minute or two); log: $log"
  dotnet publish src/BucketEncryptionOperator -c Release -r "$runtime" -p:PublishAot=true --nologo \
    --artifacts-path "$PWD/$work/build" -o "$work/out" -p:RunAnalyzers=false "-p:PathMap=$PWD=/source" \
    </dev/null >"$log" 2>&1 ||
    { tail -n 25 "$log" >&2; die "dotnet publish failed"; }
  if grep -E '(^|[ :])warning [A-Z]+[0-9]*' "$log" >&2; then die "the compiler warns"; fi
  [ "$(key)" = "$1" ] || die "the sources have changed in the meantime: call this again"
  rm -rf "$out"
  mkdir "$out"
  mv "$work/out/$program" "$work/out/$program.dbg" "$out/"
  rm -rf "$work"
  (cd "$out" && sha256sum "$program" "$program.dbg" >sums)
  echo "$1" >"$out/key"
  is_good "$1" || die "$out is not what was published"
  say "published: $(megabytes "$out/$program") MB, and $(megabytes "$out/$program.dbg") MB of symbols"
}

install_tools
wanted=$(key)
if ! is_good "$wanted"; then
  mkdir -p artifacts/published
  exec 9>"$out.lock"
  if ! flock -n 9; then
    say "another process is publishing: waiting for it"
    flock -w "$lock_wait_seconds" 9 || die "it does not end"
  fi
  if ! is_good "$wanted"; then publish "$wanted" 9>&-; fi
fi
echo "$PWD/$out/$program"
