{{/* What the values say, as strategic merge patches. */}}

{{/* How the service is told of its judge. */}}
{{- define "judge" -}}
{{- if not .Values.judge.enabled -}}
symbolic
{{- else -}}
{{- $urls := list -}}
{{- if .Values.router.enabled -}}
{{- $urls = list "http://router:8000" -}}
{{- else -}}
{{- range $index := until (int (ternary .Values.keda.max .Values.judge.replicas .Values.keda.enabled)) -}}
{{- $urls = append $urls (printf "http://judge-%d.judge:8000" $index) -}}
{{- end -}}
{{- end -}}
{{- ternary "cascade:" "" .Values.judge.cascade -}}openai:{{ join "," $urls }}#{{ .Values.judge.model }}
{{- end -}}
{{- end -}}

{{- define "patches" -}}
{{- if .Values.api.enabled }}
- kind: Deployment
  metadata: {name: api}
  spec:
    {{- if not (or .Values.hpa.enabled .Values.singleNode.enabled) }}
    replicas: {{ .Values.api.replicas }}
    {{- end }}
    template:
      spec:
        {{- with .Values.api.nodeSelector }}
        nodeSelector: {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- with .Values.api.tolerations }}
        tolerations: {{- toYaml . | nindent 10 }}
        {{- end }}
        containers:
          - name: api
            env:
              - name: PERCEPTION_REWARD_JUDGE
                value: {{ include "judge" . | quote }}
              {{- range $name, $value := .Values.api.settings }}
              - name: PERCEPTION_REWARD_{{ upper $name }}
                value: {{ $value | toString | quote }}
              {{- end }}
            {{- if not .Values.singleNode.enabled }}
            resources: {{- toYaml .Values.api.resources | nindent 14 }}
            {{- end }}
        {{- with .Values.api.annotationsClaim }}
        volumes:
          - name: annotations
            configMap: null
            persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
        {{- end }}
{{- end }}
{{- if .Values.judge.enabled }}
{{- /* The values' labels take the place of the base's, and do not join them. */}}
- kind: StatefulSet
  metadata: {name: judge}
  spec: {template: {spec: {nodeSelector: null}}}
- kind: StatefulSet
  metadata: {name: judge}
  spec:
    {{- if not (or .Values.keda.enabled .Values.singleNode.enabled) }}
    replicas: {{ .Values.judge.replicas }}
    {{- end }}
    template:
      spec:
        nodeSelector: {{- toYaml .Values.judge.nodeSelector | nindent 10 }}
        tolerations: {{- toYaml .Values.judge.tolerations | nindent 10 }}
        containers:
          - name: judge
            resources:
              {{- $gpus := dict "nvidia.com/gpu" (toString .Values.judge.gpus) }}
              {{- $own := ternary dict .Values.judge.resources .Values.singleNode.enabled }}
              {{- toYaml (mustMergeOverwrite (deepCopy $own) (dict "requests" $gpus "limits" $gpus)) | nindent 14 }}
{{- end }}
{{- if .Values.router.enabled }}
- kind: Deployment
  metadata: {name: router}
  spec:
    replicas: {{ .Values.router.replicas }}
{{- end }}
{{- if .Values.hpa.enabled }}
- kind: HorizontalPodAutoscaler
  metadata: {name: api}
  spec:
    minReplicas: {{ .Values.hpa.min }}
    maxReplicas: {{ .Values.hpa.max }}
    metrics:
      - type: Resource
        resource:
          name: cpu
          target: {type: Utilization, averageUtilization: {{ .Values.hpa.cpuPercent }}}
{{- end }}
{{- if .Values.keda.enabled }}
- kind: ScaledObject
  metadata: {name: judge}
  spec:
    minReplicaCount: {{ .Values.keda.min }}
    maxReplicaCount: {{ .Values.keda.max }}
    triggers:
      - name: load
        metadata:
          serverAddress: {{ .Values.keda.prometheus }}
          threshold: {{ .Values.keda.requestsPerJudge | toString | quote }}
{{- end }}
{{- if .Values.modelCache.enabled }}
- kind: PersistentVolumeClaim
  metadata: {name: models}
  spec:
    {{- with .Values.modelCache.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests: {storage: {{ .Values.modelCache.size }}}
{{- end }}
{{- with .Values.patches }}
{{ toYaml . }}
{{- end }}
{{- end -}}
