#!/usr/bin/env bash
# Checks what this directory promises: the build's cache heals itself, and serve.sh keeps its contract.
# What it damages is a copy of the cache (1 GB in $TMPDIR); only Go's build cache is shared with the real one. Takes about a minute when that is warm.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
server=
passed=0
unset USE_EXISTING_CLUSTER

end() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT

ok() { passed=$((passed + 1)); printf 'ok %2d [%3d s] %s\n' "$passed" "$SECONDS" "$*"; }
fail() { printf 'FAILED [%3d s] %s\n' "$SECONDS" "$*" >&2; exit 1; }
expect() { local what=$1; shift; "$@" >/dev/null || fail "$what"; ok "$what"; }
refuse() { local what=$1; shift; if "$@" >/dev/null 2>&1; then fail "$what"; fi; ok "$what"; }
gone() { # or dead and not yet collected by init
  local state _
  for _ in $(seq 100); do
    state=$(awk '{ print $3 }' "/proc/$1/stat" 2>/dev/null) || true
    case $state in '' | Z) return 0 ;; esac
    sleep 0.05
  done
  return 1
}

start() { # data, flags
  local data=$1 since _
  since=$(date +%s%N)
  rm -f "$data/ready" # serve.sh does so too, but only a moment after it was started
  "$here/serve.sh" "$@" >"$scratch/server.log" 2>&1 &
  server=$!
  for _ in $(seq 1200); do
    if [ -e "$data/ready" ]; then
      echo "   start to ready: $((($(date +%s%N) - since) / 1000000)) ms"
      return
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  cat "$scratch/server.log" >&2
  fail "the server does not start"
}

# ---- the build
if [ -z "${KUBEBUILDER_ASSETS:-}" ]; then
  bin=$("$here/build.sh")
  before=$(date +%s%N)
  expect "a warm build is the same" [ "$("$here/build.sh" 2>&1)" = "$bin" ]
  expect "a warm build takes less than 0.1 s" [ $(($(date +%s%N) - before)) -lt 100000000 ]
  real=${bin%/bin/*}
  export BEO_CACHE_DIR=$scratch/cache
  cache=$BEO_CACHE_DIR/apiserver
  mkdir -p "$cache/bin"
  cp -r "$real/debs" "$real/resolved" "$cache/"
  cp -r "$bin" "$cache/bin/"
  ln -s "$real/gocache" "$cache/gocache"
  bin=$cache/bin/${bin##*/}
  truncate -s -1000 "$bin/test-apiserver"
  rm -f "$bin/etcd"
  echo garbage >"$bin/.seen"
  echo garbage >"$cache/root.stamp"
  head -c 1000 /dev/urandom >"$cache/debs/$(head -1 "$cache/resolved" | cut -d' ' -f2).deb"
  mkdir -p "$cache/building/left-behind"
  "$here/build.sh" >"$scratch/one" &
  one=$!
  "$here/build.sh" >"$scratch/two"
  wait "$one"
  expect "two builds at once mend a damaged cache" "$bin/test-apiserver" --help 2>/dev/null
  expect "both say where" cmp -s "$scratch/one" "$scratch/two"
  expect "the mended build is recorded" sh -c "cd '$bin' && sha256sum -c --quiet SHA256SUMS"
  refuse "nothing of a dead attempt is left" [ -e "$cache/building" ]
  echo >"$bin/SHA256SUMS"
  expect "a damaged record is mended" [ "$("$here/build.sh" 2>/dev/null)" = "$bin" ]
  mkdir "$scratch/hello"
  printf 'package main\n\nfunc main() { println("hello") }\n' >"$scratch/hello/main.go"
  program=$(cd "$scratch" && "$here/build.sh" --program hello 2>/dev/null)/hello
  expect "another program is built from the same packages" "$program"
  echo garbage >"$program"
  expect "and mended" [ "$("$here/build.sh" --program "$scratch/hello" 2>/dev/null)/hello" = "$program" ]
  expect "and runs again" "$program"
fi

