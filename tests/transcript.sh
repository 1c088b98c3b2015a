#!/usr/bin/env bash
# The transcripts in docs/bucket-encryption-command.md and docs/commands.md, made for real: the commands as built by `make build`, against
# simulated stores, and for commands.md against an API server (tests/apiserver) with an operator, with a home of their own.
#
#   tests/transcript.sh [PAGE]           prints them, or that of one page
#   tests/transcript.sh --check [PAGE]   compares them with the pages
#   tests/transcript.sh --write [PAGE]   puts them into the pages
#
# What differs from run to run is made the same: ports (9000, 9001 and so on, in the order in which the stores start), request ids, times.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly bucket_page=docs/bucket-encryption-command.md commands_page=docs/commands.md
readonly built=${CONFIGURATION:-Release}/net10.0
readonly program=$PWD/src/BucketEncryptionOperator/bin/$built
readonly simulator=$PWD/tests/ObjectStoreSimulator/bin/$built/object-store-simulator
readonly root=$PWD
readonly patience=30 # seconds for a simulator to listen
readonly start_seconds=600 # for an API server, which may have to be built

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-transcript.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

# start_store NAME SEED [FLAG…]: its URL is the next in $urls
start_store() {
  local end=$((SECONDS + patience))
  printf '%s\n' "$2" >"$work/$1.seed"
  "$simulator" --listen 127.0.0.1:0 "${@:3}" --ready-file "$work/$1.url" --seed-file "$work/$1.seed" >"$work/$1.log" 2>&1 &
  pids+=($!)
  until [ -s "$work/$1.url" ]; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
      cat "$work/$1.log" >&2
      return 1
    fi
    sleep 0.05
  done
  urls+=("$(<"$work/$1.url")")
}

# Each line of stdin: a comment is shown, a command is shown and run, and its exit code told if it is not 0.
play() {
  local line code i
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line == '$ '* ]] || continue
    for i in "${!urls[@]}"; do line=${line//:$((9000 + i))/:${urls[i]##*:}}; done
    code=0
    env -i HOME="$work/home" PATH="$program:$work/bin:$PATH" DOTNET_ROOT="${DOTNET_ROOT:-}" KUBECONFIG="${kubeconfig:-}" bash -c "${line#\$ }" 2>&1 </dev/null || code=$?
    [ "$code" -eq 0 ] || printf '(exit code %d)\n' "$code"
  done
}

same() {
  local i ports=()
  for i in "${!urls[@]}"; do ports+=(-e "s/:${urls[i]##*:}([^0-9]|\$)/:$((9000 + i))\\1/g"); done
  sed -E "${ports[@]}" -e 's/\r$//' \
    -e 's/RequestId=[0-9A-Za-z-]+/RequestId=5C3D9175B6FC201293AD4890/g' -e 's/"requestId":"[0-9A-Za-z-]+"/"requestId":"5C3D9175B6FC201293AD4890"/g' \
    -e 's/"requestId": "[0-9A-Za-z-]+"/"requestId": "5C3D9175B6FC201293AD4890"/' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/2026-11-21T04:11:33Z/g' \
    -e 's/v1\.[0-9]+\.[0-9]+[^ ]*/v1.34.1/' -e 's/[0-9]+ s from the/0 s from the/' -e 's/  [0-9]{1,2}s$/  5s/' -e 's/  [0-9]s   /  5s   /' -e 's/  [0-9]{2}s  /  5s   /' \
    -e 's/^[0-9]+\.[0-9]{6}\(s\) elapsed$/0.123456(s) elapsed/' -e 's/"elapsedSeconds":[0-9.E-]+/"elapsedSeconds":0.123456/'
}

