{{/*
Every right that the operator has, once. `in` says where it is needed:
  watched   in the namespaces that it works in: all, or those of watchNamespaces
  secrets   the same, unless rbac.secrets lists which Secrets
  accounts  in the namespaces of rbac.serviceAccounts, never in the whole cluster
  own       in the release's namespace
  cluster   cluster-wide, however many namespaces it works in
`make demo` and `make chart` run the operator with these rights alone, and fail on one that is denied, and on one that is never used.
*/}}
{{- define "beo.rights" -}}
- in: watched
  apiGroups: [bucketencryption.io]
  resources: [bucketencryptionpolicies, bucketstores]
  verbs: [list, watch]
- in: watched
  apiGroups: [bucketencryption.io]
  resources: [bucketencryptionpolicies/status, bucketstores/status]
  verbs: [patch]
# The finalizer of deletionPolicy Delete and Restore. RBAC cannot grant less: this is a right to change specs too, of which the operator makes no use.
- in: watched
  apiGroups: [bucketencryption.io]
  resources: [bucketencryptionpolicies]
  verbs: [patch]
{{- if include "beo.servesClusterStores" . }}
- in: cluster
  apiGroups: [bucketencryption.io]
  resources: [clusterbucketstores]
  verbs: [list, watch]
- in: cluster
  apiGroups: [bucketencryption.io]
  resources: [clusterbucketstores/status]
  verbs: [patch]
# Their labels say which ClusterBucketStore they may use.
- in: cluster
  apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end }}
# One at a time, by the name that a store gives: a right to list or watch would show every body.
- in: secrets
  apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# One account at a time, by the name that a store gives, and only if the account names the store. Where names are listed, the tokens of those alone.
- in: accounts
  apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get]
- in: accounts
  apiGroups: [""]
  resources: [serviceaccounts/token]
  verbs: [create]
# In the namespace of the policy that an event is about; patch counts the same event again.
- in: watched
  apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.leaderElection.enabled }}
# A right to create cannot be bound to a name. One to list and watch can, for who asks for the one name (fieldSelector).
- in: own
  apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- in: own
  apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "beo.fullname" . }}]
  verbs: [get, list, watch, patch]
{{- end }}
{{- end }}

{{/* The rules among them for some places, bound to names if there are any: dict "root" $ "in" (list "watched" …) "names" …. Empty if there are none. */}}
{{- define "beo.rules" -}}
{{- range include "beo.rights" .root | fromYamlArray }}
{{- if has .in $.in }}
{{- $rule := omit . "in" }}
{{- with $.names }}{{ $_ := set $rule "resourceNames" . }}{{ end }}
- {{ $rule | toYaml | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end }}

{{/* A role and its binding to the operator's account, both named by beo.nameIn: dict "root" $ "name" … "namespace" … (empty: a ClusterRole) "rules" … */}}
{{- define "beo.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") }}
{{- $name := include "beo.nameIn" . }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- include "beo.metadata" (dict "root" .root) | nindent 2 }}
rules:
  {{- .rules | trim | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  {{- include "beo.metadata" (dict "root" .root) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "beo.serviceAccountName" .root }}
    namespace: {{ include "beo.namespace" .root }}
{{- end }}
