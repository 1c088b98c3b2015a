#!/usr/bin/env bash
# A release's life on a real API server with RBAC, with policies and stores in it all the time: life.sh helm3|helm4.
# Installed in an older version, upgraded, rolled back, reconfigured, uninstalled, installed again, and removed with everything. What is tested is what
# Helm and the API server make of the chart; and that an operator beside older CRDs waits for newer ones. The last line is "N passed, N failed"; the first failure ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/chart/cluster.sh
source tests/chart/cluster.sh "$1"
program=$(tests/tools/operator.sh)

# For health.py, if somebody wants them.
keep_status() { [ -z "${STATUSES:-}" ] || printf '%s\n' "$2" >"$STATUSES/$1.json"; }
make_objects() {
  established
  quietly kubectl create namespace team
  quietly kubectl apply --namespace team -f deploy/samples/secret.yaml -f tests/chart/older-objects.yaml
  # As an operator of that version would have left it.
  quietly kubectl patch --namespace team bep finance --subresource=status --type=merge --patch '{"status": {"observedGeneration": 1,
    "conditions": [{"type": "Ready", "status": "True", "reason": "InSync", "message": "All 2 buckets are encrypted as declared.", "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    "buckets": [{"name": "finance-archive", "state": "InSync", "lastAppliedTime": "2026-01-01T00:00:00Z"}], "summary": {"total": 2, "inSync": 2, "drifted": 0, "failed": 0, "unknown": 0, "text": "2/2"}}}'
}
# What must never change: who the objects are, what was declared, and what was found. A newer CRD may add defaults to a spec.
objects() { # the store's kind
  kubectl get --namespace team bep/finance \
    -o 'jsonpath={.metadata.uid} {.spec.storeRef} {.spec.buckets} {.spec.encryption} {.status}{"\n"}'
  kubectl get --namespace team "$1.bucketencryption.io/hangzhou" \
    -o 'jsonpath={.metadata.uid} {.spec.vendor} {.spec.region} {.spec.endpoint} {.spec.credentials}{"\n"}'
}
knows() {
  kubectl get crd bucketencryptionpolicies.bucketencryption.io \
    -o 'jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.mode.type}'
}
# docs/upgrade.md, "Renamed kinds": the commands that stand there, with this namespace's stores and policies.
# shellcheck disable=SC2016  # these backticks are Markdown's
renamed_kinds() { sed -n '/^## Renamed kinds/,/^## /p' docs/upgrade.md | sed -n '/^```/,/^```/{/^```/d;p}'; }
release_objects() {
  kubectl get -o name deployment,serviceaccount,role,rolebinding,pdb --namespace "$release" -l app.kubernetes.io/instance="$1"
  kubectl get -o name clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding -l app.kubernetes.io/instance="$1"
}
crds() { kubectl get crd -o name | grep -c bucketencryption.io || true; }

start_api_server

helm install "$release" tests/chart/older --create-namespace
make_objects
is "an older chart is installed: its CRD knows no mode" "$(knows)" ""
before=$(objects objectstore)
[[ $before == *InSync* && $before == *hangzhou* ]] || die "no objects to watch over: $before"

# An operator of this version, where nothing is to be done: it watches another namespace. What it says is told apart by the time of the upgrade alone.
"$program" run --watch-namespaces default --http-address 127.0.0.1:0 --log-format plain >"$work/operator.log" 2>&1 </dev/null &
operator=$!
readyz() { curl -s --max-time 2 "$(sed -n 's/.*Probes at //p' "$work/operator.log")/readyz"; }
readyz_says() { for _ in {1..200}; do [[ $(readyz) == "$1"* ]] && return; kill -0 "$operator" || break; sleep 0.1; done; cat "$work/operator.log"; die "/readyz never said $1"; }
readyz_says CRDOutdated:
is "beside the older CRDs this version's operator is not ready, and says so" \
  "$(readyz | cut -d';' -f2)" " apply the CRDs of this version of the operator"

helm upgrade "$release" "$chart" --reset-then-reuse-values # as docs/upgrade.md says
established
readyz_says ok
ok "after the upgrade of the CRDs it is ready by itself"
kill "$operator"
wait "$operator"
operator=''
is "an upgrade brings the CRDs along" "$(knows)" string
is "policies, stores and statuses are as they were" "$(objects objectstore)" "$before"
is "the stores of the older kind are still there" \
  "$(kubectl get --namespace team -o name objectstores)" objectstore.bucketencryption.io/hangzhou
quietly kubectl annotate --namespace team bep/finance note=unchanged
ok "a policy of a store of the older kind can still be changed elsewhere"
refused "storeRef cannot be changed" kubectl patch --namespace team bep finance --type=merge \
  -p '{"spec": {"storeRef": {"kind": "ClusterBucketStore"}}}'
refused "storeRef cannot be changed" kubectl patch --namespace team bep finance --type=merge \
  -p '{"spec": {"storeRef": {"kind": "BucketStore", "name": "other"}}}'
ok "and not be pointed at another store"
quietly bash -euo pipefail -c "$(renamed_kinds)"
is "the commands of docs/upgrade.md rename the kinds, and change nothing else" \
  "$(objects bucketstore | sed '2s/^[^ ]* //')" "$(sed -e 's/"ObjectStore"/"BucketStore"/' -e '2s/^[^ ]* //' <<<"$before")"
is "the older CRDs are gone" "$(kubectl get crd -o name | grep -c objectstores || true)" 0
before=$(objects bucketstore)
quietly kubectl apply --dry-run=server --namespace team -f deploy/samples
ok "the API server takes every sample"
quietly kubectl apply --dry-run=server --validate=strict -f deploy/install.yaml
ok "the API server takes deploy/install.yaml with strict validation, over the release"
quietly kubectl apply --dry-run=server --validate=strict -k deploy
ok "and what kustomize makes of it"
# docs/several-teams.md, with the policies that stand there.
teams() { kubectl get bep company --namespace storage -o 'jsonpath={.spec.buckets[*].name}'; }
for team in platform finance; do sed -n "/^# $team.yaml$/,/^\`\`\`/{/^\`\`\`/d;p}" docs/several-teams.md >"$work/$team.yaml"; done
applies() { kubectl apply --server-side --field-manager="$1" -f "$2"; }
quietly kubectl create namespace storage
refused "spec.storeRef: Required value" applies finance "$work/finance.yaml"
ok "a team's buckets alone make no policy"
quietly applies platform "$work/platform.yaml"
quietly applies finance "$work/finance.yaml"
is "two teams apply their buckets to one policy, and both stay" "$(teams)" "platform-logs finance-archive finance-ledger"
quietly applies platform "$work/platform.yaml"
is "also when the first applies again" "$(teams)" "platform-logs finance-archive finance-ledger"
is "and neither sees a difference" "$(kubectl diff --server-side --field-manager=finance -f "$work/finance.yaml")" ""
sed 's/, {name: finance-ledger}//' "$work/finance.yaml" >"$work/less.yaml"
quietly applies finance "$work/less.yaml"
is "a bucket that its team takes out leaves the policy, and the others stay" "$(teams)" "platform-logs finance-archive"
sed 's/finance-archive/platform-logs/' "$work/less.yaml" >"$work/both.yaml"
quietly applies finance "$work/both.yaml"
quietly applies finance "$work/less.yaml"
is "a bucket of two teams stays while one of them has it" "$(teams)" "platform-logs finance-archive"
printf '  encryption: {algorithm: AES256}\n' | cat "$work/finance.yaml" - >"$work/weaker.yaml"
refused 'conflict with "platform": .spec.encryption.algorithm' applies finance "$work/weaker.yaml"
ok "another team's algorithm is a conflict"
# What the API server gives an object that no operator has seen, and one that waits for a finalizer.
keep_status Progressing-InProgress--new "$(kubectl create --dry-run=server -o json --namespace team -f deploy/samples/policy-aes256.yaml)"
quietly kubectl apply --namespace team -f deploy/samples/policy-aes256.yaml
quietly kubectl patch --namespace team bep web --type=merge --patch '{"metadata": {"finalizers": ["example.com/waits"]}}'
quietly kubectl delete --namespace team bep web --wait=false
keep_status Progressing-Terminating--deleted "$(kubectl get --namespace team bep web -o json)"
quietly kubectl patch --namespace team bep web --type=merge --patch '{"metadata": {"finalizers": []}}'
# The answer cannot be asked from a pipe that fails: an unknown namespace's rights are "no".
is "the account may watch policies" \
  "$(kubectl auth can-i watch bep --all-namespaces --as=system:serviceaccount:$release:$release)" yes
is "and may not list Secrets" \
  "$(kubectl auth can-i list secrets --all-namespaces --as=system:serviceaccount:$release:$release || true)" no

helm rollback "$release" 1
is "a rollback takes the CRDs back" "$(knows)" ""
is "and loses no status" "$(objects bucketstore)" "$before"
# Not by a rollback: Helm does not take up a kept CRD that the older version has not (docs/upgrade.md).
helm upgrade "$release" "$chart"
is "and forward again" "$(knows)" string
is "still nothing is lost" "$(objects bucketstore)" "$before"
is "the rollback brought the CRDs of the older kinds back, and an upgrade leaves them" "$(crds)" 5
quietly kubectl delete crd objectstores.bucketencryption.io clusterobjectstores.bucketencryption.io

helm upgrade "$release" "$chart" --set 'watchNamespaces={team}' --set 'rbac.secrets[0].namespace=team' --set 'rbac.secrets[0].names={oss-keys}'
is "told to watch one namespace, the account may still watch there" \
  "$(kubectl auth can-i watch bep --namespace team --as=system:serviceaccount:$release:$release)" yes
is "and no longer elsewhere" \
  "$(kubectl auth can-i watch bep --namespace default --as=system:serviceaccount:$release:$release || true)" no
is "may get the listed Secret" \
  "$(kubectl auth can-i get secret/oss-keys --namespace team --as=system:serviceaccount:$release:$release)" yes
is "and no other" \
  "$(kubectl auth can-i get secret/other --namespace team --as=system:serviceaccount:$release:$release || true)" no

helm uninstall "$release"
is "uninstalling takes account, rights and Deployment away" "$(release_objects $release)" ""
is "and leaves the CRDs" "$(crds)" 3
is "and everything in them" "$(objects bucketstore)" "$before"
helm install "$release" "$chart"
is "installed again under its name, it finds everything" "$(objects bucketstore)" "$before"

# What helm test starts, without its Pod: the sidecar's flags, with the release's account and no other right, while another leads. The program that ends the Pod comes after it.
quietly kubectl create --namespace "$release" -f - <<YAML
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: $release}
spec: {holderIdentity: the-leader, leaseDurationSeconds: 3600, renewTime: "$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)"}
YAML
"$helm" template "$release" "$chart" --namespace "$release" --set "image.repository=$image" --show-only templates/tests/ready.yaml >"$work/test.yaml"
mapfile -t flags < <(kubectl create --dry-run=client -f "$work/test.yaml" -o 'jsonpath={range .spec.initContainers[0].args[*]}{@}{"\n"}{end}' |
  grep -vE '^--(http-address|log-format)=')
case $(sed -n 's/^SERVICE_ACCOUNT_TOKENS=//p' "$work/api/server.env") in
  direct) token=sa:$release:$release ;;
  *) token=$(kubectl create token "$release" --namespace "$release") ;;
