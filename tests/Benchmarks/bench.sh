#!/usr/bin/env bash
# Measures the operator beside peer-client-go, the same job on client-go: docs/benchmarks.md. Real API server, simulated store, loopback only.
#
#   tests/Benchmarks/bench.sh [--rounds N] [SCENE …]    needs what `make build` has built; without a scene, those of `make bench`
#   OPERATOR=jit make bench                             measures what `make build` has built, not the program as it ships (tests/tools/operator.sh)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
unset USE_EXISTING_CLUSTER # ten thousand objects are nothing for a cluster of somebody's
KUBECTL=$(tests/tools/ensure.sh kubectl)
tests/apiserver/serve.sh --prepare
PEER=$(tests/apiserver/build.sh --program tests/Benchmarks/peer-client-go)/peer-client-go
OPERATOR=$(tests/tools/operator.sh)
BENCHMARKS=$(tests/Benchmarks/compile.sh)
export KUBECTL PEER OPERATOR BENCHMARKS PYTHONDONTWRITEBYTECODE=1
echo "ours is ${OPERATOR#"$PWD/"}, $(($(stat -c %s "$OPERATOR") / 1000000)) MB; the machine's load is $(cut -d' ' -f1 /proc/loadavg), on $(nproc) cores"
exec python3 tests/Benchmarks/bench.py "$@"