bucket_transcript() {
  start_store main '{"accounts": [{"accessKeyId": "example-key-id", "secret": "example-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "finance-archive", "region": "cn-hangzhou"}, {"name": "finance-ledger", "region": "cn-hangzhou"}]}'
  start_store other '{"accounts": [{"accessKeyId": "example-hr-key-id", "secret": "example-hr-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "payroll", "region": "cn-shanghai"}]}'
  start_store huawei '{"accounts": [{"accessKeyId": "example-obs-key-id", "secret": "example-obs-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "media", "region": "cn-north-4"}]}' --vendor HuaweiOBS
  start_store s3 '{"accounts": [{"accessKeyId": "example-s3-key-id", "secret": "example-s3-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "media", "region": "eu-central-1"}]}' --vendor S3
  start_store jdcloud '{"accounts": [{"accessKeyId": "example-jd-key-id", "secret": "example-jd-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "media", "region": "cn-north-1"}]}' --vendor JDCloudOSS
  mkdir "$work/home"
  printf '[Credentials]\nlanguage=EN\nendpoint=%s\naccessKeyID=example-key-id\naccessKeySecret=example-key-secret\nregion=cn-hangzhou\n' "${urls[0]}" >"$work/home/.ossutilconfig"
  play <<'PLAY' | same
$ cat ~/.ossutilconfig

# Put AES256, and get it.
$ bucket-encryption-operator bucket-encryption --method put oss://finance-archive --sse-algorithm AES256
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive

# Put KMS with a key, and get it.
$ bucket-encryption-operator bucket-encryption --method put oss://finance-archive --sse-algorithm KMS --kms-masterkey-id 9468da86-example-key
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive

# Put KMS with the vendor's key and SM4 data encryption, and get it.
$ bucket-encryption-operator bucket-encryption --method put oss://finance-archive --sse-algorithm KMS --kms-data-encryption SM4
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive

# Put SM4, and get it.
$ bucket-encryption-operator bucket-encryption --method put oss://finance-archive --sse-algorithm SM4
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive

# Delete; then nothing is configured.
$ bucket-encryption-operator bucket-encryption --method delete oss://finance-archive
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive

# Any other error of the vendor's.
$ bucket-encryption-operator bucket-encryption --method put oss://no-such-bucket --sse-algorithm AES256

# What is refused before anything is sent.
$ bucket-encryption-operator bucket-encryption oss://finance-archive
$ bucket-encryption-operator bucket-encryption --method list oss://finance-archive
$ bucket-encryption-operator bucket-encryption --method put oss://finance-archive --sse-algorithm AES256 --kms-masterkey-id 9468da86-example-key
$ bucket-encryption-operator bucket-encryption --method get oss://finance-archive --mode EcsRamRole

# Another account and endpoint; without a region the signature is of version 1.
$ bucket-encryption-operator bucket-encryption --method put oss://payroll --sse-algorithm AES256 -e http://127.0.0.1:9001 -i example-hr-key-id -k example-hr-key-secret --region cn-shanghai
$ bucket-encryption-operator bucket-encryption --method get oss://payroll -c /dev/null -e http://127.0.0.1:9001 -i example-hr-key-id -k example-hr-key-secret

# Keys from the environment, and JSON for scripts.
$ export OSS_ACCESS_KEY_ID=example-hr-key-id OSS_ACCESS_KEY_SECRET=example-hr-key-secret; bucket-encryption-operator bucket-encryption --method get oss://payroll -c /dev/null -e http://127.0.0.1:9001 --region cn-shanghai --json
$ bucket-encryption-operator bucket-encryption --method get oss://finance-ledger --json
$ bucket-encryption-operator bucket-encryption --method delete oss://no-such-bucket --json

# Huawei Cloud OBS, by its own host name; here a proxy leads it to the simulated store.
$ http_proxy=http://127.0.0.1:9002 bucket-encryption-operator bucket-encryption --method put obs://media --sse-algorithm KMS --kms-masterkey-id 9468da86-example-key -e http://obs.cn-north-4.myhuaweicloud.com --region cn-north-4 -i example-obs-key-id -k example-obs-key-secret
$ http_proxy=http://127.0.0.1:9002 bucket-encryption-operator bucket-encryption --method get obs://media -e http://obs.cn-north-4.myhuaweicloud.com --region cn-north-4 -i example-obs-key-id -k example-obs-key-secret

# S3: what AWS has by itself, and what a removal leaves.
$ bucket-encryption-operator bucket-encryption --method get s3://media -e http://127.0.0.1:9003 --region eu-central-1 -i example-s3-key-id -k example-s3-key-secret
$ bucket-encryption-operator bucket-encryption --method put s3://media --sse-algorithm KMS -e http://127.0.0.1:9003 --region eu-central-1 -i example-s3-key-id -k example-s3-key-secret
$ bucket-encryption-operator bucket-encryption --method delete s3://media -e http://127.0.0.1:9003 --region eu-central-1 -i example-s3-key-id -k example-s3-key-secret
$ bucket-encryption-operator bucket-encryption --method get s3://media -e http://127.0.0.1:9003 --region eu-central-1 -i example-s3-key-id -k example-s3-key-secret

# JD Cloud speaks S3's dialect, and must be named; it has KMS only.
$ bucket-encryption-operator bucket-encryption --vendor jdcloud --method put s3://media --sse-algorithm KMS -e http://127.0.0.1:9004 --region cn-north-1 -i example-jd-key-id -k example-jd-key-secret
$ bucket-encryption-operator bucket-encryption --vendor jdcloud --method put s3://media --sse-algorithm AES256 -e http://127.0.0.1:9004 --region cn-north-1 -i example-jd-key-id -k example-jd-key-secret
$ bucket-encryption-operator bucket-encryption --vendor jdcloud --method get s3://media -e http://127.0.0.1:9004 --region cn-north-1 -i example-jd-key-id -k example-jd-key-secret
PLAY
}