esac
(umask 077 && cp "$KUBECONFIG" "$work/account.kubeconfig")
quietly kubectl --kubeconfig "$work/account.kubeconfig" config set-credentials account --token="$token"
quietly kubectl --kubeconfig "$work/account.kubeconfig" config set-context --current --user=account
KUBECONFIG=$work/account.kubeconfig "$program" "${flags[@]}" --http-address 127.0.0.1:0 --log-format plain >"$work/operator.log" 2>&1 </dev/null &
operator=$!
readyz_says ok
ok "what helm test starts is ready with the release's account"
kill "$operator"
wait "$operator"
operator=''
is "and what then ends its Pod does so" "$("$program" --version >"$work/output" && echo $?)" 0
is "it stood by: the lease is the leader's" "$(kubectl get lease --namespace "$release" "$release" -o 'jsonpath={.spec.holderIdentity}')" the-leader
is "and has written nothing to a policy" "$(objects bucketstore)" "$before"
quietly kubectl delete lease --namespace "$release" "$release"

# Beside it, in a namespace of its own: the same name, and every value that changes the operator's pods. Roles of the two in a third namespace are not mixed up.
quietly kubectl create namespace other-team
helm upgrade "$release" "$chart" --set guardrails.enabled=true --set 'watchNamespaces={team}' --set clusterStores.enabled=true --set clusterStores.secretsNamespace=other-team
first=$(release_objects $release)
quietly "$helm" install "$release" "$chart" --namespace second --create-namespace --values "$chart/ci/full-values.yaml" --set crds.install=false \
  --set 'watchNamespaces={other-team}' --set clusterStores.enabled=true --set clusterStores.secretsNamespace=other-team
