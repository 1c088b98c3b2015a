#!/usr/bin/env bash
# Prints the path of the operator to run, which OPERATOR chooses. Progress goes to stderr.
#
#   OPERATOR=native   the default: the program as it ships, which publish.sh compiles if src or crds has changed
#   OPERATOR=jit      what `make build` has built: for the edit-test loop
#   OPERATOR=FILE     another program: an image's
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
case ${OPERATOR:-native} in
  native) exec "$root/tests/tools/publish.sh" ;;
  jit) program=$root/src/BucketEncryptionOperator/bin/Release/net10.0/bucket-encryption-operator hint='make build' ;;
  *) program=$OPERATOR hint='OPERATOR is native, jit or a file' ;;
esac
if ! [ -f "$program" ] || ! [ -x "$program" ]; then
  echo "operator: $program is not there: $hint" >&2
  exit 1
fi
realpath "$program"
