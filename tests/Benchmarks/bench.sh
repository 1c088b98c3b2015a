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
mkdir -p artifacts/benchmarks
# The benchmarks' own program, compiled ahead of time as the operator is: what `benchmarks sync` measures is the operator's library, and a watch that
# waits for 30 000 policies should take little of the machine.
BENCHMARKS=$PWD/artifacts/benchmarks/benchmarks
sources=$(find src tests/Benchmarks Directory.* global.json \( -name bin -o -name obj \) -prune -o -name '*.cs' -print -o -name '*.*proj' -print -o -name '*.props' -print | sort | xargs cat | sha256sum)
if ! [ -x "$BENCHMARKS" ] || [ "$(cat artifacts/benchmarks/key 2>/dev/null)" != "$sources" ]; then
  work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-benchmarks.XXXXXX")
  echo "compiling tests/Benchmarks with NativeAOT (a minute or two); log: artifacts/benchmarks.log"
  dotnet publish tests/Benchmarks -c Release -r "linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')" -p:PublishAot=true --nologo \
    --artifacts-path "$work" -o "$PWD/artifacts/benchmarks" -p:RunAnalyzers=false </dev/null >artifacts/benchmarks.log 2>&1 ||
    { tail -n 25 artifacts/benchmarks.log >&2; exit 1; }
  rm -rf "$work"
  echo "$sources" >artifacts/benchmarks/key
fi
export KUBECTL PEER OPERATOR BENCHMARKS PYTHONDONTWRITEBYTECODE=1
echo "ours is ${OPERATOR#"$PWD/"}, $(($(stat -c %s "$OPERATOR") / 1000000)) MB; the machine's load is $(cut -d' ' -f1 /proc/loadavg), on $(nproc) cores"
exec python3 tests/Benchmarks/bench.py "$@"
