#!/usr/bin/env bash
# The operator at work: a real API server, a simulated object store, and the operator as a process of its own with the rights of deploy/install.yaml only.
# Each scene prints what a user would type and what came of it, then checks the facts; the first one that is not so ends the demo.
#
#   make demo                                           the test API server of tests/apiserver, and Alibaba Cloud's store
#   make demo VENDOR=huawei                             another vendor's: alibaba, huawei, jdcloud or s3 (what differs is in tests/demo/vendors)
#   KUBEBUILDER_ASSETS=DIR make demo                    the kube-apiserver and etcd in DIR
#   USE_EXISTING_CLUSTER=true KUBECONFIG=F make demo    a cluster of yours that has none of this installed; what the demo makes there it removes again
#   HELM=helm4 HELM_FLAGS='--set …' make demo           installed by the chart instead of deploy/install.yaml (helm3 or helm4)
#   OPERATOR=jit make demo                              what `make build` has built instead of the program as it ships (tests/tools/operator.sh)
#   OPERATOR=FILE make demo                             another operator: the image's
#   KEEP=1 make demo                                    leaves everything up, and tells how to use and how to stop it
#
# demo.sh [VENDOR [--vendor-scenes]]: with the flag without the scenes that are the same for every vendor (the door, two replicas, rights).
# Needs what `make build` has built; the operator is published if need be. Everything is in one temporary directory; only processes that were started here are ended, by pid.
# shellcheck disable=SC2016  # commands are printed as they stand, and expand when they are run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly simulator=tests/ObjectStoreSimulator/bin/Release/net10.0/object-store-simulator
readonly installation=bucket-encryption-operator # namespace, service account, Deployment, ClusterRole and binding of deploy/install.yaml, and the release's name
readonly namespace=bucket-encryption-demo
readonly patience=20 # seconds that anything may take

# What differs from vendor to vendor:
#   vendor region endpoint owner     the simulator's --vendor, where its buckets are (reached by this name through a proxy, which is the simulator), and whose
#   store store_sample secret        the sample of a store, its name, and the Secret's
#   policy policy_sample buckets key the first policy, what it declares; mark: what each of its buckets then has
#   samples                          further deploy/samples/policy-….yaml
#   elsewhere                        another region of the vendor's
#   weak                             what drift leaves: an algorithm, or None
#   scratch scratch_removed          what scratch-space has at first, and when its encryption is removed
#   plain                            the vendor's least algorithm, in a policy's words
#   strong_policy strong_bucket strong_key weaken mend     a policy, a patch that would weaken its bucket, and one that takes that back
#   not_offered refusal              an encryption that the store cannot have, and what is said about it
#   kms before after                 the vendor's word for KMS, and what is around the default in its document
readonly table=tests/demo/vendors/${1:-alibaba}.sh
[ -r "$table" ] || { echo "usage: tests/demo/demo.sh [alibaba|huawei|jdcloud|s3 [--vendor-scenes]]" >&2; exit 2; }
# shellcheck source=tests/demo/vendors/alibaba.sh
. "$table"

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-demo.XXXXXX")
logs=$work/logs
mkdir "$logs"
operator='' operator_pid='' flags=() scene='the start' path_to_tools='' scenes=0 since='' gap='' made_in_cluster=no

# ---- helpers: talk

