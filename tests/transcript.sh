#!/usr/bin/env bash
# The transcript in docs/bucket-encryption-command.md, made for real: the command as built by `make build`, against simulated stores, with a home of its own.
#
#   tests/transcript.sh           prints it
#   tests/transcript.sh --check   compares it with the page
#   tests/transcript.sh --write   puts it into the page
#
# What differs from run to run is made the same: ports (9000, 9001 and so on, in the order in which the stores start), request ids, elapsed times.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly page=docs/bucket-encryption-command.md
readonly built=${CONFIGURATION:-Release}/net10.0
readonly program=$PWD/src/BucketEncryptionOperator/bin/$built
readonly simulator=tests/ObjectStoreSimulator/bin/$built/object-store-simulator
readonly patience=30 # seconds for a simulator to listen

work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-transcript.XXXXXX")
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

urls=()
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
    for i in "${!urls[@]}"; do line=${line/:$((9000 + i))/:${urls[i]##*:}}; done
    code=0
    env -i HOME="$work/home" PATH="$program:$PATH" DOTNET_ROOT="${DOTNET_ROOT:-}" bash -c "${line#\$ }" 2>&1 </dev/null || code=$?
    [ "$code" -eq 0 ] || printf '(exit code %d)\n' "$code"
  done
}

same() {
  local i ports=()
  for i in "${!urls[@]}"; do ports+=(-e "s/:${urls[i]##*:}([^0-9]|\$)/:$((9000 + i))\\1/g"); done
  sed -E "${ports[@]}" \
    -e 's/RequestId=[0-9A-Za-z-]+/RequestId=5C3D9175B6FC201293AD4890/g' -e 's/"requestId":"[0-9A-Za-z-]+"/"requestId":"5C3D9175B6FC201293AD4890"/g' \
    -e 's/^[0-9]+\.[0-9]{6}\(s\) elapsed$/0.123456(s) elapsed/' -e 's/"elapsedSeconds":[0-9.E-]+/"elapsedSeconds":0.123456/'
}

transcript() {
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

# The page with the transcript of stdin in place of the one between its marks.
with_transcript() {
  awk -v new="$1" '
    /^<!-- transcript -->$/ { print; print "```"; while ((getline line < new) > 0) print line; print "```"; skip = 1; found++; next }
    /^<!-- end of transcript -->$/ { skip = 0; found++ }
    !skip { print }
    END { if (found != 2) exit 1 }' "$page"
}

case ${1:-} in
  '') transcript ;;
  --check)
    transcript >"$work/fresh"
    with_transcript "$work/fresh" | diff -u "$page" - || { echo "$page is not as the command is: tests/transcript.sh --write" >&2; exit 1; }
    ;;
  --write)
    transcript >"$work/fresh"
    with_transcript "$work/fresh" >"$work/page"
    cp "$work/page" "$page"
    ;;
  *) echo "usage: tests/transcript.sh [--check | --write]" >&2; exit 2 ;;
esac
