#!/usr/bin/env bash
# Prints a directory that has the packages of a lock file in node_modules: tests/tools/npm.sh DIRECTORY
#
# DIRECTORY has package.json, package-lock.json (versions and hashes) and .npmrc. The packages are kept outside of the checkout, in
# ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/npm. Their install scripts are not run. Needs node 20 or later and npm.
# Progress goes to stderr.
set -euo pipefail
from=${1:?usage: npm.sh DIRECTORY}
readonly lock_wait_seconds=600
files=("$from/package.json" "$from/package-lock.json" "$from/.npmrc")
modules=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/npm/$(cat "${files[@]}" | sha256sum | cut -c1-16)
mkdir -p "$modules"
exec 9>"$modules.lock"
flock -w "$lock_wait_seconds" 9 || { echo "npm: another installation of the packages of $from does not end" >&2; exit 1; }
if [ ! -e "$modules/complete" ] || ! (cd "$modules" && npm ls --all >/dev/null 2>&1); then
  echo "npm: fetching the packages of $from" >&2
  rm -rf "${modules:?}" && mkdir -p "$modules"
  cp "${files[@]}" "$modules/"
  (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  touch "$modules/complete"
  echo "npm: fetched in $SECONDS s" >&2
fi
echo "$modules"
