#!/usr/bin/env bash
# Runs a Kubernetes API server for tests, in the foreground.
#
#   tests/apiserver/serve.sh DATA_DIR [--secure-port P] [--audit-log-path FILE] [--exit-with-parent] [server flags]
#   tests/apiserver/serve.sh --prepare      only makes sure that a server could start: builds it, or checks what it was given
#
# Which one, in this order:
#   USE_EXISTING_CLUSTER=true   the cluster of $KUBECONFIG (which must be set: no test runs against a default by accident)
#   KUBEBUILDER_ASSETS=DIR      the kube-apiserver and etcd in DIR (envtest's convention)
#   neither                     the test API server of this directory, built first if need be (build.sh)
#
# The contract, which a shell script and a C# fixture use alike:
#   - The caller's child process becomes the server (exec). Ending it ends etcd too, even with kill -9. With an existing cluster the child only waits.
#   - DATA_DIR is made if absent, and may be used again: the same data, certificates and administrator. With the same --secure-port, clients that
#     were connected before find the server again. One server at a time may use a DATA_DIR.
#   - DATA_DIR/ready appears, whole, when /readyz answers ok; it holds the URL. Wait for it while the child lives: a first build takes minutes,
#     a start about 1.5 s. Who uses a DATA_DIR again removes the old `ready` before the start (this script does too, but a moment later).
#   - DATA_DIR/admin.kubeconfig: an administrator (system:masters), with all certificates inside. Written before `ready`.
#   - DATA_DIR/server.env: what this server can do, as shell assignments. Written before `ready`.
#       KIND=built|envtest|existing
#       SERVICE_ACCOUNT_TOKENS=direct    the bearer token "sa:NAMESPACE:NAME" is that service account
#                              request   ask for one: kubectl create token NAME -n NAMESPACE
#       AUDIT_LOG=yes|no                 whether --audit-log-path is heeded (one JSON line a request, metadata level, without the server's own)
#       CONTROLLERS=yes|no               whether namespaces are emptied and orphans collected
#       RESTARTABLE=yes|no               whether it can be killed and started again
#   - --secure-port 0, or none, takes a free port.
#   - --exit-with-parent: the server ends when the process that started this script has ended.
#   - Progress and errors go to stderr; exit code 0 after SIGTERM or SIGINT.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

prepare() {
  if [ "${USE_EXISTING_CLUSTER:-}" = true ]; then
    [ -n "${KUBECONFIG:-}" ] || { echo "serve.sh: USE_EXISTING_CLUSTER=true needs KUBECONFIG" >&2; exit 2; }
    echo "API server: the cluster of $KUBECONFIG"
  elif [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    [ -x "$KUBEBUILDER_ASSETS/kube-apiserver" ] || { echo "serve.sh: KUBEBUILDER_ASSETS has no kube-apiserver" >&2; exit 2; }
    "$here/../tools/ensure.sh" openssl >/dev/null
    echo "API server: the one in $KUBEBUILDER_ASSETS"
  else
    echo "API server: $("$here/build.sh")"
  fi
}

case ${1:-} in
  --prepare)
    prepare
    exit 0
    ;;
  '' | -*)
    echo "usage: serve.sh DATA_DIR [--secure-port P] [--audit-log-path FILE] [--exit-with-parent] [server flags]" >&2
    exit 2
    ;;
esac
mkdir -p "$1"
data=$(cd "$1" && pwd)
shift
chmod 700 "$data"
rm -f "$data/ready"

exit_with=0 flags=()
for flag in "$@"; do
  case $flag in
    --exit-with-parent) exit_with=$PPID ;;
    *) flags+=("$flag") ;;
  esac
done

describe() { printf '%s\n' "$@" >"$data/server.env"; }

serve_existing() {
  local kubectl url
  prepare >&2
  kubectl=$("$here/../tools/ensure.sh" kubectl)
  "$kubectl" config view --minify --flatten --raw >"$data/admin.kubeconfig"
  chmod 600 "$data/admin.kubeconfig"
  url=$("$kubectl" config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
  "$kubectl" get --raw /readyz --request-timeout=30s >/dev/null
  describe KIND=existing SERVICE_ACCOUNT_TOKENS=request AUDIT_LOG=no CONTROLLERS=yes RESTARTABLE=no
  echo "$url" >"$data/ready.new"
  mv "$data/ready.new" "$data/ready"
  echo "ready $url kubeconfig=$data/admin.kubeconfig (existing cluster)" >&2
  [ "$exit_with" -ne 0 ] || exec sleep infinity
  while kill -0 "$exit_with" 2>/dev/null; do sleep 1; done
}

if [ "${USE_EXISTING_CLUSTER:-}" = true ]; then
  serve_existing
elif [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  describe KIND=envtest SERVICE_ACCOUNT_TOKENS=request AUDIT_LOG=yes CONTROLLERS=no RESTARTABLE=yes
  exec python3 "$here/envtest.py" "$KUBEBUILDER_ASSETS" "$data" "$exit_with" "${flags[@]}"
else
  bin=$("$here/build.sh")
  describe KIND=built SERVICE_ACCOUNT_TOKENS=direct AUDIT_LOG=yes CONTROLLERS=yes RESTARTABLE=yes
  exec "$bin/test-apiserver" --etcd-binary "$bin/etcd" --data-dir "$data" --parent-pid "$exit_with" "${flags[@]}"
fi
