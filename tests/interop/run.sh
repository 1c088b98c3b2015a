#!/usr/bin/env bash
# Runs the vendors' own clients against the object store simulator, and the S3 client against moto's server as well where Python has moto; then lays the operator's own requests
# beside the clients'. Needs node 18+, npm, and two programs built:
#   dotnet build -c Release tests/ObjectStoreSimulator && dotnet build -c Release tests/interop/operator && tests/interop/run.sh
# Settings: SIMULATOR_DLL and OPERATOR_DLL (default: the Release builds), BEO_CACHE_DIR (where the npm packages are kept, outside the checkout),
# INTEROP_RECORD=1 (write recorded/ anew instead of comparing: what each client sends, after an update of the packages).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cache=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/interop
operator=${OPERATOR_DLL:-$here/operator/bin/Release/net10.0/operator-requests.dll}
simulator=${SIMULATOR_DLL:-$here/../ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator.dll}

say() { printf 'interop: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

command -v node >/dev/null || fail "node is missing (Debian: apt-get install nodejs npm)"
command -v npm >/dev/null || fail "npm is missing (Debian: apt-get install npm)"
[[ -f $operator ]] || fail "$operator is missing: dotnet build -c Release tests/interop/operator"
[[ -f $simulator ]] || fail "$simulator is missing: dotnet build -c Release tests/ObjectStoreSimulator"

hash=$(cat "$here/package-lock.json" "$here/package.json" "$here/.npmrc" | sha256sum | cut -c1-16)
modules=$cache/$hash
work=$(mktemp -d)
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

# Complete: as the lock file says, and every package can be loaded. Anything else is thrown away and installed again.
complete() {
  [[ -f $modules/.complete ]] && (cd "$modules" && npm ls --silent >/dev/null 2>&1 && node -e 'for (const name of ["ali-oss", "esdk-obs-nodejs", "@aws-sdk/client-s3", "@alicloud/kms20160120", "@aws-sdk/client-kms", "@aws-sdk/client-sts", "@alicloud/sts20150401", "@huaweicloud/huaweicloud-sdk-core", "jdcloud-sdk-js/src/services/kms"]) require(name)' >/dev/null 2>&1)
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

# start_server WHAT FILE COMMAND...: runs it until the end of this script, and waits until it has written FILE.
start_server() {
  local what=$1 file=$2 pid i
  shift 2
  "$@" >"$file.log" 2>&1 &
  pid=$!
  pids+=("$pid")
  for ((i = 0; i < 300; i++)); do
    [[ -s $file ]] && return
    kill -0 "$pid" 2>/dev/null || { cat "$file.log" >&2; fail "$what ended"; }
    sleep 0.1
  done
  fail "$what was not ready within 30 s"
}

start_server "the simulator" "$work/urls" dotnet "$simulator" --ready-file "$work/urls" \
  --vendor AlibabaOSS --vendor HuaweiOBS --vendor JDCloudOSS --vendor S3 --vendor MinIO
mapfile -t urls <"$work/urls"
say "simulator: ${urls[*]}"

# Somebody else's S3 server, where Python has it; it is not installed for this.
if python3 -c 'import moto.server' 2>/dev/null; then
  start_server moto "$work/moto" python3 -c '
import os, signal, sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
with open(sys.argv[1] + ".tmp", "w") as ready:
    print("http://%s:%d" % server.get_host_and_port(), file=ready)
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
signal.pause()' "$work/moto"
  urls+=("$(<"$work/moto")")
  say "moto: ${urls[-1]}"
else
  say "moto not installed: not run"
fi

INTEROP_MODULES=$modules OPERATOR_DLL=$operator node "$here/interop.mjs" "${urls[@]}"