# Starts an API server with our CRDs and a namespace, and an operator.
start_cluster() {
  local end=$((SECONDS + start_seconds))
  kubectl=$("$root/tests/tools/ensure.sh" kubectl)
  ln -s "$kubectl" "$work/bin/kubectl"
  kubeconfig=$work/api/admin.kubeconfig
  "$root/tests/apiserver/serve.sh" "$work/api" --secure-port 0 --exit-with-parent >"$work/api.log" 2>&1 &
  pids+=($!)
  until [ -s "$work/api/ready" ]; do
    if ! kill -0 "${pids[-1]}" 2>/dev/null || [ "$SECONDS" -ge "$end" ]; then
      cat "$work/api.log" >&2
      return 1
    fi
    sleep 0.2
  done
  {
    "$kubectl" --kubeconfig "$kubeconfig" apply -f "$root/crds"
    "$kubectl" --kubeconfig "$kubeconfig" wait --for=condition=Established --timeout=30s crd/bucketencryptionpolicies.bucketencryption.io \
      crd/bucketstores.bucketencryption.io crd/clusterbucketstores.bucketencryption.io
    "$kubectl" --kubeconfig "$kubeconfig" create namespace finance
    "$kubectl" --kubeconfig "$kubeconfig" create secret generic oss-keys -n finance --from-literal=accessKeyId=example-key-id \
      --from-literal=accessKeySecret=example-key-secret
    sed "s|:9000|:${urls[0]##*:}|" store.yaml | "$kubectl" --kubeconfig "$kubeconfig" apply -f -
  } >"$work/setup.log" 2>&1 || { cat "$work/setup.log" >&2; return 1; }
  "$program/bucket-encryption-operator" run --kubeconfig "$kubeconfig" --allowed-endpoints "${urls[0]}" --http-address 127.0.0.1:0 >"$work/operator.log" 2>&1 &
  pids+=($!)
}

commands_transcript() {
  start_store estate '{"accounts": [{"accessKeyId": "example-key-id", "secret": "example-key-secret", "enabled": true, "kmsEnabled": true, "sm4Enabled": true}],
    "buckets": [{"name": "finance-archive", "region": "cn-hangzhou"}, {"name": "finance-ledger", "region": "cn-hangzhou",
      "encryption": "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>example-kms-key-id</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"}]}'
  mkdir -p "$work/home" "$work/files"
  cd "$work/files"
  cat >store.yaml <<'STORE'
apiVersion: bucketencryption.io/v1alpha1
kind: BucketStore
metadata: {name: oss, namespace: finance}
spec:
  vendor: AlibabaOSS
  region: cn-hangzhou
  endpoint: http://127.0.0.1:9000
  credentials: {secretRef: {name: oss-keys}}
STORE
  cat >policy.yaml <<'POLICY'
---
apiVersion: bucketencryption.io/v1alpha1
kind: BucketEncryptionPolicy
metadata: {name: archive, namespace: finance}
spec:
  storeRef: {name: oss}
  buckets:
  - name: finance-archive
  - name: finance-ledger
  encryption: {algorithm: KMS, kmsKey: {id: example-kms-key-id}}
POLICY
  sed 's/kmsKey: {id: example-kms-key-id}/kmskey: {id: 5}/' policy.yaml >misspelt.yaml
  sed 's/KMS, kmsKey: {id: example-kms-key-id}/AES256/' policy.yaml >weaker.yaml
  sed 's|endpoint: .*|endpoint: https://collector.example.com|' store.yaml >hostile.yaml
  printf '[Credentials]\naccessKeyID=example-key-id\naccessKeySecret=example-key-secret\n' >keys.ini
  start_cluster
  # The simulator listens on another port in each run
  sed -i "s|:9000|:${urls[0]##*:}|" store.yaml
  play <<'PLAY' | same
$ cat store.yaml policy.yaml

