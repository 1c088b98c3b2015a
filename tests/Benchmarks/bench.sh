#!/usr/bin/env bash
# Measures the operator beside peer-client-go, the same job on client-go (its head says what it is given): real API server, simulated store, loopback only.
#
#   tests/Benchmarks/bench.sh [ROUNDS]     needs what `make build` has built; ROUNDS is 3 if not given
#   OPERATOR=jit make bench                measures what `make build` has built instead of the program as it ships (tests/tools/operator.sh)
#
#   job     1000 policies with a bucket each, from the start of the process until all are Ready, with 4 workers; each run on a new API server
#   large   the same for 10 000 buckets in one process: 10 000 policies with one bucket, and 100 policies with 100
#   sync    the initial sync of what `large` left there, with all statuses: a process starts, fills its memory with all policies, and ends.
#           Ours is the benchmarks' own program, which calls the library and is compiled by the JIT
#
# Ours and client-go take turns, so that a slow minute of the machine meets both. The table at the end gives the least and the median of each, and the
# ratio of the medians; artifacts/benchmarks.txt keeps every run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/Benchmarks
rounds=${1:-3}
readonly here rounds patience=30 run_limit=600 limit=3600 # seconds: for a start, for a run, for all
readonly simulator=tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator
readonly benchmarks=$here/bin/Release/net10.0/benchmarks
unset USE_EXISTING_CLUSTER # ten thousand objects are nothing for a cluster of somebody's

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-bench.XXXXXX")
results=$PWD/artifacts/benchmarks.txt
mkdir -p artifacts
: >"$results"
operator='' server='' store='' scene=0

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

# A new API server and a new store, with so many policies of so many buckets.
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
  "$benchmarks" fill --kubeconfig "$KUBECONFIG" --policies "$policies" --buckets "$buckets"
}

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

main() {
  local tool round program
  tool=$(tests/tools/ensure.sh kubectl)
  PATH=$(dirname "$tool"):$PATH
  tests/apiserver/serve.sh --prepare
  peer=$(tests/apiserver/build.sh --program "$here/peer-client-go")/peer-client-go
  operator=$(tests/tools/operator.sh)
  for tool in "$simulator" "$benchmarks"; do [ -x "$tool" ] || die "$tool is not there: make build"; done

  say "ours is ${operator#"$PWD/"}, $(($(stat -c %s "$operator") / 1000000)) MB"

  for ((round = 0; round < rounds; round++)); do
    for program in ours client-go; do
      set_scene 1000 1
      job job "$program" 1000 1
    done
  done
  for program in client-go ours; do # ours last: the statuses that it leaves are what a sync meets in life
    set_scene 10000 1
    job large "$program" 10000 1
  done
  sync 10000 1
  for program in client-go ours; do
    set_scene 100 100
    job large "$program" 100 100
  done
  sync 100 100
  "$here/table.py" "$results"
}

main "$@"
