{{/*
Variables of a guardrail that compare the spec of an update with the one before: those that are asked for by name. Each is a list of texts, empty where the update
does not let the policy reach further. A field that the CRD does not know is absent, hence each `.?` and has().

Names are looked up by `in`, which costs one per element: 65 536 for the longest lists that the CRD takes, where the API server allows a million per expression.
*/}}
{{- define "beo.guardrails.changes" -}}
{{- if has "moreBuckets" . }}
- name: oldBuckets
  expression: variables.old.?buckets.orValue([]).map(b, b.name)
- name: newBuckets
  expression: variables.spec.?buckets.orValue([]).map(b, b.name).filter(n, !(n in variables.oldBuckets)).join(', ')
- name: moreBuckets
  expression: >-
    variables.newBuckets == '' ? []
    : ['spec.buckets gets ' + (variables.newBuckets.size() > 200 ? variables.newBuckets.substring(0, 200) + '…' : variables.newBuckets)]
{{- end }}
{{- if has "widerSelector" . }}
# A selector may become narrower: fewer matchNames, more excludeNames and matchTags, lower maxWrites.
- name: bothSelect
  expression: has(variables.spec.bucketSelector) && has(variables.old.bucketSelector)
- name: newSelector
  expression: "has(variables.spec.bucketSelector) && !variables.bothSelect ? ['spec.bucketSelector is new'] : []"
- name: otherNames
  expression: >-
    !variables.bothSelect || (variables.spec.bucketSelector.?matchNames.orValue([]).all(n, n in variables.old.bucketSelector.?matchNames.orValue([]))
    && (variables.spec.bucketSelector.?matchNames.orValue([]).size() > 0 || variables.old.bucketSelector.?matchNames.orValue([]).size() == 0))
    ? [] : ['spec.bucketSelector.matchNames may only lose names']
- name: otherExcludes
  expression: >-
    !variables.bothSelect || variables.old.bucketSelector.?excludeNames.orValue([]).all(n, n in variables.spec.bucketSelector.?excludeNames.orValue([]))
    ? [] : ['spec.bucketSelector.excludeNames may only get more names']
- name: otherTags
  expression: >-
    !variables.bothSelect || !has(variables.old.bucketSelector.matchTags) || (has(variables.spec.bucketSelector.matchTags)
    && variables.old.bucketSelector.matchTags.all(t, t in variables.spec.bucketSelector.matchTags
    && variables.spec.bucketSelector.matchTags[t] == variables.old.bucketSelector.matchTags[t]))
    ? [] : ['spec.bucketSelector.matchTags may only get more tags']
- name: moreWrites
  expression: >-
    !variables.bothSelect || (has(variables.spec.bucketSelector.maxWrites) && has(variables.old.bucketSelector.maxWrites)
    ? variables.spec.bucketSelector.maxWrites <= variables.old.bucketSelector.maxWrites
    : has(variables.spec.bucketSelector.maxWrites) == has(variables.old.bucketSelector.maxWrites))
    ? [] : ['spec.bucketSelector.maxWrites may only become lower']
- name: widerSelector
  expression: variables.newSelector + variables.otherNames + variables.otherExcludes + variables.otherTags + variables.moreWrites
{{- end }}
{{- if has "enforced" . }}
- name: enforced
  expression: >-
    variables.spec.?mode.orValue('Enforce') == 'Enforce' && variables.old.?mode.orValue('Enforce') != 'Enforce' ? ['spec.mode becomes Enforce'] : []
{{- end }}
{{- if has "exact" . }}
- name: exact
  expression: >-
    variables.spec.?match.orValue('Exact') == 'Exact' && variables.old.?match.orValue('Exact') != 'Exact' ? ['spec.match becomes Exact'] : []
{{- end }}
{{- if has "otherEncryption" . }}
- name: otherEncryption
  expression: >-
    variables.spec.encryption == variables.old.encryption ? []
    : variables.spec.encryption.algorithm == variables.old.encryption.algorithm ? ['spec.encryption changes']
    : ['spec.encryption.algorithm becomes ' + variables.spec.encryption.algorithm]
{{- end }}
{{- if has "weakerRelease" . }}
- name: weakerRelease
  expression: >-
    ['Retain', 'Restore', 'Delete'].indexOf(variables.spec.?deletionPolicy.orValue('Retain'))
    > ['Retain', 'Restore', 'Delete'].indexOf(variables.old.?deletionPolicy.orValue('Retain'))
    ? ['spec.deletionPolicy becomes ' + variables.spec.deletionPolicy] : []
{{- end }}
{{- end }}
