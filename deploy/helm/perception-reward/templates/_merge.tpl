{{/*
A strategic merge, as kustomize does it: maps are merged, null takes a key away, lists whose elements have a name (or a
mountPath) are merged by it, and all others are replaced. Takes (list BASE PATCH), two maps; gives YAML.
*/}}
{{- define "merge" -}}
{{- $out := deepCopy (index . 0) -}}
{{- range $key, $new := index . 1 -}}
{{- $old := get $out $key -}}
{{- if kindIs "invalid" $new -}}
{{- $_ := unset $out $key -}}
{{- else if and (kindIs "map" $new) (kindIs "map" $old) -}}
{{- $_ := set $out $key (include "merge" (list $old $new) | fromYaml) -}}
{{- else if and (kindIs "slice" $new) (kindIs "slice" $old) -}}
{{- $_ := set $out $key (get (include "mergeLists" (list $old $new) | fromYaml) "list") -}}
{{- else -}}
{{- $_ := set $out $key $new -}}
{{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* Takes (list OLD NEW), two lists; gives YAML of {list: …}. */}}
{{- define "mergeLists" -}}
{{- $old := index . 0 -}}
{{- $new := index . 1 -}}
{{- $by := "" -}}
{{- range $candidate := list "name" "mountPath" -}}
{{- if and $new $old (kindIs "map" (first $new)) (hasKey (first $new) $candidate) (hasKey (first $old) $candidate) -}}
{{- $by = $candidate -}}
{{- end -}}
{{- end -}}
{{- if not $by -}}
{{- toYaml (dict "list" $new) -}}
{{- else -}}
{{- $out := list -}}
{{- $seen := dict -}}
{{- range $one := $old -}}
{{- $merged := $one -}}
{{- range $change := $new -}}
{{- if eq (get $change $by) (get $one $by) -}}
{{- $merged = include "merge" (list $one $change) | fromYaml -}}
{{- end -}}
{{- end -}}
{{- $out = append $out $merged -}}
{{- $_ := set $seen (get $one $by) true -}}
{{- end -}}
{{- range $change := $new -}}
{{- if not (hasKey $seen (get $change $by)) -}}
{{- $out = append $out $change -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "list" $out) -}}
{{- end -}}
{{- end -}}
