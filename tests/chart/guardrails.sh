#!/usr/bin/env bash
# The chart's guardrails on a real API server, with policies in it that are older than they are: guardrails.sh helm3|helm4. Each rule alone denies its value and
# nothing else; all together they let older policies live, and none reach further. The last line is "N passed, N failed"; the first failure ends it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/chart/cluster.sh
source tests/chart/cluster.sh "$1"
readonly rules=(allowDowngrade algorithmNone deletionPolicyDelete bucketSelector)
readonly contact='the storage team (#storage), "first" at o'\''clock'

# policy NAMESPACE NAME FIELDS: a policy whose spec has these fields beside its store.
policy() {
  printf '{"apiVersion": "bucketencryption.io/v1alpha1", "kind": "BucketEncryptionPolicy", "metadata": {"namespace": "%s", "name": "%s"},
    "spec": {"storeRef": {"name": "hangzhou"}, %s}}' "$1" "$2" "$3"
}
readonly buckets='"buckets": [{"name": "web-assets"}, {"name": "web-logs"}]' aes256='"encryption": {"algorithm": "AES256"}'
readonly harmless="$buckets, $aes256"
declare -rA offending=(
  [allowDowngrade]="$buckets, $aes256, \"allowDowngrade\": true, \"mode\": \"Audit\", \"match\": \"AtLeast\""
  [algorithmNone]="$buckets, \"encryption\": {\"algorithm\": \"None\"}, \"allowDowngrade\": true, \"mode\": \"Audit\", \"match\": \"AtLeast\""
  [deletionPolicyDelete]="$buckets, $aes256, \"allowDowngrade\": true, \"deletionPolicy\": \"Delete\", \"mode\": \"Audit\""
  [bucketSelector]="$aes256, \"mode\": \"Audit\", \"bucketSelector\": {\"matchNames\": [\"web-*\", \"api-*\"], \"excludeNames\": [\"web-old\"], \"matchTags\": {\"team\": \"web\"}, \"maxWrites\": 20}"
)
declare -rA said=(
  [allowDowngrade]='spec.allowDowngrade true lets'
  [algorithmNone]='spec.encryption.algorithm None removes'
  [deletionPolicyDelete]='spec.deletionPolicy Delete removes'
  [bucketSelector]='spec.bucketSelector (matchNames web-*, api-*) selects'
)

# would_create NAMESPACE FIELDS: asks the API server, and leaves what it says in output. Nothing is stored.
would_create() { policy "$1" new "$2" | kubectl create --dry-run=server -f - >"$work/output" 2>&1; }
# The API server takes up a changed guardrail within about a second.
until_denied() { # word, namespace, fields
  for _ in {1..150}; do ! would_create "$2" "$3" && grep -qF -- "$1" "$work/output" && return; sleep 0.1; done
  cat "$work/output"; die "never denied with \"$1\": $3"
}
until_taken() { # namespace, fields
  for _ in {1..150}; do would_create "$1" "$2" && return; sleep 0.1; done
  cat "$work/output"; die "never taken in $1: $2"
}
change() { kubectl patch bep "$1" --namespace "${namespace:-team}" "${@:3}" --type=merge --patch "$2"; } # name, merge patch, flags...
passes() { quietly change "$2" "$3" "${@:4}"; ok "$1"; } # sentence, name, merge patch, flags...
# Dry: what is denied is seen to be denied for itself, and what passes does not change the policy for the next.
could() { passes "$@" --dry-run=server; }
cannot() { refused "$4" change "$2" "$3" --dry-run=server; ok "$1"; } # sentence, name, merge patch, word in the message
guarded() { # flags...: all rules, with one namespace exempt from all of them and one from bucketSelector alone
  helm upgrade "$release" "$chart" --set guardrails.enabled=true --set 'guardrails.exemptNamespaces={sandbox}' \
    --set 'guardrails.rules.bucketSelector.exemptNamespaces={lab}' --set-string "guardrails.contact=${contact//,/\\,}" "$@"
}
only_rule() {
  local other flags=()
  for other in "${rules[@]}"; do flags+=(--set "guardrails.rules.$other.enabled=$([ "$other" = "$1" ] && echo true || echo false)"); done
  guarded "${flags[@]}"
}

start_api_server
helm install "$release" "$chart" --create-namespace
established
quietly kubectl create -f - <<<'{"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}},
  {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sandbox"}},
  {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}}]}'
