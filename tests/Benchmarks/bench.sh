#!/usr/bin/env bash
# Measures the operator beside peer-client-go, the same job on client-go (its head says what it is given): real API server, simulated store, loopback only.
#
#   tests/Benchmarks/bench.sh [ROUNDS]     needs what `make build` has built; ROUNDS is 3 if not given
#   tests/Benchmarks/bench.sh selector   one policy that selects 999 buckets, without client-go: about 3 minutes
#   tests/Benchmarks/bench.sh commands   commands.py: the start of a command, and plan and export of 10 000 buckets: about 9 minutes, most of them the
#                                        default of 20 requests per second, which export keeps
#   OPERATOR=jit make bench                measures what `make build` has built instead of the program as it ships (tests/tools/operator.sh)
#
#   job     1000 policies with a bucket each, from the start of the process until all are Ready, with 4 workers; each run on a new API server
#   large   the same for 10 000 buckets in one process: 10 000 policies with one bucket, and 100 policies with 100
#   sync    the initial sync of what `large` left there, with all statuses: a process starts, fills its memory with all policies, and ends.
#           Ours is the benchmarks' own program, which calls the library and is compiled by the JIT
#   selector  requests, CPU and memory of the first pass and of later intervals, the size of the status, and the time from a new bucket until it is encrypted
#
# Ours and client-go take turns, so that a slow minute of the machine meets both. The table at the end gives the least and the median of each, and the
# ratio of the medians; artifacts/benchmarks.txt keeps every run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/Benchmarks
scenes=compare rounds=${1:-3}
case $rounds in selector | commands) scenes=$rounds rounds=1 ;; esac
readonly here scenes rounds patience=30 run_limit=600 limit=3600 # seconds: for a start, for a run, for all
readonly simulator=tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator
readonly benchmarks=$here/bin/Release/net10.0/benchmarks
unset USE_EXISTING_CLUSTER # ten thousand objects are nothing for a cluster of somebody's

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-bench.XXXXXX")
results=$PWD/artifacts/benchmarks.txt
mkdir -p artifacts
: >"$results"
operator='' server='' store='' selecting='' scene=0

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
die() { printf 'bench: %s\n' "$*" >&2; exit 1; }

stop() { # pid
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
finish() {
  local code=$?
  trap - EXIT INT TERM HUP
  stop "$selecting"
  stop "$server"
  stop "$store"
  [ "$code" -eq 0 ] || { tail -n 20 "$work"/*.log >&2 || true; printf 'bench: FAILED (exit code %d)\n' "$code" >&2; }
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wait_for_file() { # file, pid
  local end=$((SECONDS + patience))
  until [ -s "$1" ]; do
    kill -0 "$2" 2>/dev/null || die "ended before ${1##*/} was there"
    [ "$SECONDS" -lt "$end" ] || die "waited in vain for ${1##*/}"
    sleep 0.05
  done
}

# A new API server, and a new store with POLICIES x BUCKETS buckets: set_scene POLICIES BUCKETS.
set_scene() {
  local policies=$1 buckets=$2
  stop "$server"
  stop "$store"
  scene=$((scene + 1))
  data=$work/$scene
  mkdir "$data"
  tests/apiserver/serve.sh "$data/api" --exit-with-parent >"$work/api-server.log" 2>&1 &
  server=$!
  python3 -c '
import json, sys
policies, buckets = int(sys.argv[1]), int(sys.argv[2])
print(json.dumps({"accounts": [{"accessKeyId": "example-key-id", "secret": "example-key-secret", "enabled": True, "kmsEnabled": True}],
    "buckets": [{"name": f"bench-{i}-{j}", "region": "cn-hangzhou"} for i in range(policies) for j in range(buckets)]}))' "$policies" "$buckets" >"$data/seed.json"
  "$simulator" --ready-file "$data/store.url" --seed-file "$data/seed.json" >"$work/store.log" 2>&1 &
  store=$!
  wait_for_file "$data/api/ready" "$server"
  wait_for_file "$data/store.url" "$store"
  url=$(<"$data/store.url")
  export KUBECONFIG=$data/api/admin.kubeconfig KUBECACHEDIR=$work/kubectl-cache
  {
    kubectl apply -f crds
    kubectl wait --for=condition=Established --timeout=${patience}s crd --all
    kubectl create namespace bench
    sed -e "s|https://oss-cn-hangzhou.aliyuncs.com|$url|; s|name: hangzhou|name: bench|" \
      -e "s|^  region:.*|&\n  rateLimit: {requestsPerSecond: 1000, burst: 1000, maxConcurrency: 64}|" \
      deploy/samples/bucketstore.yaml | kubectl apply -n bench -f -
    kubectl apply -n bench -f deploy/samples/secret.yaml
  } >"$work/kubectl.log" 2>&1
}

# Creates the policies of a scene: fill POLICIES BUCKETS, with that number of buckets each.
fill() { "$benchmarks" fill --kubeconfig "$KUBECONFIG" --policies "$1" --buckets "$2"; }

# Keeps the line of figures that a program prints: record KIND PROGRAM POLICIES BUCKETS command...
record() {
  local line="kind=$1 program=$2 policies=$3 buckets=$4"
  shift 4
  [ "$SECONDS" -lt "$limit" ] || die "this machine is too slow: not done after $limit s"
  line+=" $(timeout "$run_limit" "$@" 2>"$work/run.log")"
  say "$line"
  echo "$line" >>"$results"
}

job() { # kind, program, policies, buckets
  local command
  case $2 in
    ours) command=("$operator" run --kubeconfig "$KUBECONFIG" --allowed-endpoints "$url" --http-address 127.0.0.1:0 --workers 4) ;;
    client-go) command=("$peer" run -kubeconfig "$KUBECONFIG" -endpoint "$url" -workers 4 -qps -1) ;;
  esac
  record "$@" "$benchmarks" job --kubeconfig "$KUBECONFIG" --policies "$3" -- "${command[@]}"
}