say() { printf '%s\n' "$*"; }
die() { printf '\ndemo: %s: %s\n' "$scene" "$*" >&2; exit 1; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

took() {
  [ -z "$since" ] || printf '    (%d.%d s)\n' $((($(now_ms) - since) / 1000)) $((($(now_ms) - since) % 1000 / 100))
  since=$(now_ms)
}
scene() {
  took
  scenes=$((scenes + 1))
  scene="scene $scenes"
  printf '\n=== %d. %s\n' "$scenes" "$1"
}

# What is printed is what is run.
run() {
  printf '\n$ %s\n' "$1"
  eval "$1"
  gap=$'\n'
}

# Applies files as they are, or, where they are for another store or endpoint than the demo's, through $HERE.
apply() {
  if sed -s "$HERE" "$@" | cmp -s - <(sed -s 1i--- "$@"); then run "kubectl apply ${*/#/-f }"; else run "sed -s \"\$HERE\" $* | kubectl apply -f -"; fi
}

# A command that must fail, and say this.
refused() {
  local output
  printf '\n$ %s\n' "$1"
  if output=$(eval "$1" 2>&1); then
    say "$output"
    die "this should have been refused"
  fi
  say "$output"
  [[ $output == *"$2"* ]] || die "refused, but not with: $2"
}

# ---- helpers: check

# A blank line parts what a command printed from what is said about it.
ok() {
  printf '%s    ok: %s\n' "$gap" "$*"
  gap=
}
is() {
  [ "$2" = "$3" ] || die "$1: expected \"$3\", found \"$2\""
  ok "$1: $2"
}
contains() {
  [[ $2 == *"$3"* ]] || die "$1: expected \"$3\" in: $2"
  ok "$1: $3"
}

# Asks again until it is so: until_so SECONDS "what is waited for" command...
until_so() {
  local end=$(($(now_ms) + $1 * 1000)) what=$2
  shift 2
  until "$@"; do
    [ -z "$operator_pid" ] || [ "${FUNCNAME[1]}" = stop_operator ] || alive "$operator_pid" || die "the operator has ended"
    [ "$(now_ms)" -lt "$end" ] || die "waited in vain for: $what"
    sleep 0.1
  done
}

# ---- helpers: facts

ready() { kubectl get bep "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].reason}'; }
row() { kubectl get bep "$1" -o "jsonpath={.status.buckets[?(@.name==\"$2\")].$3}"; }
wait_for_reason() { kubectl wait "bep/$1" --for=jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'="$2" --timeout=${patience}s >/dev/null || die "$1 never was $2"; }
wait_for_ready() { kubectl wait --for=condition=Ready "$@" --timeout=${patience}s >/dev/null || die "never Ready: $*"; }
versions() { kubectl get bep -o 'jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}'; }

# For the tests of Argo CD's and Flux's view, if STATUSES names a directory: keep_status ARGO-KSTATUS KIND/NAME
keep_status() { [ -z "${STATUSES:-}" ] || kubectl get "$2" -o json >"$STATUSES/$1--${2/\//-}.json"; }

admin() { curl -fsS --max-time "$patience" -X "$1" "$STORE/_admin/$2" ${3+--data "$3"}; }
has_mark() { [[ $(admin GET "buckets/$1/encryption" 2>/dev/null) == *"$mark"* ]]; }
# The vendor's document: document ALGORITHM [KEY]
document() { echo "$before<ApplyServerSideEncryptionByDefault><SSEAlgorithm>$1</SSEAlgorithm>${2+<KMSMasterKeyID>$2</KMSMasterKeyID>}</ApplyServerSideEncryptionByDefault>$after"; }
# Behind the operator's back: leave BUCKET with ALGORITHM (or None)
leave() {
  if [ "$2" = None ]; then admin DELETE "buckets/$1/encryption"; else admin PUT "buckets/$1/encryption" "$(document "$2")"; fi
}
# make_bucket NAME [OWNER [REGION]]
make_bucket() { admin PUT "buckets/$1" "{\"region\": \"${3:-$region}\", \"owner\": \"${2:-$owner}\"}"; }
has_encryption() { admin GET "buckets/$1/encryption" >/dev/null 2>&1; }
# PUTs and DELETEs that reached the store, of all buckets or of one.
writes() { admin GET counters | python3 -c 'import json, sys; print(sum(sys.argv[1] in ("", w["bucket"]) for w in json.load(sys.stdin)["writes"]))' "${1:-}"; }
buckets_read() { admin GET counters | python3 -c 'import json, sys; print(sum("GetBucketEncryption" in b for b in json.load(sys.stdin)["buckets"].values()))'; }

# ---- helpers: processes

# start LOG command...: the pid is in $started; what still runs when the demo ends is ended with it.
start() {
  local log=$logs/$1.log
  shift
  "$@" >>"$log" 2>&1 </dev/null &
  started=$!
}
alive() { kill -0 "$1" 2>/dev/null; }
is_file_or_dead() { [ -s "$1" ] || ! alive "$2"; }
# wait_for_file SECONDS FILE PID WHAT
wait_for_file() {
  until_so "$1" "$4" is_file_or_dead "$2" "$3"
  [ -s "$2" ] || die "$4 ended before it was ready"
}

run_operator() {
  : >"$logs/$1.log"
  start "$1" env http_proxy="$STORE" no_proxy= "$operator" "${flags[@]}" --kubeconfig "$work/operator.kubeconfig" --allowed-endpoints "$endpoint" --http-address 127.0.0.1:0 --log-format plain "${@:2}"
}
# start_operator [FLAGS]
start_operator() {
  run_operator operator.now "$@"
  operator_pid=$started
  until_so "$patience" "the operator's /readyz" operator_is_ready_or_dead
  alive "$operator_pid" || die "the operator ended before it was ready"
}
operator_is_ready_or_dead() {
  local url
  alive "$operator_pid" || return 0
  url=$(sed -n 's/.*Probes at //p' "$logs/operator.now.log")
  [ -n "$url" ] && curl -fs --max-time 2 "$url/readyz" >/dev/null
}
# stop_operator SIGNAL: its exit code is in $code
stop_operator() {
  [ "$1" != KILL ] || disown "$operator_pid" # so that bash does not report the death
  kill -s "$1" "$operator_pid"
  until_so "$patience" "the end of the operator" ended "$operator_pid"
  code=0
  wait "$operator_pid" 2>/dev/null || code=$?
  cat "$logs/operator.now.log" >>"$logs/operator.log"
  operator_pid=''
}
ended() { ! alive "$1" || [ "$(ps -o stat= -p "$1" | cut -c1)" = Z ]; }

clean_cluster() {
  [ "$made_in_cluster" = yes ] || return 0
  say "removing from the cluster what the demo made"
  kubectl delete --ignore-not-found --timeout=60s namespace/$namespace || true
  kubectl delete --ignore-not-found --timeout=60s -f deploy/install.yaml || true
}

finish() {
  local code=$? pid pids
  trap - EXIT INT TERM HUP
  set +e
  if [ "$code" -ge 130 ]; then
    printf '\ndemo: interrupted in %s\n' "$scene" >&2
  elif [ "$code" -ne 0 ]; then
    printf '\ndemo: FAILED in %s (exit code %d). The ends of the logs:\n' "$scene" "$code" >&2
    for log in "$logs"/*.log; do
      [ -s "$log" ] && printf -- '---- %s\n%s\n' "${log##*/}" "$(tail -n 25 "$log")" >&2
    done
  elif [ "${KEEP:-}" = 1 ]; then
    tell_how_to_use
    exit 0
  fi
  clean_cluster >&2
  pids=$(jobs -pr)
  for pid in $pids; do kill "$pid" 2>/dev/null; done
  for pid in $pids; do
    for _ in {1..50}; do ended "$pid" && break; sleep 0.1; done
    ended "$pid" || kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  rm -rf "$work"
  [ "$code" -ne 0 ] || say "demo: ok"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tell_how_to_use() {
  {
    echo '#!/bin/sh'
    if [ "$made_in_cluster" = yes ]; then
      echo "export KUBECONFIG=$KUBECONFIG"
      echo "kubectl delete --ignore-not-found namespace/$namespace"
      echo "kubectl delete --ignore-not-found -f $PWD/deploy/install.yaml"
    fi
    echo "for pid in $(jobs -pr | tr '\n' ' '); do kill \$pid 2>/dev/null; while kill -0 \$pid 2>/dev/null; do sleep 0.1; done; done"
    echo "rm -rf $work"
  } >"$work/stop"
  chmod +x "$work/stop"
  cat <<TEXT

Left running. In another shell:
  export KUBECONFIG=$KUBECONFIG STORE=$STORE
  export PATH=$(dirname "$operator"):${path_to_tools:+$path_to_tools:}\$PATH
  kubectl get bep -o wide
  curl \$STORE/_admin/buckets                                            # what the buckets have
  curl -X DELETE \$STORE/_admin/buckets/finance-archive/encryption       # drift: this policy's operator looks every 3 s, and puts it right

A policy of your own, for a bucket without encryption:
curl -X PUT \$STORE/_admin/buckets/my-bucket --data '{"region": "$region", "owner": "$owner"}'
kubectl apply -f - <<YAML
apiVersion: bucketencryption.io/v1alpha1
kind: BucketEncryptionPolicy
metadata: {name: mine}
spec:
  storeRef: {name: $store}
  buckets: [{name: my-bucket}]
  encryption: {algorithm: $plain}
YAML
kubectl wait --for=condition=Ready bep/mine --timeout=60s
kubectl get bep mine
curl \$STORE/_admin/buckets/my-bucket/encryption

A bucket that is not compliant, and why:
sleep 10                                                              # sooner after a write, a read may be behind, and is not believed
curl -X POST \$STORE/_admin/deny --data '{"bucket": "my-bucket", "operations": ["PutBucketEncryption"], "status": 403, "code": "AccessDenied", "byKms": false}'
curl -X DELETE \$STORE/_admin/buckets/my-bucket/encryption
bucket-encryption-operator reconcile mine --wait
bucket-encryption-operator status -A --not-compliant
curl -X DELETE \$STORE/_admin/deny                                     # then reconcile again

The operator's log:  $logs/operator.now.log
To stop it all:      $work/stop
demo: ok
TEXT
}

# ---- the start

start_api_server() {
  local flags=(--audit-log-path "$work/audit.log")
  [ "${KEEP:-}" = 1 ] || flags+=(--exit-with-parent)
  start api-server tests/apiserver/serve.sh "$work/api" "${flags[@]}"
  wait_for_file 60 "$work/api/ready" "$started" "the API server"
  # shellcheck source=/dev/null
  . "$work/api/server.env"
  say "API server ($KIND): $(<"$work/api/ready")"

  # One's own copy: the namespace is set in it, and kubectl's cache of other clusters is left alone.
  export KUBECONFIG=$work/user.kubeconfig KUBECACHEDIR=$work/kubectl-cache
  cp "$work/api/admin.kubeconfig" "$KUBECONFIG"
  kubectl config set-context --current --namespace="$namespace" >/dev/null
}

refuse_a_cluster_in_use() {
  local there
  there=$(kubectl get --ignore-not-found -o name crd/{bucketencryptionpolicies,bucketstores,clusterbucketstores}.bucketencryption.io \
    "namespace/$installation" "namespace/$namespace" "clusterrole/$installation" "clusterrolebinding/$installation")
  [ -z "$there" ] || die "this cluster has these already, and the demo would change and then remove them:"$'\n'"$there"
}

start_store() {
  local bucket
  start simulator "$simulator" --vendor "$vendor" --ready-file "$work/store.url"
  wait_for_file "$patience" "$work/store.url" "$started" "the simulator"
  STORE=$(<"$work/store.url")
  admin PUT accounts/example-key-id '{"secret": "example-key-secret"}'
  admin PUT accounts/example-hr-key-id '{"secret": "example-hr-key-secret"}'
  for bucket in "${buckets[@]}" backup-daily backup-weekly citizen-records web-assets web-logs scratch-space open-bucket locked-bucket locked-too payroll-2025 payroll-2026; do
    make_bucket "$bucket"
  done
  admin PUT buckets/backup-daily/encryption "$(document "$kms" example-backup-key-id)"
  leave scratch-space "$scratch"
  # What makes the samples ones of this store, at its simulated endpoint.
  HERE="1i---
s/name: hangzhou\\b/name: $store/
s/vendor: AlibabaOSS/vendor: $vendor/
s/oss-keys/$secret/
s/algorithm: AES256/algorithm: $plain/
/^  endpoint: .*aliyuncs/d
s#^  region: \\(cn-hangzhou\\|$region\\)\$#  region: $region\\n  endpoint: $endpoint#"
  export STORE HERE
  printf "object store (simulated): %s, STORE=%s, which the operator has as its proxy to %s\nHERE='%s'\n" "$vendor" "$STORE" "$endpoint" "$HERE"
}

# No pods: the operator is a process of this demo, with the Deployment's flags.
install() {
  made_in_cluster=$([ "$KIND" = existing ] && echo yes || echo no)
  if [ -n "${HELM:-}" ]; then
    kubectl create namespace "$namespace"
    local helm
    helm=$(tests/tools/ensure.sh "$HELM")
    # shellcheck disable=SC2086  # several words are meant
    HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm \
      "$helm" install "$installation" charts/bucket-encryption-operator --namespace "$installation" --create-namespace \
        --set image.repository=registry.example.com/bucket-encryption-operator --set replicas=0 ${HELM_FLAGS:-}
  else
    sed 's/^  replicas: 2$/  replicas: 0/' deploy/install.yaml | kubectl apply -f -
    kubectl create namespace "$namespace"
  fi
  kubectl wait --for=condition=Established --timeout=${patience}s crd/{bucketencryptionpolicies,bucketstores,clusterbucketstores}.bucketencryption.io >/dev/null
  # A resync of 30 s is the least that the CRD allows. Nobody wants to wait so long here: the demo's copy allows 1 s.
  kubectl get crd bucketencryptionpolicies.bucketencryption.io -o yaml | sed "s/duration('30s')/duration('1s')/" | kubectl replace -f -
  is "pods" "$(kubectl get deployment --namespace "$installation" "$installation" -o 'jsonpath={.spec.replicas}')" 0
  # But where this process listens and what it reaches here; and the lease, which has a scene of its own.
  mapfile -t flags < <(kubectl get deployment --namespace "$installation" "$installation" -o 'jsonpath={range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' |
    grep -vE '^--(http-address|log-format|allowed-endpoints)=|^--leader-elect$')
}

# The operator's kubeconfig: the cluster as it is, the token of its own service account, and no other identity.
write_operator_kubeconfig() {
  local file=$work/operator.kubeconfig token
  case $SERVICE_ACCOUNT_TOKENS in
    direct) token=sa:$installation:$installation ;;
    *) token=$(kubectl create token "$installation" --namespace "$installation") ;;
  esac
  (
    umask 077
    cp "$work/api/admin.kubeconfig" "$file"
  )
  kubectl config --kubeconfig "$file" delete-user "$(kubectl config --kubeconfig "$file" view --minify -o 'jsonpath={.users[0].name}')" >/dev/null 2>&1
  kubectl config --kubeconfig "$file" set-credentials "$installation" --token "$token" >/dev/null
  kubectl config --kubeconfig "$file" set-context --current --user "$installation" >/dev/null
}

# ---- the scenes

first_policy() {
  scene "A first policy"
  apply deploy/samples/secret.yaml
  apply "$store_sample"
  apply "$policy_sample"
  run "kubectl wait --for=condition=Ready bep/$policy --timeout=20s"
  run 'kubectl get bep'
  run "curl -s \$STORE/_admin/buckets/finance-archive/encryption"
  is "$policy" "$(ready "$policy")" "True InSync"
  keep_status Healthy-Current "bep/$policy"
  for bucket in "${buckets[@]}"; do
    contains "$bucket" "$(admin GET "buckets/$bucket/encryption")" "$mark"
    is "writes to $bucket" "$(writes "$bucket")" 1
  done
}

status_rows() {
  local last=${buckets[-1]}
  scene "What the status says"
  run "kubectl get bep $policy -o yaml | sed -n '/^status:/,\$p'"
  is "row of $last" "$(row "$policy" "$last" state) $(row "$policy" "$last" observed.kmsKeyId)" "InSync $key"
}

drift() {
  scene "Drift: somebody weakens a bucket behind the operator's back"
  say "    (the resync is set to 1 s; this demo's copy of the CRD allows that, the real one asks for 30 s at least)"
  run "kubectl patch bep $policy --type merge -p '{\"spec\":{\"resyncInterval\":\"1s\"}}'"
  leave finance-archive "$weak"
  say "    at the store: finance-archive now has $weak"
  until_so "$patience" "the correction of finance-archive" has_mark finance-archive
  say "    at the store: finance-archive has again what is declared"
  until_so "$patience" "the operator's word on it" grep -q "applied, from $weak to" "$logs/operator.now.log"
  say "    in the operator's log: $(grep -o "Bucket finance-archive: encryption applied, from $weak to.*" "$logs/operator.now.log" | tail -1)"
  is "writes to finance-archive" "$(writes finance-archive)" 2
  if [ ${#buckets[@]} -gt 1 ]; then is "writes to ${buckets[1]}" "$(writes "${buckets[1]}")" 1; fi
  is "$policy" "$(ready "$policy")" "True InSync"
}

other_samples() {
  local files=("${samples[@]/#/deploy/samples/policy-}")
  scene "The other samples that this vendor can have: ${samples[*]}"
  apply "${files[@]/%/.yaml}"
  wait_for_ready bep/backups
  is "backup-daily keeps its own key" "$(row backups backup-daily observed.kmsKeyId)" "example-backup-key-id"
  is "writes to backup-daily" "$(writes backup-daily)" 0
  is "backup-weekly" "$(row backups backup-weekly observed.algorithm) $(row backups backup-weekly observed.kmsKeyId)" "KMS "
  if [[ " ${samples[*]} " == *" sm4 "* ]]; then
    wait_for_ready bep/national-cipher
    is "citizen-records" "$(row national-cipher citizen-records observed.algorithm) $(row national-cipher citizen-records observed.kmsDataEncryption)" "KMS SM4"
  fi
  if [[ " ${samples[*]} " == *" aes256 "* ]]; then
    wait_for_ready bep/web
    is "web-assets" "$(row web web-assets observed.algorithm)" "AES256"
  fi
  run 'kubectl get bep'
}

no_encryption() {
  scene "No encryption, by consent: DELETE"
  has_encryption scratch-space || die "scratch-space should be encrypted at first"
  apply deploy/samples/policy-none.yaml
  run 'kubectl wait --for=condition=Ready bep/scratch --timeout=20s'
  is "scratch-space" "$(row scratch scratch-space observed.algorithm)" "$scratch_removed"
  is "writes to scratch-space" "$(writes scratch-space)" 1
  if has_encryption scratch-space; then die "scratch-space still has an encryption of its own"; fi
  ok "the store has nothing of its own for it"
}

suspend_and_delete() {
  scene "A policy that is suspended, then deleted: the bucket gets back what it had"
  make_bucket rented-bucket
  apply tests/demo/temporary.yaml
  wait_for_ready bep/temporary
  has_kms rented-bucket || die "rented-bucket should have KMS now"
  run "kubectl patch bep temporary --type merge -p '{\"spec\":{\"suspend\":true}}'"
  until_so "$patience" "the operator's word on the suspension" suspended temporary
  keep_status Suspended-Current bep/temporary
  run "kubectl patch bep temporary --type merge -p '{\"spec\":{\"suspend\":false}}'"
  wait_for_ready bep/temporary
  run "kubectl delete bep temporary --timeout=${patience}s"
  if has_kms rented-bucket; then die "rented-bucket should have what it had before"; fi
  is "writes to rented-bucket" "$(writes rented-bucket)" 2
}
has_kms() { [[ $(admin GET "buckets/$1/encryption" 2>/dev/null) == *">$kms<"* ]]; }
suspended() { [ "$(kubectl get bep "$1" -o 'jsonpath={.status.observedGeneration} {.status.conditions[?(@.type=="Compliant")].status}')" = "$(kubectl get bep "$1" -o 'jsonpath={.metadata.generation} Unknown')" ]; }

trouble() {
  scene "Trouble: a bucket that is missing, one that is denied, both at once"
  admin POST deny '{"bucket": "locked-bucket", "operations": ["GetBucketEncryption", "PutBucketEncryption"], "status": 403, "code": "AccessDenied", "byKms": false}' >/dev/null
  admin POST deny '{"bucket": "locked-too", "operations": ["GetBucketEncryption"], "status": 403, "code": "AccessDenied", "byKms": false}' >/dev/null
  apply tests/demo/troubled.yaml
  wait_for_reason missing NoSuchBucket
  wait_for_reason denied AccessDenied
  wait_for_reason both MultipleErrors
  run 'kubectl get bep missing denied both -o wide'
  run "kubectl get bep denied -o jsonpath='{range .status.buckets[*]}{.name}: {.state} {.error.operation} {.error.code} {.error.httpStatus} {.error.hint}{\"\\n\"}{end}'"
  is "denied" "$(ready denied) $(kubectl get bep denied -o 'jsonpath={.status.summary.text}')" "False AccessDenied 1/2"
  is "missing waits" "$(kubectl get bep missing -o 'jsonpath={.status.conditions[?(@.type=="Reconciling")].status}')" "True"
  keep_status Progressing-InProgress bep/missing
  keep_status Degraded-Failed bep/denied
  is "writes to locked-bucket (unknown is not \"unencrypted\")" "$(writes locked-bucket)" 0

  say ''
  say "    now the buckets are made and the rights granted; nobody touches the policies"
  make_bucket not-there-yet
  make_bucket nowhere-to-be-found
  admin DELETE deny
  wait_for_ready bep/missing bep/denied bep/both
  run 'kubectl get bep missing denied both'
}

rejected_key() {
  scene "A rejected key, mended in the Secret"
  apply tests/demo/rejected-key.yaml
  wait_for_reason payroll CredentialsRejected
  run 'kubectl get bep payroll -o wide'
  run "kubectl patch secret hr-keys -p '{\"stringData\":{\"accessKeySecret\":\"example-hr-key-secret\"}}'"
  local from
  from=$(now_ms)
  run 'kubectl wait --for=condition=Ready bep/payroll --timeout=15s'
  ok "Ready $((($(now_ms) - from) / 1000)) s after the Secret was mended, without a touch of the policy"
}

downgrade() {
  local before_it
  scene "A downgrade without consent is refused"
  before_it=$(writes "$strong_bucket")
  run "kubectl patch bep $strong_policy --type merge -p '$weaken'"
  wait_for_reason "$strong_policy" DowngradeRefused
  run "kubectl get bep $strong_policy -o wide"
  contains "$strong_bucket is as it was" "$(admin GET "buckets/$strong_bucket/encryption")" "<KMSMasterKeyID>$strong_key</KMSMasterKeyID>"
  is "writes to $strong_bucket" "$(writes "$strong_bucket")" "$before_it"
  run "kubectl patch bep $strong_policy --type merge -p '$mend'"
  wait_for_ready "bep/$strong_policy"
}

not_offered() {
  scene "What this vendor does not offer is refused before anything is sent"
  run "sed \"\$HERE; s/ENCRYPTION/$not_offered/\" tests/demo/not-offered.yaml | kubectl apply -f -"
  wait_for_reason not-offered InvalidSpec
  run 'kubectl get bep not-offered -o wide'
  contains "the message" "$(kubectl get bep not-offered -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}')" "$refusal"
  is "requests for its bucket" "$(admin GET counters | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["buckets"].get("future-bucket", {})))')" 0
  run 'kubectl delete bep not-offered'
}

invalid_specs() {
  scene "Nonsense is refused at the door, with a sentence that helps"
  refused "sed 's/algorithm: KMS/algorithm: AES256/' deploy/samples/policy-kms.yaml | kubectl apply -f -" \
    "a KMS key goes only with algorithm KMS or DSSE: remove kmsKey, or set algorithm to one of them"
  refused "sed '/allowDowngrade:/d' deploy/samples/policy-none.yaml | kubectl apply -f -" \
    "algorithm None removes the encryption of the buckets: set spec.allowDowngrade to true if that is what you want"
  refused "sed 's/web-assets/Web_Assets/' deploy/samples/policy-aes256.yaml | kubectl apply -f -" \
    "a bucket name has 3 to 63 lower-case letters, digits and hyphens (S3: and dots between them), and starts and ends with a letter or digit"
  refused "sed 's/region: cn-hangzhou/region: oss-cn-hangzhou/' deploy/samples/bucketstore.yaml | kubectl apply -f -" \
    "the region id goes without the prefix oss-, for example cn-hangzhou"
  refused "kubectl patch bep $policy --type merge -p '{\"spec\":{\"storeRef\":{\"name\":\"hr\"}}}'" \
    "storeRef cannot be changed, delete this policy and create another one for the other store"
}

restart() {
  scene "Killed and started again: everything is read, nothing is written"
  local before after buckets
  # The names of all buckets of all policies, one after the other.
  buckets=$(kubectl get bep -o 'jsonpath={.items[*].spec.buckets[*].name}' | wc -w)
  say "    (what is settled is read again within a resync, after a restart as before it; here they are set to 3 s)"
  # shellcheck disable=SC2046  # several words are meant
  kubectl patch $(kubectl get bep -o name) --type merge -p '{"spec":{"resyncInterval":"3s"}}' >/dev/null
  until_so "$patience" "the operator's word on that" all_seen
  before=$(versions)
  printf '\n$ kill -9 %s        # the operator\n' "$operator_pid"
  stop_operator KILL
  admin DELETE counters
  start_operator
  until_so "$patience" "a read of each of the $buckets buckets" all_read "$buckets"
  run 'kubectl get bep'
  after=$(versions)
  is "buckets read" "$(buckets_read)" "$buckets"
  is "writes to the store" "$(writes)" 0
  [ "$before" = "$after" ] || die "a status was written: $before, now $after"
  ok "writes to Kubernetes: 0 (all resource versions are as they were)"
}
all_seen() { [ "$(kubectl get bep -o 'jsonpath={.items[*].metadata.generation}')" = "$(kubectl get bep -o 'jsonpath={.items[*].status.observedGeneration}')" ]; }
all_read() { [ "$(buckets_read)" -ge "$1" ]; }

whole_account() {
  scene "Every bucket of an account: audited, then enforced"
  local of_account=210987654321 bucket
  say "    (an account of its own, with 40 buckets here and one in another region, none of them with $kms)"
  admin PUT accounts/example-account-key-id "{\"secret\": \"example-account-key-secret\", \"owner\": \"$of_account\"}"
  for bucket in data-{01..39} scratch-of-account; do make_bucket "$bucket" "$of_account"; done
  make_bucket data-far-away "$of_account" "$elsewhere"
  apply tests/demo/account.yaml
  run "sed 's/name: hangzhou/name: whole-account/' deploy/samples/policy-account.yaml | kubectl apply -f -"
  wait_for_reason account Audited
  run 'kubectl get bep account'
  run "kubectl get bep account -o jsonpath='{.status.discovery}{\"\n\"}'"
  is "Audit: selected, excluded, elsewhere" "$(discovered matched) $(discovered excluded) $(discovered otherRegions)" "39 1 1"
  is "what Enforce would send for data-01" "$(row account data-01 planned.operation)" PutBucketEncryption
  is "writes to the account's buckets" "$(account_writes)" 0

  say ''
  say "    now in earnest; but of more than 10 writes at once the operator asks first"
  run "kubectl patch bep account --type merge -p '{\"spec\":{\"mode\":\"Enforce\",\"resyncInterval\":\"1s\",\"bucketSelector\":{\"maxWrites\":10}}}'"
  wait_for_reason account TooManyWrites
  run 'kubectl get bep account -o wide'
  is "writes to the account's buckets" "$(account_writes)" 0
  run 'kubectl annotate bep account bucketencryption.io/confirmed-writes="$(kubectl get bep account -o jsonpath={.metadata.generation})"'
  wait_for_reason account InSync
  is "in sync" "$(kubectl get bep account -o 'jsonpath={.status.summary.text}')" 39/39
  is "writes to the account's buckets" "$(account_writes)" 39
  has_kms data-39 || die "data-39 should have $kms now"

  say ''
  say "    a new bucket"
  make_bucket data-new "$of_account"
  until_so "$patience" "the encryption of data-new" has_kms data-new
  until_so "$patience" "the row of data-new" has_row account data-new InSync
  ok "data-new is encrypted; nobody has named it"

  say ''
  say "    one is left to others"
  run "kubectl patch bep account --type merge -p '{\"spec\":{\"bucketSelector\":{\"excludeNames\":[\"scratch-*\",\"data-07\"]}}}'"
  until_so "$patience" "the end of the row of data-07" has_row account data-07 ''
  leave data-07 "$weak"
  kubectl annotate bep account reconcile.fluxcd.io/requestedAt=after-data-07 >/dev/null
  kubectl wait bep/account --for=jsonpath='{.status.lastHandledReconcileAt}'=after-data-07 --timeout=${patience}s >/dev/null || die "the request was not acted on"
  is "selected, excluded" "$(discovered matched) $(discovered excluded)" "39 2"
  if has_kms data-07; then die "data-07 is excluded, and was written"; fi
  ok "data-07 stays as others left it: $weak"

  say ''
  say "    one is named by another policy, which goes before a selector"
  apply tests/demo/named.yaml
  run "kubectl wait --for=condition=Ready bep/ledger --timeout=${patience}s"
  until_so "$patience" "the word on data-01" is_owned_by_others 1
  run 'kubectl get bep account ledger'
  contains "data-01" "$(admin GET buckets/data-01/encryption)" '<KMSMasterKeyID>example-ledger-key-id</KMSMasterKeyID>'
  is "account" "$(ready account) $(kubectl get bep account -o 'jsonpath={.status.conditions[?(@.type=="Compliant")].status}')" "True InSync True"
  is "writes to data-01: one of each policy" "$(writes data-01)" 2
}
discovered() { kubectl get bep account -o "jsonpath={.status.discovery.$1}"; }
has_row() { [ "$(row "$1" "$2" state)" = "$3" ]; }
is_owned_by_others() { [ "$(discovered ownedByOthers)" = "$1" ]; }
# Writes to buckets of that account, by anybody's key.
account_writes() { admin GET counters | python3 -c 'import json, sys; print(sum(w["bucket"].startswith(("data-", "scratch-of-")) for w in json.load(sys.stdin)["writes"]))'; }

shared_store() {
  scene "A store of the whole cluster, whose keys no team sees, for the namespaces that it allows"
  make_bucket shared-bucket
  run "sed \"\$HERE\" deploy/samples/secret.yaml | kubectl apply -n $installation -f -"
  run 'sed "$HERE" deploy/samples/clusterbucketstore.yaml | kubectl apply -f -'
  apply tests/demo/shared.yaml
  wait_for_reason shared StoreNotAllowed
  run "kubectl label namespace $namespace example.com/buckets=yes"
  run "kubectl wait --for=condition=Ready bep/shared --timeout=${patience}s"
  run 'kubectl get clusterbucketstores'
  has_kms shared-bucket || die "shared-bucket should have KMS now"
  ok "shared-bucket is encrypted"
  keep_status Healthy-Current clusterbucketstore/company
}

two_replicas() {
  scene "Two replicas with --leader-elect: one works, the other stands by and takes over"
  local standby from
  stop_operator TERM
  start_operator --leader-elect
  until_so "$patience" "the first to lead" grep -q 'Leading, as' "$logs/operator.now.log"
  run_operator standby --leader-elect
  standby=$started
  until_so "$patience" "the second to stand by" grep -q 'Standing by' "$logs/standby.log"
  run "kubectl get lease -n $installation $installation -o jsonpath='{.spec.holderIdentity}{\"\n\"}'"
  printf '\n$ kill -TERM %s        # the leader\n' "$operator_pid"
  stop_operator TERM
  from=$(now_ms)
  until_so "$patience" "the standby to lead" grep -q 'Leading, as' "$logs/standby.log"
  ok "the standby leads $(($(now_ms) - from)) ms after the leader's end"
  operator_pid=$standby
  mv "$logs/standby.log" "$logs/operator.now.log"
  leave finance-archive "$weak"
  until_so "$patience" "the correction of finance-archive" has_mark finance-archive
  ok "and corrects drift"
}

rights() {
  scene "What the operator asked of the API server, with the installed rights as its only ones"
  kubectl get --all-namespaces -o json clusterroles,clusterrolebindings,roles,rolebindings >"$work/rbac.json"
  tests/demo/rights.py "$work/audit.log" "$work/rbac.json" "$installation" "$installation/" || die "see above"
}

orderly_stop() {
  scene "An orderly stop: what is under way is finished"
  say "    (the store answers a request for finance-archive only 3 s after the signal)"
  admin POST holds '{"bucket": "finance-archive", "phase": "after", "times": 1}' >/dev/null
  admin GET 'held?atLeast=1&waitSeconds=15' | grep -q finance-archive || die "nothing was asked of finance-archive"
  printf '\n$ kill -TERM %s        # the operator\n' "$operator_pid"
  (
    sleep 3
    admin DELETE holds
  ) &
  stop_operator TERM
  is "exit code" "$code" 0
}

main() {
  local tool
  tool=$(tests/tools/ensure.sh kubectl)
  [ "$(command -v kubectl)" = "$tool" ] || path_to_tools=$(dirname "$tool")
  PATH=$(dirname "$tool"):$PATH
  tests/tools/ensure.sh curl >/dev/null
  [ -x "$simulator" ] || die "$simulator is not there: make build"
  operator=$(tests/tools/operator.sh)

  local begin
  begin=$(now_ms) since=$begin
  start_api_server
  refuse_a_cluster_in_use
  start_store
  install
  write_operator_kubeconfig
  start_operator
  say "operator: ${operator#"$PWD/"}, process $operator_pid, as service account $installation/$installation"

  first_policy
  status_rows
  drift
  other_samples
  no_encryption
  suspend_and_delete
  trouble
  rejected_key
  downgrade
  not_offered
  restart
  whole_account
  if [ "${2:-}" = --vendor-scenes ]; then
    say 'not run, as they are the same for every vendor: nonsense at the door, two replicas, rights'
  else
    invalid_specs
    if [[ " ${flags[*]} " == *" --cluster-stores=true "* ]]; then shared_store; fi
    two_replicas
    if [ "$AUDIT_LOG" = yes ]; then rights; fi
  fi
  if [ "${KEEP:-}" != 1 ]; then orderly_stop; fi
  took
  printf '\nall scenes: %d s\n' $((($(now_ms) - begin) / 1000))
}

main "$@"
