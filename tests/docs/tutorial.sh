#!/usr/bin/env bash
# Types the commands of docs/tutorial.md, in order, in one shell, and compares what they print with the page.
#
#   tests/docs/tutorial.sh            compares; the last line is "tutorial: N commands run, N not run"
#   tests/docs/tutorial.sh --write    puts what they print into the page, and the recorded terminal into docs/terminal.svg
#
# Needs what `make build` has built. The cluster is the test API server (tests/apiserver), which has no nodes; the operator is a process with the account, rights and
# flags of the chart; MinIO is the simulator, reached by MinIO's name through a proxy. What cannot be run is named at the end, and what stands in for it is in `type_line`.
set -euo pipefail
shopt -s extglob
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly page=docs/tutorial.md picture=docs/terminal.svg name=bucket-encryption-operator
readonly simulator=tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator
readonly patience=60 settle=5 # seconds for a process to be ready, and for what is shown to be as the page says

case ${1:-} in '' | --write) ;; *) echo "usage: tests/docs/tutorial.sh [--write]" >&2; exit 2 ;; esac
operator=$(tests/tools/operator.sh) helm=$(tests/tools/ensure.sh helm4) kubectl=$(tests/tools/ensure.sh kubectl)
work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-tutorial.XXXXXX")
pids=() run=0 not_run=()
finish() {
  local code=$?
  trap - EXIT
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  if [ "$code" -ne 0 ]; then tail -n 20 "$work"/*.log >&2; fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM INT
die() { echo "tutorial: $*" >&2; exit 1; }
mkdir "$work/bin"
ln -s "$kubectl" "$work/bin/kubectl"
ln -s "$helm" "$work/bin/helm"
export PATH=$work/bin:$PATH KUBECONFIG=$work/user.kubeconfig KUBECACHEDIR=$work/kubectl-cache HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm

# start NAME FILE COMMAND...: a process of this run, until it has written FILE
start() {
  local end=$((SECONDS + patience))
  "${@:3}" >"$work/$1.log" 2>&1 </dev/null &
  pids+=($!)
  until [ -s "$2" ]; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then die "$1 does not start"; fi
    sleep 0.1
  done
}

start_cluster() {
  start api-server "$work/api/ready" tests/apiserver/serve.sh "$work/api" --exit-with-parent
  cp "$work/api/admin.kubeconfig" "$KUBECONFIG"
}

# The chart, without pods; then the operator as the Deployment would start it, but for where it listens, and one replica.
install_operator() {
  local flags token=sa:$name:$name tokens
  eval "${1/ --wait/ --set replicas=0}" >/dev/null
  mapfile -t flags < <(kubectl get deployment --namespace $name $name -o 'jsonpath={range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' | grep -vE '^--(http-address|log-format)=|^--leader-elect$')
  # shellcheck source=/dev/null
  tokens=$(. "$work/api/server.env" && echo "$SERVICE_ACCOUNT_TOKENS")
  [ "$tokens" = direct ] || token=$(kubectl create token $name --namespace $name)
  install -m 600 "$work/api/admin.kubeconfig" "$work/operator.kubeconfig"
  kubectl config --kubeconfig "$work/operator.kubeconfig" set-credentials $name --token "$token" >/dev/null
  kubectl config --kubeconfig "$work/operator.kubeconfig" set-context --current --user $name >/dev/null
  start simulator "$work/store" "$simulator" --vendor MinIO --ready-file "$work/store"
  start operator "$work/operator.log" env http_proxy="$(<"$work/store")" no_proxy= "$operator" "${flags[@]}" --kubeconfig "$work/operator.kubeconfig" --http-address 127.0.0.1:0 --log-format plain
}

secret() { kubectl get secret minio --namespace minio -o "go-template={{.data.$1 | base64decode}}"; }
admin() { curl -fsS --max-time 10 -X "$1" "$(<"$work/store")/_admin/$2" ${3+--data "$3"} >/dev/null; }
# What MinIO does when its pod starts: it knows its root user and its one KMS key.
start_minio() {
  local key
  key=$(secret MINIO_KMS_SECRET_KEY)
  admin PUT "accounts/$(secret MINIO_ROOT_USER)" "{\"secret\": \"$(secret MINIO_ROOT_PASSWORD)\"}"
  admin PUT settings "{\"kmsKeys\": [\"${key%%:*}\"]}"
}
make_buckets() { grep -o 'here/[a-z0-9-]*' <<<"$1" | while read -r bucket; do admin PUT "buckets/${bucket#here/}" '{"region": "us-east-1"}'; done; }

# A line as it stands, or what stands in for it here.
type_line() {
  local line=${1//$'\\\n'+( )/}
  case $line in
    'kind create cluster'*) not_run+=("$line"); start_cluster ;;
    'kind '* | 'docker '* | 'kubectl rollout status '*) not_run+=("$line") ;;
    'helm install '*) not_run+=("--wait of: ${line%% --*}"); install_operator "$line" ;;
    'kubectl exec deploy/minio '*'mc mb '*) not_run+=("$line"); make_buckets "$line" ;;
    'kubectl exec deploy/minio '*'mc encrypt clear '*)
      sleep 4 # a person reads the page meanwhile: right after a write the operator takes a read without it for a slow store
      not_run+=("$line")
      admin DELETE "buckets/${line##*here/}/encryption"
      ;;
    'kubectl exec '*) die "nothing stands in for: $line" ;;
    'kubectl apply -f docs/tutorial/minio.yaml') eval "$1"; start_minio; run=$((run + 1)) ;;
    *) eval "$1"; run=$((run + 1)) ;;
  esac
}
# Times, and the space that a longer one takes, differ from run to run.
same() { sed -E 's/ +[0-9]+m?[0-9]*s$/   5s/'; }

# What the page has for each command, in files named by the command's first line. A line that ends with a backslash goes on.
expect() {
  awk -v dir="$work/expected" '/^```/ { on = $0 == "```console"; file = ""; next }
    on && /^\$ / { file = dir "/" NR; printf "" >file; typed = 1 }
    on && file != "" && !typed { print >file }
    typed && !/\\$/ { typed = 0 }' "$page"
}
# Events come a moment after the status: what only looks is asked again until it is as the page says, for some seconds.
print_line() {
  local end=$((SECONDS + settle))
  type_line "$2" >"$work/printed" || die "failed: $2"
  same <"$work/printed" >"$work/same"
  until cmp -s "$work/same" "$work/expected/$1" || [[ $2 != 'kubectl get '* ]] || [ "$SECONDS" -ge "$end" ]; do
    sleep 0.2
    eval "$2" | same >"$work/same"
  done
  cat "$work/same"
}

# The page, with what was printed in place of what it says.
play() {
  local line more first number=0 fence=no
  while IFS= read -r line; do
    number=$((number + 1))
    case $fence$line in
      no'```console') fence=yes ;;
      yes'```') fence=no ;;
      yes'$ '*)
        first=$number
        while [[ $line == *\\ ]] && IFS= read -r more; do
          number=$((number + 1))
          line+=$'\n'$more
        done
        printf '%s\n' "$line"
        print_line "$first" "${line#\$ }"
        continue
        ;;
      yes*) continue ;;
    esac
    printf '%s\n' "$line"
  done <"$page"
}

mkdir "$work/expected"
expect
play >"$work/page"
if [ "${1:-}" = --write ]; then
  cp "$work/page" "$page"
  python3 tests/docs/terminal.py "$page" >"$picture"
else
  diff -u "$page" "$work/page" || die "$page is not as the commands are: tests/docs/tutorial.sh --write"
  python3 tests/docs/terminal.py "$page" | diff -q "$picture" - || die "$picture is not what $page says: tests/docs/tutorial.sh --write"
fi
printf 'not run: %s\n' "${not_run[@]}"
echo "tutorial: $run commands run, ${#not_run[@]} not run"
