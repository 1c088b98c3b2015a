#!/usr/bin/env bash
# Runs the vendors' own clients against the object store simulator. Needs node 18+, npm, and the simulator built:
#   dotnet build -c Release tests/ObjectStoreSimulator && tests/interop/run.sh
# Settings: SIMULATOR_DLL (default: the Release build), BEO_CACHE_DIR (where the npm packages are kept, outside the checkout).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/interop
simulator=${SIMULATOR_DLL:-$here/../ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator.dll}

say() { printf 'interop: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

command -v node >/dev/null || fail "node is missing (Debian: apt-get install nodejs npm)"
command -v npm >/dev/null || fail "npm is missing (Debian: apt-get install npm)"
[[ -f $simulator ]] || fail "$simulator is missing: dotnet build -c Release tests/ObjectStoreSimulator"

hash=$(cat "$here/package-lock.json" "$here/package.json" "$here/.npmrc" | sha256sum | cut -c1-16)
modules=$cache/$hash
work=$(mktemp -d)
pid=
clean_up() {
  if [[ -n $pid ]]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

# Complete: as the lock file says, and every package can be loaded. Anything else is thrown away and installed again.
complete() {
  [[ -f $modules/.complete ]] && (cd "$modules" && npm ls --silent >/dev/null 2>&1 && node -e 'require("ali-oss")' >/dev/null 2>&1)
}

mkdir -p "$cache"
exec 9>"$cache/$hash.lock"
flock 9
if complete; then
  say "packages: $modules"
else
  say "installing packages into $modules"
  started=$SECONDS
  rm -rf "$modules"
  mkdir -p "$modules"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$modules/"
  (cd "$modules" && npm ci --ignore-scripts --no-progress --loglevel=error >&2)
  touch "$modules/.complete"
  say "installed in $((SECONDS - started)) s"
fi
flock -u 9

dotnet "$simulator" --listen 127.0.0.1:0 --ready-file "$work/url" >"$work/log" 2>&1 &
pid=$!
for ((i = 0; i < 300; i++)); do
  [[ -s $work/url ]] && break
  kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; fail "the simulator ended"; }
  sleep 0.1
done
[[ -s $work/url ]] || fail "the simulator was not ready within 30 s"

say "simulator: $(<"$work/url")"
INTEROP_MODULES=$modules node "$here/interop.mjs" "$(<"$work/url")"
