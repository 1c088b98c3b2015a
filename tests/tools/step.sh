#!/usr/bin/env bash
# Runs one step and says what it is, how it ended and how long it took:   step.sh "what" command [arguments]
set -uo pipefail
what=$1
shift
printf '==> %s\n' "$what"
"$@"
code=$?
if [ "$code" -eq 0 ]; then printf '<== %s: ok, %d s\n' "$what" "$SECONDS"; else printf '<== %s: FAILED (exit code %d), %d s\n' "$what" "$code" "$SECONDS"; fi
exit "$code"
