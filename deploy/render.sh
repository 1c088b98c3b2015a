#!/usr/bin/env bash
# Makes what is made from something else, so that there is one place to change each:
#
#   crds/*.yaml                      → charts/bucket-encryption-operator/files/crds     (a chart holds its files; links are lost on the way to Flux)
#   the chart's values.yaml          → the table of its README.md
#   the chart                        → deploy/rbac.yaml (account and rights), deploy/install.yaml (everything)
#   deploy/argocd/health.lua         → deploy/argocd/argocd-cm.yaml
#   crds/*.yaml                      → docs/reference.md
#
#   deploy/render.sh                 writes them (make render)
#   deploy/render.sh --check         fails, with a diff, if one is not what it would be (part of make lint)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly chart=charts/bucket-encryption-operator name=bucket-encryption-operator

helm=$(tests/tools/ensure.sh helm4)
python=$(tests/tools/ensure.sh python3-yaml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$chart" "$work/deploy/argocd" "$work/docs"
cp -r "$chart/." "$work/$chart/"
rm -rf "$work/$chart/files/crds"
mkdir -p "$work/$chart/files/crds"
cp crds/*.yaml "$work/$chart/files/crds/"
"$python" tests/chart/values_table.py "$work/$chart"

# What Helm says about itself is left out: these files are for people without it.
template() {
  "$helm" template "$name" "$work/$chart" --namespace "$name" "$@" | sed -E '/^# Source: /d; /^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /d; /^  annotations:$/{N;/resource-policy: keep/d}'
}
head_of() {
  cat <<YAML
# $1
# Rendered from charts/bucket-encryption-operator by \`make render\`: change it there.
apiVersion: v1
kind: Namespace
metadata:
  name: $name
  labels:
    pod-security.kubernetes.io/enforce: restricted
YAML
}
{
  head_of "The operator's account and its rights in the whole cluster, and nothing else: what charts/bucket-encryption-operator/templates/_rights.tpl lists.
# For some namespaces only: docs/install.md."
  template --show-only templates/serviceaccount.yaml --show-only templates/rbac.yaml
} >"$work/deploy/rbac.yaml"
{
  head_of "Everything: CRDs, account, rights, Deployment. The image that it needs, and how to use it: docs/install.md."
  template
} >"$work/deploy/install.yaml"
{
  cat <<'YAML'
# For `kubectl patch configmap argocd-cm`: README.md says how. Made from health.lua by `make render`: change it there.
data:
YAML
  for kind in BucketEncryptionPolicy BucketStore ClusterBucketStore; do
    echo "  resource.customizations.health.bucketencryption.io_$kind: |"
    sed 's/^\(.\)/    \1/' deploy/argocd/health.lua
  done
} >"$work/deploy/argocd/argocd-cm.yaml"

"$python" docs/reference.py >"$work/docs/reference.md"

made=("$chart/files/crds" "$chart/README.md" deploy/rbac.yaml deploy/install.yaml deploy/argocd/argocd-cm.yaml docs/reference.md)
if [ "${1:-}" = --check ]; then
  code=0
  for file in "${made[@]}"; do diff -ru "$file" "$work/$file" || code=1; done
  [ "$code" -eq 0 ] || echo "these differ from what they are made from: make render" >&2
  exit "$code"
fi
rm -rf "$chart/files/crds"
for file in "${made[@]}"; do cp -r "$work/$file" "$file"; done
echo "rendered: ${made[*]}"
