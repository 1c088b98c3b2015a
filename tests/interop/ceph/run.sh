#!/usr/bin/env bash
# The command and the operator against real Ceph object gateways: Ceph 16 (Debian bookworm), 18 (trixie) and 20 (sid), on loopback.
# It prints a table of what was asked, what Ceph answered and what we said, in the terms of docs/vendors/s3.md. Each line is compared with
# what is expected (cases.py). The last line is "interop-ceph: N passed, N failed".
#
#   tests/interop/ceph/run.sh [16] [18] [20]      all of them unless told
#
# By hand, not in CI: it needs root (for chroot and mounts), Debian or a relative, and about 0.7 GB of disk for each version (build.sh). The
# first run fetches some 150 MB for each; later ones take about two minutes a version. Needs what `make build` has built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
unset USE_EXISTING_CLUSTER # stores at loopback are nothing for a cluster of somebody's

readonly here=tests/interop/ceph
readonly patience=60 # seconds for the API server and the operator to be ready
declare -rA debian=([16]=bookworm [18]=trixie [20]=sid) names=([16]=pacific [18]=reef [20]=tentacle)

# shellcheck source=tests/interop/ceph/cluster.sh
. "$here/cluster.sh"

say() { printf 'interop-ceph: [%3d s] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

versions=("$@")
[ $# -gt 0 ] || versions=(16 18 20)
for version in "${versions[@]}"; do [ -n "${debian[$version]:-}" ] || { echo "usage: run.sh [16] [18] [20]" >&2; exit 2; }; done
operator=$(tests/tools/operator.sh) # the program as it ships, or what OPERATOR chooses
kubectl=$(tests/tools/ensure.sh kubectl)
tests/tools/ensure.sh curl >/dev/null

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-ceph.XXXXXX")
pids=()
finish() {
  local code=$? pid
  trap - EXIT INT TERM HUP
  ceph_stop
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  if [ "${KEEP:-}" = 1 ]; then say "logs and data are kept in $work"; else rm -rf "$work"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# wait_until PID LOG "what" COMMAND…
wait_until() {
  local pid=$1 log=$2 what=$3 end=$((SECONDS + patience))
  shift 3
  until "$@" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || { tail -20 "$log" >&2; die "$what has ended"; }
    [ "$SECONDS" -lt "$end" ] || die "waited in vain for $what"
    sleep 0.2
  done
}

# A base of ports none of which is in use.
free_ports() {
  python3 - <<'PYTHON'
import random, socket
while True:
    base = random.randrange(20000, 32000, 200)
    taken = False
    for port in [*range(base, base + 12), *range(base + 100, base + 200)]:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                taken = True
                break
    if not taken:
        print(base)
        break
PYTHON
}

operator_is_ready() {
  local url
  url=$(sed -n 's/.*Probes at //p' "$work/operator.log")
  [ -n "$url" ] && curl -fs --max-time 2 "$url/readyz"
}

declare -A roots=() ports=()
for version in "${versions[@]}"; do
  roots[$version]=$("$here/build.sh" "${debian[$version]}")
  ports[$version]=$(free_ports)
done

say "starting the API server and the operator"
tests/apiserver/serve.sh --prepare >&2
tests/apiserver/serve.sh "$work/api" --exit-with-parent >"$work/api.log" 2>&1 &
pids+=("$!")
wait_until "$!" "$work/api.log" "the API server" test -s "$work/api/ready"
export KUBECONFIG=$work/api/admin.kubeconfig KUBECACHEDIR=$work/kubectl-cache
"$kubectl" apply -f crds/ >/dev/null
"$kubectl" wait --for=condition=Established --timeout=30s crd --all >/dev/null
allowed=()
for version in "${versions[@]}"; do allowed+=("http://127.0.0.1:${ports[$version]}" "http://127.0.0.1:$((ports[$version] + 1))"); done
env -u http_proxy -u HTTP_PROXY no_proxy='*' NO_PROXY='*' "$operator" run --kubeconfig "$KUBECONFIG" --http-address 127.0.0.1:0 --log-format plain \
  --allowed-endpoints "${allowed[@]}" >"$work/operator.log" 2>&1 &
pids+=("$!")
wait_until "$!" "$work/operator.log" "the operator" operator_is_ready

export PYTHONDONTWRITEBYTECODE=1
for version in "${versions[@]}"; do
  say "starting Ceph $version"
  ceph_start "${roots[$version]}" "$work/ceph-$version" "${ports[$version]}" "${names[$version]}"
  say "$(ceph_run radosgw --version)"
  env -u http_proxy -u HTTP_PROXY python3 "$here/cases.py" "$version" "${ports[$version]}" "${roots[$version]}" "$work/ceph-$version" "$operator" "$kubectl" "$work/results" >&2 \
    || printf 'FAILED\t%s\tthe rest of the cases\tthe test has ended\t\tan end of all cases\n' "$version" >>"$work/results"
  ceph_stop
done

echo
printf '| %s | %s | %s | %s |\n' Ceph asked 'Ceph answered' 'we said' --- --- --- ---
awk -F '\t' '{ printf "| %s | %s | %s | %s |%s\n", $2, $3, $4, $5, $1 == "ok" ? "" : " FAILED, expected: " $6 }' "$work/results"
failed=$(grep -c '^FAILED' "$work/results") || true
echo "interop-ceph: $(grep -c '^ok' "$work/results" || true) passed, $failed failed"
[ "$failed" -eq 0 ]
