#!/usr/bin/env bash
# Compiles the benchmarks' own program ahead of time, as the operator is, if a source has changed; prints its path. Progress goes to stderr.
# What `benchmarks sync` and `benchmarks hot-paths` measure is the operator's library, and a watch that waits for 30 000 policies should take little of
# the machine. The names of the functions stay in the program: callgrind needs them, and cannot read the rest of the symbols.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$PWD/artifacts/benchmarks/benchmarks
sources=$(find src tests/Benchmarks tests/MicroBenchmarks Directory.* global.json \( -name bin -o -name obj -o -name peer-client-go \) -prune -o \
  \( -name '*.cs' -o -name '*.*proj' -o -name '*.props' -o -name compile.sh \) -print | sort | xargs cat | sha256sum)
if ! [ -x "$program" ] || [ "$(cat artifacts/benchmarks/key 2>/dev/null)" != "$sources" ]; then
  tests/tools/ensure.sh clang >/dev/null
  tests/tools/ensure.sh lld >/dev/null
  work=$(mktemp -d "${TMPDIR:-/tmp}/bucket-encryption-benchmarks.XXXXXX")
  mkdir -p artifacts/benchmarks
  echo "compiling tests/Benchmarks with NativeAOT (a minute or two); log: artifacts/benchmarks.log" >&2
  dotnet publish tests/Benchmarks -c Release -r "linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')" -p:PublishAot=true -p:StripSymbols=false \
    --nologo --artifacts-path "$work" -o "$PWD/artifacts/benchmarks" -p:RunAnalyzers=false </dev/null >artifacts/benchmarks.log 2>&1 ||
    { tail -n 25 artifacts/benchmarks.log >&2; exit 1; }
  objcopy --strip-debug "$program"
  rm -rf "$work"
  echo "$sources" >artifacts/benchmarks/key
fi
echo "$program"
