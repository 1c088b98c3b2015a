{{/*
The groups of alerts, from files/rules.yaml and, if it is asked for, files/rules-uncovered.yaml, with what metrics.prometheusRule sets. The files are rules as Prometheus
reads them, with the defaults in them: a threshold replaces the number at the end of a text that must be there once. An alert is changed or left out by its name.
*/}}
{{- define "beo.alertGroups" -}}
{{- $values := .Values.metrics.prometheusRule }}
{{- $text := .Files.Get "files/rules.yaml" }}
{{- range $name, $default := dict
  "verificationAge" "bucketencryption_oldest_verification_timestamp_seconds) > 7200"
  "reconcileDuration" "workqueue_longest_running_processor_seconds{controller=\"bucketencryptionpolicy\"}) > 900"
  "queueDepth" "workqueue_depth{name=\"bucketencryptionpolicy\"} > 10" }}
{{- if ne (len (splitList $default $text)) 2 }}{{ fail (printf "files/rules.yaml: not there once: %s" $default) }}{{ end }}
{{- $text = replace $default (regexReplaceAll "[0-9]+$" $default (int (index $values.thresholds $name) | toString)) $text }}
{{- end }}
{{- $groups := ($text | fromYaml).groups }}
{{- if $values.uncoveredBuckets }}{{ $groups = concat $groups (.Files.Get "files/rules-uncovered.yaml" | fromYaml).groups }}{{ end }}
{{- $known := list }}
{{- range $group := $groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- $known = append $known $rule.alert }}
{{- $own := default dict (index $values.alerts $rule.alert) }}
{{- $labels := mergeOverwrite $rule.labels $values.alertLabels (default dict $own.labels) }}
{{- $changed := mergeOverwrite $rule (dict "labels" $labels) (pick $own "for") }}
{{- if ne (toString $own.enabled) "false" }}{{ $rules = append $rules $changed }}{{ end }}
{{- end }}
{{- if $rules }}
- {{ dict "name" $group.name "rules" $rules | toYaml | replace "RUNBOOKS" (trimSuffix "/" $values.runbooks) | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- range $name, $_ := $values.alerts }}
{{- if not (has $name $known) }}{{ fail (printf "metrics.prometheusRule.alerts: no alert is named %s; there are %s" $name (join ", " $known)) }}{{ end }}
{{- end }}
{{- end }}