# What would be done, before anything is applied.
$ bucket-encryption-operator plan -f store.yaml -f policy.yaml --store-keys finance/oss=file:keys.ini --allowed-endpoints http://127.0.0.1:9000
$ cat store.yaml policy.yaml | bucket-encryption-operator plan -f - --store-keys finance/oss=file:keys.ini --allowed-endpoints http://127.0.0.1:9000 -o github

# A weaker encryption is refused without consent.
$ bucket-encryption-operator plan -f store.yaml -f weaker.yaml --store-keys finance/oss=file:keys.ini --allowed-endpoints http://127.0.0.1:9000

# A mistake in a file; and a key that nobody has given.
$ bucket-encryption-operator plan -f store.yaml -f misspelt.yaml --allowed-endpoints http://127.0.0.1:9000
$ bucket-encryption-operator plan -f store.yaml -f policy.yaml --allowed-endpoints http://127.0.0.1:9000

# A stranger's endpoint gets no request, whatever keys are given.
$ bucket-encryption-operator plan -f hostile.yaml -f policy.yaml --store-keys finance/oss=file:keys.ini

# An estate as policies, and nothing to do.
$ bucket-encryption-operator export --vendor alibaba --region cn-hangzhou -e http://127.0.0.1:9000 --keys file:keys.ini --allowed-endpoints http://127.0.0.1:9000 | tee estate.yaml
$ bucket-encryption-operator plan -f estate.yaml --store-keys alibaba-cn-hangzhou=file:keys.ini --allowed-endpoints http://127.0.0.1:9000
$ bucket-encryption-operator export --vendor alibaba --region cn-hangzhou -e http://127.0.0.1:9000 --keys file:keys.ini --allowed-endpoints http://127.0.0.1:9000 --match 'none-*'
$ bucket-encryption-operator export --vendor acme --region cn-hangzhou

# Before the operator does anything: is all there that it needs?
$ bucket-encryption-operator doctor --store oss -n finance --allowed-endpoints http://127.0.0.1:9000 -o markdown
$ bucket-encryption-operator doctor -f hostile.yaml

# Apply, and ask for a reconcile.
$ kubectl apply -f policy.yaml
$ bucket-encryption-operator reconcile -n finance archive --wait
$ bucket-encryption-operator status -n finance
$ bucket-encryption-operator report -n finance -o csv
$ bucket-encryption-operator suspend -n finance --all
$ bucket-encryption-operator resume -n finance archive
$ bucket-encryption-operator suspend -n finance

# A policy that cannot be fulfilled.
$ sed 's/finance-archive/no-such-bucket/; s/name: archive/name: lost/' policy.yaml | kubectl apply -f -
$ bucket-encryption-operator reconcile -n finance lost --wait
$ bucket-encryption-operator status -n finance --not-compliant
$ bucket-encryption-operator status -n finance none

# What a reason means.
$ bucket-encryption-operator explain DowngradeRefused
$ bucket-encryption-operator explain Downgrade
$ bucket-encryption-operator completion tcsh
PLAY
}

end_started() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
}

# Prints the transcript of a page.
transcript() {
  (
    urls=() pids=()
    trap end_started EXIT
    case $1 in
      "$bucket_page") bucket_transcript ;;
      "$commands_page") commands_transcript ;;
      *) echo "transcript.sh: $1 has no transcript" >&2; exit 2 ;;
    esac
  )
}

# The page with the transcript of a file in place of the one between its marks: with_transcript FILE PAGE
with_transcript() {
  awk -v new="$1" '
    /^<!-- transcript -->$/ { print; print "```"; while ((getline line < new) > 0) print line; print "```"; skip = 1; found++; next }
    /^<!-- end of transcript -->$/ { skip = 0; found++ }
    !skip { print }
    END { if (found != 2) exit 1 }' "$2"
}

mode=
case ${1:-} in
  --check | --write) mode=$1; shift ;;
  --*) echo "usage: tests/transcript.sh [--check | --write] [PAGE]" >&2; exit 2 ;;
esac
pages=("$@")
[ $# -gt 0 ] || pages=("$bucket_page" "$commands_page")
for page in "${pages[@]}"; do
  case $mode in
    '') transcript "$page" ;;
    --check)
      transcript "$page" >"$work/fresh"
      with_transcript "$work/fresh" "$page" | diff -u "$page" - || { echo "$page is not as the commands are: tests/transcript.sh --write" >&2; exit 1; }
      ;;
    --write)
      transcript "$page" >"$work/fresh"
      with_transcript "$work/fresh" "$page" >"$work/page"
      cp "$work/page" "$page"
      ;;
  esac
done
