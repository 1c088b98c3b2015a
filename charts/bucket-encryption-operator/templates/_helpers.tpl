{{- define "beo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name if it says what this is, else release and chart. */}}
{{- define "beo.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "beo.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "beo.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "beo.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/*
Name of an object outside of the operator's namespace, in another one or in none: dict "root" $ "name" … "namespace" … Such names end with the operator's namespace, so that
installations of one name in several namespaces do not claim each other's objects. It is left out where the installation is named like its namespace.
*/}}
{{- define "beo.nameIn" -}}
{{- $own := include "beo.namespace" .root }}
{{- if or (eq (toString .namespace) $own) (eq (include "beo.fullname" .root) $own) }}{{ .name }}{{ else }}{{ .name }}.{{ $own }}{{ end }}
{{- end }}

{{- define "beo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "beo.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "beo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "beo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "beo.standardLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/*
Labels and annotations of an object, each key once: dict "root" $, and if it has some of its own "labels" (dict …) and "annotations" (dict …). An object's own go before
commonLabels and commonAnnotations, and these before the standard ones. Nothing goes before what selectors are made of (deployment.yaml refuses it).
*/}}
{{- define "beo.metadata" -}}
{{- $standard := include "beo.standardLabels" .root | fromYaml -}}
labels:
  {{- mergeOverwrite $standard .root.Values.commonLabels (default dict .labels) (include "beo.selectorLabels" .root | fromYaml) | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* "true", or nothing. */}}
{{- define "beo.servesClusterStores" -}}
{{- if kindIs "invalid" .Values.clusterStores.enabled | ternary (empty .Values.watchNamespaces) .Values.clusterStores.enabled }}true{{ end }}
{{- end }}

{{- define "beo.clusterResourceNamespace" -}}
{{- default (include "beo.namespace" .) .Values.clusterStores.secretsNamespace }}
{{- end }}

{{- define "beo.image" -}}
{{- if not .Values.image.repository }}
{{- fail "image.repository: name the image. None is published yet: build one and push it to a registry of yours (docs/install.md)" }}
{{- end }}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry }}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}
