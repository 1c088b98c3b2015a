#!/usr/bin/env bash
# The alerts and the dashboard of the chart on a real Prometheus (Debian's), with the operator under faults: observe.py, which says more. Takes about five minutes.
# The last line is "observe: N passed, N failed".
#
#   tests/observe/observe.sh        the alerts and the dashboard
#   tests/observe/observe.sh cost   what telemetry costs where everything is settled: cost.py, two minutes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
unset USE_EXISTING_CLUSTER # the faults are nothing for a cluster of somebody's
tests/tools/ensure.sh prometheus >/dev/null
python=$(tests/tools/ensure.sh python3-yaml)
kubectl=$(tests/tools/ensure.sh kubectl)
OPERATOR=$(tests/tools/operator.sh) # the program as it ships, or what the caller's OPERATOR chooses
CHROMIUM=$(tests/tools/ensure.sh chromium)                     # which makes the PNG of the dashboard
export OPERATOR CHROMIUM PYTHONDONTWRITEBYTECODE=1
exec "$python" "tests/observe/${1:-observe}.py" "$kubectl"
