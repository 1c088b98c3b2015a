#!/usr/bin/env bash
# Runs the tests that `dotnet build -c Release` has built, and counts them.
#
#   tests/run.sh unit   the unit test projects, random tests with a tenth of their cases
#   tests/run.sh random the same with all cases of random tests
#   tests/run.sh all    unit, the integration tests, the interop tests, the commands of docs/tutorial.md, and the demo
#                       with each vendor
#   tests/run.sh scenarios   what the product does, one line a file of tests/scenarios; BEO_SCENARIO=part plays only files with that in their path
#   tests/run.sh chaos  the chaos table alone, with each fault at its full length (about 10 minutes)
#
# Whatever failed is named again at the end. The last line of stdout is the sum over all projects: "N passed, N failed",
# and ", N skipped" if any; of random, chaos and scenarios, the same after "random: ", "chaos: " and "scenarios: ".
# Exit code 0 only when every project ran at least one test and none failed or was skipped.
# Results (trx) and console output stay in artifacts/test-results/.
#
# What the tests find in their environment:
#   BEO_APISERVER_SERVE   tests/apiserver/serve.sh, absolute; its head states the contract. (Without the variable a fixture finds it from the
#                         solution's directory, so that a test also runs from an IDE.)
#   BEO_KUBECTL           a kubectl that works
#   BEO_OPERATOR          the operator that they start: the program as it ships, published if need be, or what OPERATOR chooses
#                         (tests/tools/operator.sh). Without the variable it is the one built beside the tests.
# and, if set by the caller, USE_EXISTING_CLUSTER, KUBECONFIG and KUBEBUILDER_ASSETS, which serve.sh heeds.
#
# The interop tests are tests/interop/run.sh: its last line is "interop: N passed, N failed", and its exit code says the rest. Of a demo each scene counts as a test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly project_timeout=1200 # s
readonly hang_timeout=300000 # ms without the end of a test: the test is named and the run ended

unit=(tests/KubeRuntime.Tests tests/BucketEncryptionOperator.Tests) cases=quick others=()
interop='' tutorial='' demos=() closing_prefix=''
api_server() {
  BEO_APISERVER_SERVE=$PWD/tests/apiserver/serve.sh
  BEO_KUBECTL=$(tests/tools/ensure.sh kubectl)
  BEO_OPERATOR=$(tests/tools/operator.sh)
  export BEO_APISERVER_SERVE BEO_KUBECTL BEO_OPERATOR
}
# Integration tests that kill and cut, and those that wait for a time-out or a renewal.
one_of() { printf 'FullyQualifiedName~.%s' "$1"; shift; printf '|FullyQualifiedName~.%s' "$@"; }
none_of() { one_of "$@" | sed -E 's/~/!~/g; s/\|/\&/g'; }
readonly cuts=(Chaos. SilentDeath KilledOperator Neighbour)
readonly waits=(AmbientIdentity RejectedKey Evidence SettledPolicy FailingBuckets)
case ${1:-} in
  unit) ;;
  random)
    cases=all
    closing_prefix='random: '
    ;;
  all)
    # Three parts side by side, each with an API server of its own: they mostly wait. The chaos table's faults that
    # cannot be shortened are for `chaos`.
    others=(
      "cuts Chaos!=long&($(one_of "${cuts[@]}"))"
      "waits $(one_of "${waits[@]}")"
      "behaviour $(none_of "${cuts[@]}" "${waits[@]}")"
    )
    interop=tests/interop/run.sh
    tutorial=tests/docs/tutorial.sh
    demos=(alibaba huawei jdcloud s3)
    api_server
    ;;
  chaos)
    unit=()
    others=("chaos $(one_of Chaos. SilentDeath)")
    closing_prefix='chaos: '
    export BEO_CHAOS=long
    api_server
    ;;
  scenarios)
    unit=()
    others=("scenarios FullyQualifiedName~.Scenarios.ScenarioTests.")
    closing_prefix='scenarios: '
    api_server
    ;;
  *) echo "usage: tests/run.sh unit|random|all|scenarios|chaos" >&2; exit 2 ;;
