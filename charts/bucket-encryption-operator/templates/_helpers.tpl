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

{{- define "beo.labels" -}}
{{ include "beo.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* "true", or nothing. */}}
{{- define "beo.servesClusterStores" -}}
{{- if kindIs "invalid" .Values.clusterStores.enabled | ternary (empty .Values.watchNamespaces) .Values.clusterStores.enabled }}true{{ end }}
{{- end }}

{{- define "beo.clusterResourceNamespace" -}}
{{- default .Release.Namespace .Values.clusterStores.secretsNamespace }}
{{- end }}

{{- define "beo.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}