ok "a second release of the same name is installed in another namespace, with guardrails, a NetworkPolicy and all values of the pod"
is "both may read the Secrets of the third namespace, each by its own role" \
  "$(for ns in "$release" second; do kubectl auth can-i get secret/keys --namespace other-team --as="system:serviceaccount:$ns:$release" || true; done | xargs)" "yes yes"
is "and only the second the policies there" \
  "$(for ns in "$release" second; do kubectl auth can-i watch bep --namespace other-team --as="system:serviceaccount:$ns:$release" || true; done | xargs)" "no yes"
"$helm" template "$release" "$chart" --namespace second --values "$chart/ci/full-values.yaml" --show-only templates/tests/ready.yaml >"$work/test.yaml"
quietly kubectl create --dry-run=server --validate=strict -f "$work/test.yaml"
ok "the API server takes the Pod of helm test with strict validation"
quietly "$helm" uninstall "$release" --namespace second
is "the second is uninstalled, and the first has everything still" "$(release_objects $release)" "$first"

helm uninstall "$release"
refused "invalid ownership metadata" "$helm" install another "$chart" --set "image.repository=$image" --namespace "$release"
ok "another release does not take the kept CRDs silently"
helm install another "$chart" --take-ownership
is "with --take-ownership it does, and loses nothing" "$(objects bucketstore)" "$before"

helm upgrade another "$chart" --set crds.keep=false
helm uninstall another
quietly kubectl wait --for=delete --timeout=20s crd/{bucketencryptionpolicies,bucketstores,clusterbucketstores}.bucketencryption.io
is "where the CRDs need not be kept, nothing is left" "$(crds)" 0