esac

results=$PWD/artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
export BEO_SCENARIO_REPORT=$results/scenarios.tsv # one line a scenario, as they end: folder, ok or FAILED, seconds, title
export DOTNET_TieredPGO=0 # most processes live for seconds: instrumenting them costs more than it gives
passed=0 failed=0 skipped=0 bad=0 failures=''

# Adds a line "N passed, N failed[, N skipped]" of one part to the sums.
count() {
  local what=$1 code=$2 line=$3 seconds=$4 p=0 f=0 s=0
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  local verdict=ok
  if [ $((p + f + s)) -eq 0 ]; then
    verdict="FAILED: no test ran (exit code $code)"
  elif [ "$f" -gt 0 ]; then
    verdict="FAILED: $f"
  elif [ "$s" -gt 0 ]; then
    verdict="FAILED: $s skipped"
  elif [ "$code" -ne 0 ]; then
    verdict="FAILED: exit code $code"
  fi
  if [ "$verdict" != ok ]; then
    bad=1
    failures+="$what: $verdict"$'\n'
    if [ -e "$results/$what.trx" ]; then failures+=$(failed_tests "$results/$what.trx")$'\n'; fi
  fi
  printf '<== %s: %s (%d passed, %d s)\n' "$what" "$verdict" "$p" "$seconds"
}

# The runner's own result file is counted, test by test: the console's wording differs between versions, and its sums leave skipped tests out.
sum_trx() {
  python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as xml
try:
    results = [e.get("outcome") for e in xml.parse(sys.argv[1]).iter() if e.tag.endswith("}UnitTestResult")]
except (OSError, xml.ParseError):
    results = []
passed, skipped = results.count("Passed"), results.count("NotExecuted")
print(f"{passed} passed, {len(results) - passed - skipped} failed, {skipped} skipped")
PYTHON
}

# The names of the tests of a result file that did not pass, with the first line of what they said.
failed_tests() {
  python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as xml
try:
    results = [e for e in xml.parse(sys.argv[1]).iter() if e.tag.endswith("}UnitTestResult")]
except (OSError, xml.ParseError):
    results = []
for result in (r for r in results if r.get("outcome") != "Passed"):
    said = next((e.text for e in result.iter() if e.tag.endswith("}Message") and e.text), result.get("outcome"))
    print(f"  {result.get('testName')}: {said.strip().splitlines()[0][:200]}")
PYTHON
}

# run_project PROJECT LABEL [option]...: its console output goes to the log of that label, its exit code and seconds
# beside it.
run_project() {
  local name=${1##*/} label=$2 since=$SECONDS code=0
  timeout "$project_timeout" dotnet test "$1/bin/Release/net10.0/$name.dll" --nologo \
    --results-directory "$results" --logger "trx;LogFileName=$label.trx" \
    --logger "console;verbosity=minimal" "${@:3}" >"$results/$label.log" 2>&1 || code=$?
  echo "$code $((SECONDS - since))" >"$results/$label.end"
}

# What the tests of a project wrote down: figures that an assertion alone would hide, and the seeds of those that failed. Lines of the form "| a | b |" are rows of the chaos table.
print_output() {
  python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as xml
rows = []
for result in xml.parse(sys.argv[1]).iter():
    if result.tag.endswith("}UnitTestResult"):
        for out in (e for e in result.iter() if e.tag.endswith("}StdOut")):
            lines = [line.strip() for line in out.text.strip().splitlines()]
            rows += [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
            lines = [line for line in lines if not line.startswith("| ") and not (line.startswith("SEED=") and result.get("outcome") == "Passed")]
            if lines:
                print("    " + result.get("testName").split(".", 2)[-1].split("(")[0].replace("_", " "))
                print("\n".join("        " + line for line in lines))
if rows:
    rows.insert(0, ["fault, on two replicas while policies come, change and go", "times", "policies", "changes", "missed", "wrong", "late writes", "recovery"])
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("    " + row[0].ljust(widths[0]) + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:])))
PYTHON
}

