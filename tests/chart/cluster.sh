# shellcheck shell=bash
# For scripts that test the chart on a real API server: source it with the Helm to use, helm3 or helm4, as $1. It starts nothing by itself. When the script
# ends, so do the API server and the operator, if they were started; the last line is then "N passed, N failed", and the first failure ends the script.
# shellcheck disable=SC2034  # whoever sources this uses them
readonly chart=charts/bucket-encryption-operator release=bucket-encryption-operator
passed=0
helm=$(tests/tools/ensure.sh "$1")
work=$(mktemp -d "${TMPDIR:-/tmp}/beo-chart.XXXXXX")

finish() {
  local code=$?
  trap - EXIT
  [ -z "${operator:-}" ] || { kill "$operator" && wait "$operator"; } 2>/dev/null || true
  [ -z "${server:-}" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$work"
  echo "$passed passed, $((code != 0)) failed"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

ok() { passed=$((passed + 1)); printf '    ok: %s\n' "$*"; }
die() { printf '    FAILED: %s\n' "$*"; exit 1; }
is() { [ "$2" = "$3" ] || die "$1: expected \"$3\", found \"$2\""; ok "$1"; }
# Quiet unless it fails.
quietly() { "$@" >"$work/output" 2>&1 || { cat "$work/output"; die "$*"; }; }
# The chart asks for an image; no node pulls it here.
readonly image=registry.example.com/bucket-encryption-operator
helm() {
  local set=()
  case $1 in install | upgrade) set=(--set "image.repository=$image") ;; esac
  quietly "$helm" "$@" "${set[@]}" --namespace "$release"
}
refused() { # word in the message, command...
  local word=$1
  shift
  if "$@" >"$work/output" 2>&1; then die "this should have been refused: $*"; fi
  grep -qF -- "$word" "$work/output" || { cat "$work/output"; die "refused, but not with \"$word\": $*"; }
}

start_api_server() {
  tests/apiserver/serve.sh "$work/api" --exit-with-parent >"$work/api.log" 2>&1 &
  server=$!
  for _ in {1..600}; do
    [ -s "$work/api/ready" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$work/api.log"; die "the API server has ended"; }
    sleep 0.1
  done
  export KUBECONFIG=$work/api/admin.kubeconfig KUBECACHEDIR=$work/kubectl-cache
  export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
  PATH=$(dirname "$(tests/tools/ensure.sh kubectl)"):$PATH
  printf 'API server %s, Helm %s\n' "$(<"$work/api/ready")" "$("$helm" version --short)"
}

# shellcheck disable=SC2046  # one argument per CRD
established() {
  quietly kubectl wait --for=condition=Established --timeout=20s $(kubectl get crd -o name | grep bucketencryption.io)
}
