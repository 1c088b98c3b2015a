#!/usr/bin/env bash
# Makes what is made from something else, so that there is one place to change each:
#
#   crds/*.yaml                      → charts/bucket-encryption-operator/files/crds     (a chart holds its files; links are lost on the way to Flux)
#   the chart's values.yaml          → the table of its README.md
#   the chart                        → deploy/rbac.yaml (account and rights), deploy/install.yaml (everything)
#   the chart                        → what kustomize's components in deploy/components take from it (render.py there)
#   Lua scripts of deploy/argocd     → deploy/argocd/argocd-cm.yaml, argo-helm.yaml, operator.yaml (render.py)
#   crds/*.yaml                      → docs/reference.md
#   deploy/dashboard.py              → charts/bucket-encryption-operator/files/dashboard.json
#   Directory.Build.props            → the version in Chart.yaml, Dockerfile, docs/install.md, and what is set for Argo CD and Flux
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
"$python" deploy/dashboard.py >"$work/$chart/files/dashboard.json"
"$python" tests/chart/values_table.py "$work/$chart"

# The version stands in Directory.Build.props; every other place gets it from there.
version=$(release/version.sh)
versioned=("$chart/Chart.yaml" Dockerfile docs/install.md deploy/argocd/application.yaml deploy/flux/source.yaml)
mkdir -p "$work/deploy/flux"
for file in "${versioned[@]}"; do
  sed -E -e "s/^((appV|v)ersion|ARG VERSION)(: |=).*/\1\3$version/" -e "s/^( *(targetRevision|tag): )v?[0-9]+\.[0-9]+\.[0-9]+[^ ]*/\1v$version/" \
    -e "s|(registry.example.com/bucket-encryption-operator:)[0-9][0-9A-Za-z.-]*|\1$version|g" "$file" >"$work/$file"
done

# What Helm says about itself is left out: these files are for people without it.
template() {
  "$helm" template "$name" "$work/$chart" --namespace "$name" --skip-tests --set "image.repository=$name" "$@" | sed -E '/^# Source: /d; /^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /d; /^  annotations:$/{N;/resource-policy: keep/d}'
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
cp -r deploy/components "$work/deploy/"
template --set 'watchNamespaces={watched}' --show-only templates/rbac.yaml | "$python" deploy/components/render.py "$work/deploy"
{
  echo "# Made from the chart by \`make render\`."
  template --set metrics.podMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboard.enabled=true --show-only templates/metrics.yaml
} >"$work/deploy/components/monitoring/monitoring.yaml"
cp -r deploy/argocd/resource_customizations "$work/deploy/argocd/"
"$python" deploy/argocd/render.py "$work/deploy/argocd"

"$python" docs/reference.py >"$work/docs/reference.md"

made=("${versioned[@]}" "$chart/files/crds" "$chart/files/dashboard.json" "$chart/README.md" deploy/rbac.yaml deploy/install.yaml deploy/argocd/{argocd-cm,argo-helm,operator}.yaml deploy/argocd/resource_customizations
  deploy/components/namespaced/{role,flags,replacements}.yaml deploy/components/monitoring/monitoring.yaml docs/reference.md)
if [ "${1:-}" = --check ]; then
  code=0
  for file in "${made[@]}"; do diff -ru "$file" "$work/$file" || code=1; done
  [ "$code" -eq 0 ] || echo "these differ from what they are made from: make render" >&2
  exit "$code"
fi
rm -rf "$chart/files/crds" deploy/argocd/resource_customizations
for file in "${made[@]}"; do cp -r "$work/$file" "$file"; done
echo "rendered: ${made[*]}"
