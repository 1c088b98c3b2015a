#!/usr/bin/env bash
# Tests the chart with Helm 3 and Helm 4 (make chart):
#   lint         helm lint --strict
#   templates    template.py: what becomes of values, and which are refused
#   release      release/chart.py: the chart as a release packs it installs the image by digest
#   kustomize    kustomize.sh: the renderings and deploy/, built by kustomize
#   life         life.sh: install, upgrade, rollback, uninstall, reinstall on a real API server; two releases of one name; what helm test starts
#   guardrails   guardrails.sh: what the ValidatingAdmissionPolicies deny on a real API server, and what they let through
#   health       health.py: what Argo CD (health and actions) and Flux make of the statuses that these two have seen, of docs/status.md's table, and of deploy/argocd
#   operator     the demo with what the chart has installed: its account, its rights and its flags, in all namespaces and in one; from the API server's audit log,
#                nothing was denied, and nothing was granted that was not used
#
#   tests/chart/chart.sh           all of it
#   tests/chart/chart.sh quick     lint, templates, release, kustomize and health: seconds, no API server
#
# The last line is "chart: N passed, N failed"; a scene that the demo played is a test that passed. Needs what `make build` has
# built; the operator is the program as it ships, published if need be, or what OPERATOR chooses (tests/tools/operator.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly chart=charts/bucket-encryption-operator
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
export STATUSES=$work/statuses
mkdir "$STATUSES"

# part WHAT LOG CODE: its sum is the log's last line.
count() {
  local what=$1 log=$2 code=$3 p=0 f=0
  if [[ $(tail -1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}; fi
  if [ "$((p + f))" -eq 0 ] || { [ "$code" -ne 0 ] && [ "$f" -eq 0 ]; }; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f))
  if [ "$f" -eq 0 ]; then printf '<== %s: ok (%d passed)\n' "$what" "$p"; else printf '<== %s: FAILED\n' "$what"; fi
}

lint() {
  local helm=$1
  local file n=0
  for file in "$chart"/ci/*-values.yaml; do
    "$helm" lint --strict "$chart" --values "$file" --quiet || { echo "$file"; echo "$n passed, 1 failed"; return 1; }
    n=$((n + 1))
  done
  echo "$n passed, 0 failed"
}
release() {
  local helm=$1 directory=$work/release-$2 image=ghcr.io/example/bucket-encryption-operator
  local digest=sha256:0000000000000000000000000000000000000000000000000000000000000000
  if release/chart.py example/bucket-encryption-operator "$image" "$digest" "$directory" &&
    "$helm" template x "$directory/chart" --show-only templates/deployment.yaml | grep -q "image: $image:.*@$digest"; then
    echo "1 passed, 0 failed"
  else
    echo "0 passed, 1 failed"
    return 1
  fi
}
demo() {
  local code=0 log=$work/demo-$1.scenes
  HELM=$1 HELM_FLAGS=$2 KEEP='' tests/demo/demo.sh alibaba >"$log" 2>&1 || code=$?
  if [ "$code" -ne 0 ]; then cat "$log"; else sed -n '/rights as its only/,/ok: /p' "$log"; fi
  echo "$(($(grep -c '^=== ' "$log") - (code != 0))) passed, $((code != 0)) failed"
  return "$code"
}

# start WHAT command...: at the same time as the others; its output is shown when it is its turn.
parts=()
start() {
  local number=${#parts[@]}
  parts+=("$1")
  { code=0; "${@:2}" >"$work/$number.log" 2>&1 || code=$?; echo "$code" >"$work/$number.code"; } &
}
show() {
  local number
  wait
  for number in "${!parts[@]}"; do
    printf '==> %s\n' "${parts[number]}"
    sed '$d' "$work/$number.log"
    count "${parts[number]}" "$work/$number.log" "$(<"$work/$number.code")"
  done
  parts=()
}

python=$(tests/tools/ensure.sh python3-yaml)
for version in helm3 helm4; do
  helm=$(tests/tools/ensure.sh "$version")
  start "lint, $version" lint "$helm"
  start "templates, $version" "$python" tests/chart/template.py "$helm"
  start "release, $version" release "$helm" "$version"
  start "kustomize, $version" tests/chart/kustomize.sh "$helm" "$(tests/tools/ensure.sh kubectl)"
done
show
if [ "${1:-}" != quick ]; then
  start "life, helm3" tests/chart/life.sh helm3
  start "life, helm4" tests/chart/life.sh helm4
  start "guardrails, helm4" tests/chart/guardrails.sh helm4
  show
  start "operator in all namespaces, helm4" demo helm4 ''
  start "operator in one namespace with listed Secrets, helm3" demo helm3 \
    '--set watchNamespaces={bucket-encryption-demo} --set rbac.secrets[0].namespace=bucket-encryption-demo --set rbac.secrets[0].names={oss-keys,hr-keys,account-keys}'
  show
fi
statuses=("$STATUSES"/*.json)
[ -e "${statuses[0]}" ] || statuses=()
start "health" "$python" tests/chart/health.py "$(tests/tools/ensure.sh lua5.1)" "${statuses[@]}"
show
[ "${1:-}" = quick ] || [ ${#statuses[@]} -eq 7 ] || { echo "statuses of a cluster: expected 7, found ${#statuses[@]}"; failed=$((failed + 1)); }
echo "chart: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