# The product's specification, by folder.
print_scenarios() {
  sort -s -k1,1 "$BEO_SCENARIO_REPORT" | awk -F '\t' '$1 != folder { folder = $1; print "    " folder } { printf "      %-6s %5.1f s  %s\n", $2, $3, $4 }'
  rm "$BEO_SCENARIO_REPORT"
}

report_project() {
  local name=$1 code seconds
  print_output "$results/$name.trx"
  [ ! -e "$BEO_SCENARIO_REPORT" ] || print_scenarios
  cat "$results/$name.log"
  read -r code seconds <"$results/$name.end"
  count "$name" "$code" "$(sum_trx "$results/$name.trx")" "$seconds"
}

# The unit tests side by side: nothing in them measures time.
[ ${#unit[@]} -eq 0 ] || echo "==> ${unit[*]##*/}"
for project in "${unit[@]}"; do BEO_TESTS=$cases run_project "$project" "${project##*/}" & done
wait
for project in "${unit[@]}"; do report_project "${project##*/}"; done
[ ${#others[@]} -eq 0 ] || echo "==> Integration.Tests: ${others[*]%% *}"
for part in "${others[@]}"; do
  run_project tests/Integration.Tests "integration-${part%% *}" --filter "${part#* }" \
    --blame-hang --blame-hang-timeout "${hang_timeout}ms" --blame-hang-dump-type none &
done
wait
for part in "${others[@]}"; do report_project "integration-${part%% *}"; done

if [ -n "$interop" ]; then
  since=$SECONDS code=0
  echo "==> interop"
  "$interop" 2>&1 | tee "$results/interop.log" | sed -E 's/^interop: [0-9]+ passed, [0-9]+ failed/    &/' || code=$? # only one line of that form at the margin
  closing=$(tail -1 "$results/interop.log")
  count interop "$code" "${closing#interop: }" $((SECONDS - since))
fi

if [ "${USE_EXISTING_CLUSTER:-}" = true ] && [ -n "$tutorial" ]; then
  echo "==> demo and tutorial: not run, as they want a cluster without what the tests have just installed: make demo on a clean one"
  tutorial='' demos=()
fi

# A command that printed what the page says is a test that passed.
if [ -n "$tutorial" ]; then
  since=$SECONDS code=0
  echo "==> tutorial"
  "$tutorial" >"$results/tutorial.log" 2>&1 || code=$?
  sed 's/^/    /' "$results/tutorial.log"
  commands=$(sed -n 's/^tutorial: \([0-9]*\) commands run.*/\1/p' "$results/tutorial.log")
  count tutorial "$code" "${commands:-0} passed, $((code != 0)) failed" $((SECONDS - since))
fi

# Side by side, each with an API server of its own. A scene that was played is a test that passed.
run_demo() {
  local since=$SECONDS code=0
  KEEP='' tests/demo/demo.sh "$1" --vendor-scenes >"$results/demo-$1.log" 2>&1 || code=$?
  echo "$code $((SECONDS - since))" >"$results/demo-$1.end"
}
[ ${#demos[@]} -eq 0 ] || echo "==> demo: ${demos[*]}"
for vendor in "${demos[@]}"; do
  run_demo "$vendor" &
done
wait
for vendor in "${demos[@]}"; do
  read -r code seconds <"$results/demo-$vendor.end"
  scenes=$(grep -c '^=== ' "$results/demo-$vendor.log") || true
  if [ "$code" -eq 0 ]; then sed -n 's/^not run,/    &/p' "$results/demo-$vendor.log"; else cat "$results/demo-$vendor.log"; fi
  count "demo, $vendor" "$code" "$((scenes - (code != 0))) passed, $((code != 0)) failed" "$seconds"
done

if [ -n "$failures" ]; then printf '\nwhat failed:\n%s\n' "$failures"; fi
skips=
[ "$skipped" -eq 0 ] || skips=", $skipped skipped"
echo "$closing_prefix$passed passed, $failed failed$skips"
exit "$bad"
