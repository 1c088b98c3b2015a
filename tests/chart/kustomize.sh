#!/usr/bin/env bash
# What kustomize (as kubectl has it) makes of the chart and of deploy/: kustomize.sh HELM KUBECTL. No cluster. Kustomize refuses a key that is there twice, which Helm and
# kubectl let pass. The last line is "N passed, N failed"; the first failure ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly chart=charts/bucket-encryption-operator
helm=$1 kubectl=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/beo-kustomize.XXXXXX")
passed=0
finish() {
  local code=$?
  trap - EXIT
  rm -rf "$work"
  echo "$passed passed, $((code != 0)) failed"
  exit "$code"
}
trap finish EXIT
ok() { passed=$((passed + 1)); printf '    ok: %s\n' "$*"; }
die() { printf '    FAILED: %s\n' "$*"; exit 1; }
build() { "$kubectl" kustomize "$1" >"$work/out.yaml" 2>"$work/err" || { cat "$work/err"; die "kubectl kustomize $1"; }; }

for values in "$chart"/ci/*-values.yaml; do
  what=${values##*/}
  mkdir "$work/$what"
  # Every label and annotation that the chart sets itself, once more.
  "$helm" template beo "$chart" --namespace beo-system --values "$values" \
    --set-json 'commonLabels={"team": "a", "app.kubernetes.io/version": "b", "app.kubernetes.io/managed-by": "c", "helm.sh/chart": "d", "grafana_dashboard": "e"}' \
    --set-json 'podLabels={"team": "f", "helm.sh/chart": "g", "pod-identity.alibabacloud.com/injection": "off"}' \
    --set-json 'commonAnnotations={"note": "a", "kubectl.kubernetes.io/default-container": "b", "helm.sh/resource-policy": "delete", "eks.amazonaws.com/role-arn": "c"}' \
    --set-json 'podAnnotations={"note": "d", "kubectl.kubernetes.io/default-container": "e"}' \
    --set-json 'serviceAccount.annotations={"note": "f", "eks.amazonaws.com/role-arn": "g"}' >"$work/$what/all.yaml"
  printf 'resources: [all.yaml]\n' >"$work/$what/kustomization.yaml"
  build "$work/$what"
  ok "ci/$what with every label and annotation set twice"
done

build deploy
ok "deploy"

# overlay COMPONENT...: an overlay as deploy/components/README.md shows it, and what the chart makes of the same settings. Flags may come in another order.
root=$PWD
overlay() {
  local dir=$work/overlay component
  rm -rf "$dir" && mkdir "$dir"
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: watched\n  annotations:\n    config.kubernetes.io/local-config: "true"\ndata:\n  namespace: finance\n' >"$dir/watched.yaml"
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - %s\n  - watched.yaml\ncomponents:\n' "$(realpath --relative-to="$dir" "$root/deploy")"
    for component in "$@"; do printf '  - %s\n' "$(realpath --relative-to="$dir" "$root/deploy/components/$component")"; done
    printf 'images:\n  - name: bucket-encryption-operator\n    newName: registry.example.com/beo\n'
  } >"$dir/kustomization.yaml"
  build "$dir"
}
same() { # sentence, the chart's settings...
  local what=$1
  shift
  "$helm" template bucket-encryption-operator "$chart" --namespace bucket-encryption-operator --skip-tests --set image.repository=registry.example.com/beo "$@" >"$work/chart.yaml"
  "$python" - "$work/out.yaml" "$work/chart.yaml" <<'PY' || die "$what: not what the chart makes"
import sys, yaml
def read(path):
    found = {}
    for o in yaml.safe_load_all(open(path, encoding="utf-8")):
        if o is None or o["kind"] == "Namespace":
            continue
        for key in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            o["metadata"]["labels"].pop(key, None)
        (o["metadata"].get("annotations") or {}).pop("helm.sh/resource-policy", None)
        if not o["metadata"].get("annotations"):
            o["metadata"].pop("annotations", None)
        if o["kind"] == "Deployment":
            pod = o["spec"]["template"]
            for key in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
                pod["metadata"]["labels"].pop(key, None)
            pod["spec"]["containers"][0]["args"].sort()
        found[o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]] = o
    return found
ours, charts = map(read, sys.argv[1:])
for key in sorted(set(ours) | set(charts), key=str):
    if ours.get(key) != charts.get(key):
        print("differs:", key, ours.get(key) and "", charts.get(key) and "")
sys.exit(ours != charts)
PY
  ok "$what"
}
python=$(tests/tools/ensure.sh python3-yaml)
overlay
same "an overlay without a component is the chart with its defaults"
overlay read-only
same "read-only is the chart's readOnly" --set readOnly=true
overlay monitoring
same "monitoring is what the chart makes for the Prometheus Operator and Grafana" \
  --set metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true
overlay namespaced
same "namespaced is the chart's watchNamespaces" --set 'watchNamespaces={finance}'
overlay read-only namespaced monitoring
same "all three, in another order" --set 'watchNamespaces={finance}' --set readOnly=true \
  --set metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true