sync() { # policies, buckets
  local round
  for ((round = 0; round < rounds; round++)); do
    record sync-stream ours "$@" "$benchmarks" sync --kubeconfig "$KUBECONFIG" --policies "$1"
    record sync-stream client-go "$@" "$peer" sync -kubeconfig "$KUBECONFIG" -objects "$1" -qps -1
    record sync-pages ours "$@" "$benchmarks" sync --kubeconfig "$KUBECONFIG" --policies "$1" --pages
    record sync-pages client-go "$@" env KUBE_FEATURE_WatchListClient=false "$peer" sync -kubeconfig "$KUBECONFIG" -objects "$1" -qps -1
  done
}

# Requests that the store has got, by operation, and the CPU seconds and resident MiB of the operator.
figures() {
  curl -sS "$url/_admin/counters" | python3 -c '
import collections, json, sys
all, pid = json.load(sys.stdin), sys.argv[1]
sums = collections.Counter()
for operations in all["buckets"].values():
    for operation, tally in operations.items():
        sums[operation] += tally["received"]
fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
resident = next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))
requests = all["total"]["received"]
print(" ".join(f"{k}={v}" for k, v in sorted(sums.items())), f"all={requests}",
      f"cpuSeconds={(int(fields[11]) + int(fields[12])) / 100:.2f} rssMiB={int(resident.split()[1]) / 1024:.1f}")' "$selecting"
}

# One policy that selects all 999 buckets of an account, every 30 seconds; then the 1000th.
selector() {
  local interval=30 began
  set_scene 999 1
  kubectl apply -f - >"$work/kubectl.log" <<YAML
apiVersion: bucketencryption.io/v1alpha1
kind: BucketEncryptionPolicy
metadata: {namespace: bench, name: account}
spec:
  storeRef: {name: bench}
  bucketSelector: {matchNames: ["bench-*"], maxWrites: 1000}
  mode: Enforce
  resyncInterval: ${interval}s
  encryption: {algorithm: AES256}
YAML
  "$operator" run --kubeconfig "$KUBECONFIG" --allowed-endpoints "$url" --http-address 127.0.0.1:0 --workers 4 >"$work/run.log" 2>&1 &
  selecting=$!
  began=$(date +%s%N)
  kubectl wait -n bench --for=condition=Ready --timeout="${run_limit}s" bep/account >>"$work/kubectl.log"
  say "999 buckets, all written: $((($(date +%s%N) - began) / 1000000)) ms; $(figures)"
  sleep "$interval"
  say "status: $(kubectl get -n bench bep/account -o jsonpath='{.status}' | wc -c) bytes; before three intervals: $(figures)"
  sleep $((3 * interval))
  say "after three intervals of $interval s:   $(figures)"
  curl -sSf -X PUT "$url/_admin/buckets/bench-new" -d '{"region": "cn-hangzhou"}' >/dev/null
  began=$(date +%s%N)
  until curl -sf "$url/_admin/buckets/bench-new/encryption" >/dev/null; do
    [ "$((($(date +%s%N) - began) / 1000000000))" -lt $((3 * interval)) ] || die "the new bucket is never encrypted"
    sleep 0.1
  done
  say "a new bucket was encrypted after $((($(date +%s%N) - began) / 1000000)) ms; the interval is $interval s; $(figures)"
}

# The commands, against a store with 10 000 buckets.
commands() {
  data=$work/commands
  mkdir "$data"
  python3 -c '
import json
print(json.dumps({"accounts": [{"accessKeyId": "example-key-id", "secret": "example-key-secret", "enabled": True, "kmsEnabled": True}],
    "buckets": [{"name": f"bench-{i:05}", "region": "cn-hangzhou"} for i in range(10000)]}))' >"$data/seed.json"
  "$simulator" --ready-file "$data/store.url" --seed-file "$data/seed.json" >"$work/store.log" 2>&1 &
  store=$!
  wait_for_file "$data/store.url" "$store"
  python3 "$here/commands.py" "$operator" "$(<"$data/store.url")" "$data" | tee -a "$results"
}

main() {
  local tool round program
  if [ "$scenes" = commands ]; then
    operator=$(tests/tools/operator.sh)
    commands
    return
  fi
  tool=$(tests/tools/ensure.sh kubectl)
  PATH=$(dirname "$tool"):$PATH
  tests/apiserver/serve.sh --prepare
  if [ "$scenes" = selector ]; then
    operator=$(tests/tools/operator.sh)
    selector
    return
  fi
  peer=$(tests/apiserver/build.sh --program "$here/peer-client-go")/peer-client-go
  operator=$(tests/tools/operator.sh)
  for tool in "$simulator" "$benchmarks"; do [ -x "$tool" ] || die "$tool is not there: make build"; done

  say "ours is ${operator#"$PWD/"}, $(($(stat -c %s "$operator") / 1000000)) MB"

  for ((round = 0; round < rounds; round++)); do
    for program in ours client-go; do
      set_scene 1000 1
      fill 1000 1
      job job "$program" 1000 1
    done
  done
  for program in client-go ours; do # ours last: the statuses that it leaves are what a sync meets in life
    set_scene 10000 1
    fill 10000 1
    job large "$program" 10000 1
  done
  sync 10000 1
  for program in client-go ours; do
    set_scene 100 100
    fill 100 100
    job large "$program" 100 100
  done
  sync 100 100
  "$here/table.py" "$results"
}

main "$@"