is "by default there is no guardrail" "$(kubectl get -o name validatingadmissionpolicies,validatingadmissionpolicybindings)" ""
{
  for rule in "${rules[@]}"; do policy team "old-${rule,,}" "${offending[$rule]}"; done
  policy team harmless "$harmless"
  policy lab old-allowdowngrade "${offending[allowDowngrade]}"
  policy team old-large "\"buckets\": [$(printf '{"name": "bucket-%s"}, ' {1..255}){\"name\": \"last\"}], $aes256, \"allowDowngrade\": true"
  policy team old-excludes "$aes256, \"mode\": \"Audit\", \"bucketSelector\": {\"matchNames\": [\"*\"], \"excludeNames\": [$(printf '"bucket-%s", ' {1..254})\"last\"]}"
} >"$work/older.json"
quietly kubectl create -f "$work/older.json"
quietly change old-deletionpolicydelete '{"metadata": {"finalizers": ["bucketencryption.io/release"]}}'

# One rule at a time
for rule in "${rules[@]}"; do
  only_rule "$rule"
  until_denied "${said[$rule]}" team "${offending[$rule]}"
  for word in "Ask $contact." "only these namespaces may have it: $([ "$rule" = bucketSelector ] && echo 'lab, ')sandbox" Forbidden; do
    grep -qF -- "$word" "$work/output" || { cat "$work/output"; die "$rule: the message has no \"$word\""; }
  done
  ok "$rule: denied, by field, value, namespaces and whom to ask"
  until_taken team "$harmless"
  until_taken sandbox "${offending[$rule]}"
  for other in "${rules[@]}"; do
    # None and Delete need allowDowngrade, whose rule denies them too.
    [ "$other" = "$rule" ] || { [ "$rule" = allowDowngrade ] && [ "$other" != bucketSelector ]; } || until_taken team "${offending[$other]}"
  done
  ok "$rule: taken in an exempt namespace; the rules that are off deny nothing"
done

# All of them
guarded
for rule in "${rules[@]}"; do until_denied "denied request: " team "${offending[$rule]}"; done
until_denied "${said[allowDowngrade]}" lab "${offending[allowDowngrade]}"
until_taken lab "${offending[bucketSelector]}"
ok "a namespace that is exempt from one rule is not from the others"

for rule in "${rules[@]}"; do
  old=old-${rule,,}
  passes "$rule: an older policy's labels" "$old" '{"metadata": {"labels": {"team": "web"}}}'
  passes "$rule: its status" "$old" '{"status": {"observedGeneration": 1}}' --subresource=status
  passes "$rule: a finalizer" "$old" '{"metadata": {"finalizers": ["bucketencryption.io/release"]}}'
  passes "$rule: and none any more" "$old" '{"metadata": {"finalizers": null}}'
  passes "$rule: suspended" "$old" '{"spec": {"suspend": true}}'
  passes "$rule: resumed" "$old" '{"spec": {"suspend": false, "resyncInterval": "1h"}}'
  cannot "$rule: not from Audit to Enforce" "$old" '{"spec": {"mode": "Enforce"}}' 'may not reach further: spec.mode becomes Enforce. It'
done
for old in old-allowdowngrade old-algorithmnone old-deletionpolicydelete; do
  could "$old: may lose a bucket" "$old" '{"spec": {"buckets": [{"name": "web-logs"}]}}'
  cannot "$old: not get one" "$old" '{"spec": {"buckets": [{"name": "web-logs"}, {"name": "web-new"}]}}' 'spec.buckets gets web-new'
done
namespace=lab cannot "where selectors may be, a downgrade that was allowed is not a selector's" old-allowdowngrade \
  '{"spec": {"buckets": null, "bucketSelector": {"matchNames": ["web-logs"]}}}' 'spec.bucketSelector is new'
cannot "a downgrade that was allowed is not another encryption's" old-allowdowngrade '{"spec": {"encryption": {"algorithm": "KMS"}}}' \
  'spec.encryption.algorithm becomes KMS'