# ---- the server
kubectl=$("$here/../tools/ensure.sh" kubectl)
data=$scratch/data
start "$data" --audit-log-path "$scratch/audit.log"
# shellcheck source=/dev/null
. "$data/server.env"
url=$(cat "$data/ready")
port=${url##*:} port=${port%%/*}
children=$(pgrep -P "$server")
export KUBECONFIG=$data/admin.kubeconfig
expect "the administrator can do everything" "$kubectl" auth can-i '*' '*' -q
"$kubectl" create namespace red >/dev/null
"$kubectl" -n red create serviceaccount painter >/dev/null
"$kubectl" -n red create role reader --verb=get --resource=secrets >/dev/null
"$kubectl" -n red create rolebinding painter --role=reader --serviceaccount=red:painter >/dev/null
"$kubectl" -n red create secret generic keys --from-literal=a=b >/dev/null
if [ "$SERVICE_ACCOUNT_TOKENS" = direct ]; then token=sa:red:painter; else token=$("$kubectl" -n red create token painter); fi
painter() { "$kubectl" --kubeconfig "$scratch/painter.kubeconfig" "$@"; }
cp "$KUBECONFIG" "$scratch/painter.kubeconfig"
painter config set-credentials painter --token="$token" >/dev/null
painter config set-context --current --user=painter --namespace=red >/dev/null
painter config delete-user admin >/dev/null 2>&1
for _ in $(seq 100); do if painter get secret keys >/dev/null 2>&1; then break; fi; sleep 0.05; done
expect "a service account's token is that service account" painter get secret keys -o name
refuse "and may do only what its role says" painter delete secret keys
expect "the audit log witnesses the reading" grep -q '"verb":"get".*"username":"system:serviceaccount:red:painter"' "$scratch/audit.log"
refuse "and is silent about the server itself" grep -q '"username":"system:apiserver"' "$scratch/audit.log"

if [ "$KIND" = built ]; then
  claims() { "$kubectl" -n red create token painter "$@" | python3 -c 'import base64, sys; print(base64.urlsafe_b64decode(sys.stdin.read().split(".")[1] + "==").decode())'; }
  asked=$(claims --audience sts.example.com)
  expect "a requested token is of the account, and for the audience" grep -q '"aud":\["sts.example.com"\].*"sub":"system:serviceaccount:red:painter"' <<<"$asked"
  refuse "and for less than ten minutes there is none" claims --duration 9m
  painter config set-credentials painter --token="$("$kubectl" -n red create token painter)" >/dev/null
  expect "a requested token for no audience is good at the server" painter get secret keys -o name
  painter config set-credentials painter --token="$("$kubectl" -n red create token painter --audience sts.example.com)" >/dev/null
  refuse "one for another audience is not" painter get secret keys -o name
  "$kubectl" -n red delete serviceaccount painter >/dev/null
  refuse "an account that is gone has no tokens" claims
  "$kubectl" -n red create serviceaccount painter >/dev/null
fi

event() { # namespace of the object, more fields
  printf '{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e%s","namespace":"red"},"regarding":{"kind":"Secret","name":"keys","namespace":"%s"},"reportingController":"c/x","reportingInstance":"i","action":"A","reason":"R","type":"Normal"%s}' \
    "$RANDOM" "$1" "$2" | "$kubectl" create -f - >/dev/null 2>&1
}
expect "a proper event is taken" event red ',"eventTime":"2026-01-01T00:00:00.000000Z"'
refuse "an event without eventTime is refused" event red ''
refuse "an event with a deprecated field is refused" event red ',"eventTime":"2026-01-01T00:00:00.000000Z","deprecatedCount":1'
refuse "a cluster's event outside of default and kube-system is refused" event '' ',"eventTime":"2026-01-01T00:00:00.000000Z"'

kill -9 "$server"
wait "$server" 2>/dev/null || true
for child in $children; do expect "kill -9 ends child $child too" gone "$child"; done
start "$data" --secure-port "$port" --audit-log-path "$scratch/audit.log"
expect "it starts again on the same port and data" "$kubectl" -n red get secret keys -o name
children=$(pgrep -P "$server")
kill "$server"
code=0
wait "$server" || code=$?
expect "SIGTERM ends it with exit code 0" [ "$code" -eq 0 ]
for child in $children; do expect "and ends child $child" gone "$child"; done
server=

# the parent is a shell that ends at once
("$here/serve.sh" "$scratch/orphan" --exit-with-parent >/dev/null 2>&1 & echo $! >"$scratch/orphan.pid"; for _ in $(seq 400); do [ ! -e "$scratch/orphan/ready" ] || break; sleep 0.05; done)
server=$(cat "$scratch/orphan.pid")
expect "--exit-with-parent ends it with its parent" gone "$server"
server=
echo "$passed checks passed in $SECONDS s"