could "with any encryption it can be given up" old-allowdowngrade '{"spec": {"encryption": {"algorithm": "KMS"}, "allowDowngrade": false, "mode": "Enforce"}}'
cannot "nor of buckets that are stronger" old-allowdowngrade '{"spec": {"match": "Exact"}}' 'spec.match becomes Exact'
cannot "nor of buckets that are released" old-allowdowngrade '{"spec": {"deletionPolicy": "Restore"}}' 'spec.deletionPolicy becomes Restore'
could "a weak release can become stronger" old-deletionpolicydelete '{"spec": {"deletionPolicy": "Restore"}}'
cannot "None was only at least None" old-algorithmnone '{"spec": {"match": "Exact"}}' 'spec.match becomes Exact'
passes "an offending value is given up" old-algorithmnone '{"spec": {"encryption": {"algorithm": "AES256"}, "allowDowngrade": false}}'
cannot "and does not come back" old-algorithmnone '{"spec": {"allowDowngrade": true}}' "${said[allowDowngrade]}"
cannot "none is introduced by an update" harmless '{"spec": {"allowDowngrade": true}}' "${said[allowDowngrade]}"
cannot "nor a selector" harmless '{"spec": {"buckets": null, "mode": "Audit", "bucketSelector": {"matchNames": ["web-*", "api-*"]}}}' "${said[bucketSelector]}"

selector() { printf '{"spec": {"bucketSelector": {%s}}}' "$1"; }
could "a selector may get lower maxWrites" old-bucketselector "$(selector '"maxWrites": 19')"
could "more excludeNames" old-bucketselector "$(selector '"excludeNames": ["web-older", "web-old"]')"
could "fewer matchNames" old-bucketselector "$(selector '"matchNames": ["api-*"]')"
could "more matchTags" old-bucketselector "$(selector '"matchTags": {"stage": "test"}')"
could "another order" old-bucketselector "$(selector '"matchNames": ["api-*", "web-*"]')"
could "buckets in its place" old-bucketselector '{"spec": {"bucketSelector": null, "buckets": [{"name": "web-assets"}]}}'
cannot "not higher maxWrites" old-bucketselector "$(selector '"maxWrites": 21')" 'maxWrites may only become lower'
cannot "not the default, which is higher" old-bucketselector "$(selector '"maxWrites": null')" 'maxWrites may only become lower'
cannot "not fewer excludeNames" old-bucketselector "$(selector '"excludeNames": null')" 'excludeNames may only get more names'
cannot "not other matchNames" old-bucketselector "$(selector '"matchNames": ["*"]')" 'matchNames may only lose names'
cannot "not fewer matchTags" old-bucketselector "$(selector '"matchTags": null')" 'matchTags may only get more tags'
cannot "not another tag's value" old-bucketselector "$(selector '"matchTags": {"team": "all"}')" 'matchTags may only get more tags'
cannot "and all of it is said" old-bucketselector "$(selector '"maxWrites": 21, "matchTags": null')" 'more tags; spec.bucketSelector.maxWrites'

passes "a policy with all the buckets that one can have is not too much to compare" old-large '{"metadata": {"labels": {"team": "web"}}}'
cannot "not even when all are others" old-large "{\"spec\": {\"buckets\": [$(printf '{"name": "other-%s"}, ' {1..255}){\"name\": \"last\"}]}}" 'spec.buckets gets other-1, '
passes "nor a selector's names" old-excludes '{"metadata": {"labels": {"team": "web"}}}'

quietly kubectl delete bep --namespace team old-allowdowngrade old-bucketselector
quietly change old-deletionpolicydelete '{"metadata": {"finalizers": ["bucketencryption.io/release"]}}'
quietly kubectl delete bep --namespace team old-deletionpolicydelete --wait=false
quietly change old-deletionpolicydelete '{"metadata": {"finalizers": null}}'
is "deletes are never denied, and a policy that waits for its finalizer goes" \
  "$(kubectl get bep --namespace team -o name | grep -cE 'allowdowngrade|bucketselector|deletionpolicydelete' || true)" 0

guarded --set 'guardrails.validationActions={Warn}'
until_taken team "${offending[bucketSelector]}"
grep -q "^Warning: .*${said[bucketSelector]%% *}" "$work/output" || { cat "$work/output"; die "no warning"; }
ok "to try, the rules only warn"
guarded --set 'guardrails.validationActions={Deny,Audit}' --set 'watchNamespaces={lab}' --set 'clusterStores.enabled=true'
until_denied "${said[allowDowngrade]}" lab "${offending[allowDowngrade]}"
until_taken team "${offending[allowDowngrade]}"
ok "outside of the namespaces that the operator watches, they do not apply"
helm upgrade "$release" "$chart" --reset-values
is "switched off, nothing of them is left" "$(kubectl get -o name validatingadmissionpolicies,validatingadmissionpolicybindings)" ""
