package main

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strings"

	admissionregv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authnv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

var (
	builtinScheme = runtime.NewScheme()
	builtinCodecs = serializer.NewCodecFactory(builtinScheme)
)

const (
	namespaced = 1 << iota
	status
	generation
)

type resource struct {
	gv                     schema.GroupVersion
	plural, singular, kind string
	flags                  int
	name                   validation.ValidateNameFunc
	short                  []string
}

var (
	dns    = validation.NameIsDNSSubdomain
	label  = validation.NameIsDNSLabel
	label5 = validation.NameIsDNS1035Label
	seg    = path.ValidatePathSegmentName

	table = []resource{
		{corev1.SchemeGroupVersion, "namespaces", "namespace", "Namespace", status, label, []string{"ns"}},
		{corev1.SchemeGroupVersion, "secrets", "secret", "Secret", namespaced, dns, nil},
		{corev1.SchemeGroupVersion, "configmaps", "configmap", "ConfigMap", namespaced, dns, []string{"cm"}},
		{corev1.SchemeGroupVersion, "serviceaccounts", "serviceaccount", "ServiceAccount", namespaced, dns, []string{"sa"}},
		{corev1.SchemeGroupVersion, "events", "event", "Event", namespaced, dns, []string{"ev"}},
		{corev1.SchemeGroupVersion, "services", "service", "Service", namespaced | status, label5, []string{"svc"}},
		{corev1.SchemeGroupVersion, "endpoints", "endpoints", "Endpoints", namespaced, dns, []string{"ep"}},
		{corev1.SchemeGroupVersion, "pods", "pod", "Pod", namespaced | status | generation, dns, []string{"po"}},
		{corev1.SchemeGroupVersion, "nodes", "node", "Node", status, dns, []string{"no"}},
		{corev1.SchemeGroupVersion, "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", namespaced | status, dns, []string{"pvc"}},
		{corev1.SchemeGroupVersion, "persistentvolumes", "persistentvolume", "PersistentVolume", status, dns, []string{"pv"}},
		{corev1.SchemeGroupVersion, "limitranges", "limitrange", "LimitRange", namespaced, dns, []string{"limits"}},
		{corev1.SchemeGroupVersion, "resourcequotas", "resourcequota", "ResourceQuota", namespaced | status, dns, []string{"quota"}},
		{appsv1.SchemeGroupVersion, "deployments", "deployment", "Deployment", namespaced | status | generation, dns, []string{"deploy"}},
		{appsv1.SchemeGroupVersion, "statefulsets", "statefulset", "StatefulSet", namespaced | status | generation, dns, []string{"sts"}},
		{appsv1.SchemeGroupVersion, "daemonsets", "daemonset", "DaemonSet", namespaced | status | generation, dns, []string{"ds"}},
		{appsv1.SchemeGroupVersion, "replicasets", "replicaset", "ReplicaSet", namespaced | status | generation, dns, []string{"rs"}},
		{batchv1.SchemeGroupVersion, "jobs", "job", "Job", namespaced | status | generation, dns, nil},
		{batchv1.SchemeGroupVersion, "cronjobs", "cronjob", "CronJob", namespaced | status | generation, dns, []string{"cj"}},
		{autoscalingv2.SchemeGroupVersion, "horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler", namespaced | status, dns, []string{"hpa"}},
		{policyv1.SchemeGroupVersion, "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget", namespaced | status | generation, dns, []string{"pdb"}},
		{networkingv1.SchemeGroupVersion, "networkpolicies", "networkpolicy", "NetworkPolicy", namespaced | generation, dns, []string{"netpol"}},
		{networkingv1.SchemeGroupVersion, "ingresses", "ingress", "Ingress", namespaced | status | generation, dns, []string{"ing"}},
		{networkingv1.SchemeGroupVersion, "ingressclasses", "ingressclass", "IngressClass", generation, dns, nil},
		{rbacv1.SchemeGroupVersion, "roles", "role", "Role", namespaced, seg, nil},
		{rbacv1.SchemeGroupVersion, "rolebindings", "rolebinding", "RoleBinding", namespaced, seg, nil},
		{rbacv1.SchemeGroupVersion, "clusterroles", "clusterrole", "ClusterRole", 0, seg, nil},
		{rbacv1.SchemeGroupVersion, "clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding", 0, seg, nil},
		{coordinationv1.SchemeGroupVersion, "leases", "lease", "Lease", namespaced, dns, nil},
		{eventsv1.SchemeGroupVersion, "events", "event", "Event", namespaced, dns, []string{"ev"}},
		{discoveryv1.SchemeGroupVersion, "endpointslices", "endpointslice", "EndpointSlice", namespaced | generation, dns, nil},
		{storagev1.SchemeGroupVersion, "storageclasses", "storageclass", "StorageClass", 0, dns, []string{"sc"}},
		{schedulingv1.SchemeGroupVersion, "priorityclasses", "priorityclass", "PriorityClass", 0, dns, []string{"pc"}},
		{admissionregv1.SchemeGroupVersion, "validatingwebhookconfigurations", "validatingwebhookconfiguration", "ValidatingWebhookConfiguration", generation, dns, nil},
		{admissionregv1.SchemeGroupVersion, "mutatingwebhookconfigurations", "mutatingwebhookconfiguration", "MutatingWebhookConfiguration", generation, dns, nil},
		{admissionregv1.SchemeGroupVersion, "validatingadmissionpolicies", "validatingadmissionpolicy", "ValidatingAdmissionPolicy", status | generation, dns, nil},
		{admissionregv1.SchemeGroupVersion, "validatingadmissionpolicybindings", "validatingadmissionpolicybinding", "ValidatingAdmissionPolicyBinding", generation, dns, nil},
		{admissionregv1.SchemeGroupVersion, "mutatingadmissionpolicies", "mutatingadmissionpolicy", "MutatingAdmissionPolicy", generation, dns, nil},
		{admissionregv1.SchemeGroupVersion, "mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding", "MutatingAdmissionPolicyBinding", generation, dns, nil},
	}
)

// init registers every type under its version and, the same Go type, under the internal version, so
// that no conversion is needed. Only events.k8s.io/v1 converts: it shares core/v1's storage.
func init() {
	s := builtinScheme
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, autoscalingv1.AddToScheme, autoscalingv2.AddToScheme,
		policyv1.AddToScheme, networkingv1.AddToScheme, rbacv1.AddToScheme, coordinationv1.AddToScheme, eventsv1.AddToScheme, discoveryv1.AddToScheme,
		storagev1.AddToScheme, schedulingv1.AddToScheme, admissionregv1.AddToScheme, authzv1.AddToScheme, authnv1.AddToScheme} {
		utilruntime.Must(add(s))
	}
	metaKinds := map[string]bool{}
	for k := range s.KnownTypes(schema.GroupVersion{Group: "scheduling.k8s.io", Version: "v1"}) {
		if !strings.HasPrefix(k, "PriorityClass") {
			metaKinds[k] = true // ListOptions and the like
		}
	}
	for gvk := range s.AllKnownTypes() {
		if gvk.Version == runtime.APIVersionInternal || metaKinds[gvk.Kind] || (gvk.Group == eventsv1.GroupName) || gvk.GroupVersion() == autoscalingv1.SchemeGroupVersion && gvk.Kind != "Scale" {
			continue
		}
		obj, err := s.New(gvk)
		utilruntime.Must(err)
		s.AddKnownTypeWithName(schema.GroupVersionKind{Group: gvk.Group, Version: runtime.APIVersionInternal, Kind: gvk.Kind}, obj)
	}
	ev := schema.GroupVersion{Group: eventsv1.GroupName, Version: runtime.APIVersionInternal}
	s.AddKnownTypes(ev, &corev1.Event{}, &corev1.EventList{})
	utilruntime.Must(s.AddConversionFunc((*eventsv1.Event)(nil), (*corev1.Event)(nil), func(a, b any, _ conversion.Scope) error {
		toCoreEvent(a.(*eventsv1.Event), b.(*corev1.Event))
		return nil
	}))
	utilruntime.Must(s.AddConversionFunc((*corev1.Event)(nil), (*eventsv1.Event)(nil), func(a, b any, _ conversion.Scope) error {
		fromCoreEvent(a.(*corev1.Event), b.(*eventsv1.Event))
		return nil
	}))
	utilruntime.Must(s.AddConversionFunc((*corev1.EventList)(nil), (*eventsv1.EventList)(nil), func(a, b any, _ conversion.Scope) error {
		in, out := a.(*corev1.EventList), b.(*eventsv1.EventList)
		out.ListMeta, out.Items = in.ListMeta, make([]eventsv1.Event, len(in.Items))
		for i := range in.Items {
			fromCoreEvent(&in.Items[i], &out.Items[i])
		}
		return nil
	}))
	pass := func(l, v string) (string, string, error) { return l, v, nil }
	for _, gvk := range []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("Event"), corev1.SchemeGroupVersion.WithKind("Secret"),
		corev1.SchemeGroupVersion.WithKind("Pod"), corev1.SchemeGroupVersion.WithKind("Namespace"), eventsv1.SchemeGroupVersion.WithKind("Event")} {
		sel := selectable(gvk.Kind)
		utilruntime.Must(s.AddFieldLabelConversionFunc(gvk, func(l, v string) (string, string, error) {
			if _, ok := sel[l]; ok || l == "metadata.name" || l == "metadata.namespace" {
				return pass(l, v)
			}
			return "", "", fmt.Errorf("field label not supported: %s", l)
		}))
	}
	for _, gv := range []schema.GroupVersion{corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion, autoscalingv2.SchemeGroupVersion,
		policyv1.SchemeGroupVersion, networkingv1.SchemeGroupVersion, rbacv1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion, eventsv1.SchemeGroupVersion,
		discoveryv1.SchemeGroupVersion, storagev1.SchemeGroupVersion, schedulingv1.SchemeGroupVersion, admissionregv1.SchemeGroupVersion, authzv1.SchemeGroupVersion, authnv1.SchemeGroupVersion} {
		utilruntime.Must(s.SetVersionPriority(gv))
	}
}

// selectable is the field selectors beyond metadata.name and metadata.namespace.
func selectable(kind string) map[string]func(runtime.Object) string {
	switch kind {
	case "Event":
		e := func(f func(*corev1.Event) string) func(runtime.Object) string {
			return func(o runtime.Object) string { return f(o.(*corev1.Event)) }
		}
		m := map[string]func(runtime.Object) string{}
		for _, p := range []string{"involvedObject", "regarding"} {
			m[p+".kind"] = e(func(v *corev1.Event) string { return v.InvolvedObject.Kind })
			m[p+".name"] = e(func(v *corev1.Event) string { return v.InvolvedObject.Name })
			m[p+".namespace"] = e(func(v *corev1.Event) string { return v.InvolvedObject.Namespace })
			m[p+".uid"] = e(func(v *corev1.Event) string { return string(v.InvolvedObject.UID) })
			m[p+".apiVersion"] = e(func(v *corev1.Event) string { return v.InvolvedObject.APIVersion })
		}
		m["reason"] = e(func(v *corev1.Event) string { return v.Reason })
		m["type"] = e(func(v *corev1.Event) string { return v.Type })
		m["reportingComponent"] = e(func(v *corev1.Event) string { return v.ReportingController })
		m["reportingController"] = m["reportingComponent"]
		return m
	case "Secret":
		return map[string]func(runtime.Object) string{"type": func(o runtime.Object) string { return string(o.(*corev1.Secret).Type) }}
	case "Pod":
		return map[string]func(runtime.Object) string{"spec.nodeName": func(o runtime.Object) string { return o.(*corev1.Pod).Spec.NodeName },
			"status.phase": func(o runtime.Object) string { return string(o.(*corev1.Pod).Status.Phase) }}
	case "Namespace":
		return map[string]func(runtime.Object) string{"status.phase": func(o runtime.Object) string { return string(o.(*corev1.Namespace).Status.Phase) }}
	}
	return nil
}

// ---- strategy: the same for every type, by reflection

type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	r        resource
	isStatus bool
}

func fieldOf(o runtime.Object, n string) reflect.Value {
	return reflect.ValueOf(o).Elem().FieldByName(n)
}

func (s strategy) NamespaceScoped() bool { return s.r.flags&namespaced != 0 }
func (s strategy) AllowCreateOnUpdate() bool {
	return s.r.kind == "Lease" || s.r.kind == "Event" || s.r.gv.Group == rbacv1.GroupName
}
func (s strategy) AllowUnconditionalUpdate() bool { return s.r.kind != "Lease" }
func (s strategy) Canonicalize(runtime.Object)    {}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string {
	return nil
}
func (s strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}

func (s strategy) PrepareForCreate(_ context.Context, o runtime.Object) {
	if s.r.flags&status != 0 {
		fieldOf(o, "Status").SetZero()
	}
	m, _ := meta.Accessor(o)
	if s.r.flags&generation != 0 {
		m.SetGeneration(1)
	}
	defaults(o)
	if ns, ok := o.(*corev1.Namespace); ok {
		ns.Spec.Finalizers = []corev1.FinalizerName{corev1.FinalizerKubernetes}
		ns.Status.Phase = corev1.NamespaceActive
		if ns.Labels == nil {
			ns.Labels = map[string]string{}
		}
		if ns.Name != "" {
			ns.Labels[corev1.LabelMetadataName] = ns.Name
		}
	}
}

func (s strategy) PrepareForUpdate(_ context.Context, o, old runtime.Object) {
	m, _ := meta.Accessor(o)
	om, _ := meta.Accessor(old)
	if s.isStatus {
		st := reflect.ValueOf(fieldOf(o, "Status").Interface())
		rv, managed := m.GetResourceVersion(), m.GetManagedFields()
		reflect.ValueOf(o).Elem().Set(reflect.ValueOf(old.DeepCopyObject()).Elem())
		fieldOf(o, "Status").Set(st)
		m, _ = meta.Accessor(o)
		m.SetResourceVersion(rv)
		m.SetManagedFields(managed)
		return
	}
	defaults(o)
	if s.r.flags&status != 0 {
		fieldOf(o, "Status").Set(fieldOf(old, "Status"))
	}
	if ns, ok := o.(*corev1.Namespace); ok {
		ns.Spec.Finalizers = old.(*corev1.Namespace).Spec.Finalizers
	}
	if s.r.flags&generation != 0 {
		m.SetGeneration(om.GetGeneration())
		bump := om.GetDeletionTimestamp().IsZero() && !m.GetDeletionTimestamp().IsZero()
		if f := fieldOf(o, "Spec"); f.IsValid() {
			bump = bump || !apiequality.Semantic.DeepEqual(f.Interface(), fieldOf(old, "Spec").Interface())
		} else if f := fieldOf(o, "Webhooks"); f.IsValid() {
			bump = bump || !apiequality.Semantic.DeepEqual(f.Interface(), fieldOf(old, "Webhooks").Interface())
		}
		if bump {
			m.SetGeneration(om.GetGeneration() + 1)
		}
	}
}

// defaults is the few of upstream's defaults (k8s.io/kubernetes/pkg/apis/*/defaults.go) that clients rely on.
func defaults(o runtime.Object) {
	one, rev, fail := int32(1), int32(10), admissionregv1.Fail
	switch v := o.(type) {
	case *corev1.Secret:
		if v.Type == "" {
			v.Type = corev1.SecretTypeOpaque
		}
		if len(v.StringData) > 0 {
			if v.Data == nil {
				v.Data = map[string][]byte{}
			}
			for k, d := range v.StringData {
				v.Data[k] = []byte(d)
			}
			v.StringData = nil
		}
	case *corev1.Service:
		if v.Spec.Type == "" {
			v.Spec.Type = corev1.ServiceTypeClusterIP
		}
		for i := range v.Spec.Ports {
			if v.Spec.Ports[i].Protocol == "" {
				v.Spec.Ports[i].Protocol = corev1.ProtocolTCP
			}
		}
	case *appsv1.Deployment:
		if v.Spec.Replicas == nil {
			v.Spec.Replicas = &one
		}
		if v.Spec.RevisionHistoryLimit == nil {
			v.Spec.RevisionHistoryLimit = &rev
		}
		if v.Spec.Strategy.Type == "" {
			v.Spec.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
		}
	case *admissionregv1.ValidatingAdmissionPolicy:
		matchDefaults(v.Spec.MatchConstraints)
		if v.Spec.FailurePolicy == nil {
			v.Spec.FailurePolicy = &fail
		}
	case *admissionregv1.MutatingAdmissionPolicy:
		matchDefaults(v.Spec.MatchConstraints)
		if v.Spec.FailurePolicy == nil {
			v.Spec.FailurePolicy = &fail
		}
	case *admissionregv1.ValidatingAdmissionPolicyBinding:
		matchDefaults(v.Spec.MatchResources)
	case *admissionregv1.MutatingAdmissionPolicyBinding:
		matchDefaults(v.Spec.MatchResources)
	case *admissionregv1.ValidatingWebhookConfiguration:
		for i := range v.Webhooks {
			w := &v.Webhooks[i]
			webhookDefaults(&w.FailurePolicy, &w.MatchPolicy, &w.NamespaceSelector, &w.ObjectSelector, &w.TimeoutSeconds, w.Rules)
		}
	case *admissionregv1.MutatingWebhookConfiguration:
		for i := range v.Webhooks {
			w := &v.Webhooks[i]
			webhookDefaults(&w.FailurePolicy, &w.MatchPolicy, &w.NamespaceSelector, &w.ObjectSelector, &w.TimeoutSeconds, w.Rules)
			if w.ReinvocationPolicy == nil {
				never := admissionregv1.NeverReinvocationPolicy
				w.ReinvocationPolicy = &never
			}
		}
	}
}

func matchDefaults(m *admissionregv1.MatchResources) {
	if m == nil {
		return
	}
	equiv, all := admissionregv1.Equivalent, admissionregv1.AllScopes
	if m.MatchPolicy == nil {
		m.MatchPolicy = &equiv
	}
	if m.NamespaceSelector == nil {
		m.NamespaceSelector = &metav1.LabelSelector{}
	}
	if m.ObjectSelector == nil {
		m.ObjectSelector = &metav1.LabelSelector{}
	}
	for _, rules := range [][]admissionregv1.NamedRuleWithOperations{m.ResourceRules, m.ExcludeResourceRules} {
		for i := range rules {
			if rules[i].Scope == nil {
				rules[i].Scope = &all
			}
		}
	}
}

func webhookDefaults(fp **admissionregv1.FailurePolicyType, mp **admissionregv1.MatchPolicyType, ns, os **metav1.LabelSelector, t **int32, rules []admissionregv1.RuleWithOperations) {
	fail, equiv, ten, all := admissionregv1.Fail, admissionregv1.Equivalent, int32(10), admissionregv1.AllScopes
	if *fp == nil {
		*fp = &fail
	}
	if *mp == nil {
		*mp = &equiv
	}
	if *ns == nil {
		*ns = &metav1.LabelSelector{}
	}
	if *os == nil {
		*os = &metav1.LabelSelector{}
	}
	if *t == nil {
		*t = &ten
	}
	for i := range rules {
		if rules[i].Scope == nil {
			rules[i].Scope = &all
		}
	}
}

func (s strategy) Validate(ctx context.Context, o runtime.Object) field.ErrorList {
	m, _ := meta.Accessor(o)
	errs := validation.ValidateObjectMetaAccessor(m, s.NamespaceScoped(), s.r.name, field.NewPath("metadata"))
	if e, ok := o.(*corev1.Event); ok {
		return append(errs, validateEvent(ctx, e, nil)...)
	}
	return append(errs, validateBody(o, nil)...)
}

func (s strategy) ValidateUpdate(ctx context.Context, o, old runtime.Object) field.ErrorList {
	m, _ := meta.Accessor(o)
	om, _ := meta.Accessor(old)
	errs := validation.ValidateObjectMetaAccessorUpdate(m, om, field.NewPath("metadata"))
	if e, ok := o.(*corev1.Event); ok {
		return append(errs, validateEvent(ctx, e, old.(*corev1.Event))...)
	}
	return append(errs, validateBody(o, old)...)
}

func validateBody(o, old runtime.Object) (errs field.ErrorList) {
	keys := func(f string, v reflect.Value) (total int) {
		for it := v.MapRange(); it.Next(); {
			for _, msg := range utilvalidation.IsConfigMapKey(it.Key().String()) {
				errs = append(errs, field.Invalid(field.NewPath(f).Key(it.Key().String()), it.Key().String(), msg))
			}
			total += it.Value().Len()
		}
		if total > corev1.MaxSecretSize {
			errs = append(errs, field.TooLong(field.NewPath(f), "", corev1.MaxSecretSize))
		}
		return
	}
	immutable := func(was *bool, names ...string) {
		if was == nil || !*was {
			return
		}
		for _, n := range names {
			if !apiequality.Semantic.DeepEqual(fieldOf(o, n).Interface(), fieldOf(old, n).Interface()) {
				errs = append(errs, field.Forbidden(field.NewPath(strings.ToLower(n[:1])+n[1:]), "field is immutable when `immutable` is set"))
			}
		}
	}
	switch v := o.(type) {
	case *corev1.Secret:
		keys("data", reflect.ValueOf(v.Data))
		required := map[corev1.SecretType][]string{corev1.SecretTypeTLS: {corev1.TLSCertKey, corev1.TLSPrivateKeyKey},
			corev1.SecretTypeDockerConfigJson: {corev1.DockerConfigJsonKey}, corev1.SecretTypeSSHAuth: {corev1.SSHAuthPrivateKey}}
		for _, k := range required[v.Type] {
			if _, ok := v.Data[k]; !ok {
				errs = append(errs, field.Required(field.NewPath("data").Key(k), ""))
			}
		}
		if old, ok := old.(*corev1.Secret); ok {
			errs = append(errs, validation.ValidateImmutableField(v.Type, old.Type, field.NewPath("type"))...)
			immutable(old.Immutable, "Data", "Immutable")
		}
	case *corev1.ConfigMap:
		keys("data", reflect.ValueOf(v.Data))
		keys("binaryData", reflect.ValueOf(v.BinaryData))
		if old, ok := old.(*corev1.ConfigMap); ok {
			immutable(old.Immutable, "Data", "BinaryData", "Immutable")
		}
	case *appsv1.Deployment:
		if v.Spec.Selector == nil {
			errs = append(errs, field.Required(field.NewPath("spec", "selector"), ""))
		} else if sel, err := metav1.LabelSelectorAsSelector(v.Spec.Selector); err != nil || !sel.Matches(labels.Set(v.Spec.Template.Labels)) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "template", "metadata", "labels"), v.Spec.Template.Labels, "`selector` does not match template `labels`"))
		}
		if old, ok := old.(*appsv1.Deployment); ok {
			errs = append(errs, validation.ValidateImmutableField(v.Spec.Selector, old.Spec.Selector, field.NewPath("spec", "selector"))...)
		}
	case *rbacv1.RoleBinding:
		if old, ok := old.(*rbacv1.RoleBinding); ok {
			errs = append(errs, validation.ValidateImmutableField(v.RoleRef, old.RoleRef, field.NewPath("roleRef"))...)
		}
	case *rbacv1.ClusterRoleBinding:
		if old, ok := old.(*rbacv1.ClusterRoleBinding); ok {
			errs = append(errs, validation.ValidateImmutableField(v.RoleRef, old.RoleRef, field.NewPath("roleRef"))...)
		}
	case *coordinationv1.Lease:
		if v.Spec.LeaseDurationSeconds != nil && *v.Spec.LeaseDurationSeconds <= 0 {
			errs = append(errs, field.Invalid(field.NewPath("spec", "leaseDurationSeconds"), *v.Spec.LeaseDurationSeconds, "must be greater than 0"))
		}
		if v.Spec.LeaseTransitions != nil && *v.Spec.LeaseTransitions < 0 {
			errs = append(errs, field.Invalid(field.NewPath("spec", "leaseTransitions"), *v.Spec.LeaseTransitions, "must be greater than or equal to 0"))
		}
	}
	return errs
}

func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	p := "status"
	if s.isStatus {
		p = "spec"
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(s.r.gv.String()): fieldpath.NewSet(fieldpath.MakePathOrDie(p))}
}

// ---- storage

type store struct {
	*registry.Store
	short []string
}

func (s *store) ShortNames() []string { return s.short }
func (s *store) Categories() []string { return nil }

type statusStore struct {
	store *registry.Store
}

func (s *statusStore) New() runtime.Object { return s.store.New() }
func (s *statusStore) Destroy()            {}
func (s *statusStore) Get(ctx context.Context, name string, o *metav1.GetOptions) (runtime.Object, error) {
	return s.store.Get(ctx, name, o)
}
func (s *statusStore) Update(ctx context.Context, name string, oi rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return s.store.Update(ctx, name, oi, cv, uv, false, o)
}
func (s *statusStore) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return s.store.GetResetFields()
}
func (s *statusStore) ConvertToTable(ctx context.Context, o, t runtime.Object) (*metav1.Table, error) {
	return s.store.ConvertToTable(ctx, o, t)
}

func newStore(r resource, opts generic.RESTOptionsGetter) (*store, *statusStore, error) {
	gvk := r.gv.WithKind(r.kind)
	gr := r.gv.WithResource(r.plural).GroupResource()
	if r.gv.Group == eventsv1.GroupName { // same objects as core events
		gvk, gr = corev1.SchemeGroupVersion.WithKind("Event"), schema.GroupResource{Resource: "events"}
	}
	mk := func(gvk schema.GroupVersionKind) func() runtime.Object {
		if _, err := builtinScheme.New(gvk); err != nil {
			panic(err)
		}
		return func() runtime.Object { o, _ := builtinScheme.New(gvk); return o }
	}
	list := gvk
	list.Kind += "List"
	st := strategy{ObjectTyper: builtinScheme, NameGenerator: names.SimpleNameGenerator, r: r}
	sel := selectable(r.kind)
	attrs := func(o runtime.Object) (labels.Set, fields.Set, error) {
		m, err := meta.Accessor(o)
		if err != nil {
			return nil, nil, err
		}
		f := fields.Set{"metadata.name": m.GetName()}
		if r.flags&namespaced != 0 {
			f["metadata.namespace"] = m.GetNamespace()
		}
		for k, fn := range sel {
			f[k] = fn(o)
		}
		return m.GetLabels(), f, nil
	}
	s := &registry.Store{
		NewFunc: mk(gvk), NewListFunc: mk(list), DefaultQualifiedResource: gr,
		SingularQualifiedResource: schema.GroupResource{Group: gr.Group, Resource: r.singular},
		PredicateFunc: func(l labels.Selector, f fields.Selector) storage.SelectionPredicate {
			return storage.SelectionPredicate{Label: l, Field: f, GetAttrs: attrs}
		},
		CreateStrategy: st, UpdateStrategy: st, DeleteStrategy: st, ResetFieldsStrategy: st,
		TableConvertor: rest.NewDefaultTableConvertor(gr),
	}
	if r.kind == "Event" {
		s.TTLFunc = func(runtime.Object, uint64, bool) (uint64, error) { return 3600, nil }
	}
	if r.kind == "Namespace" {
		s.ShouldDeleteDuringUpdate = func(ctx context.Context, key string, o, old runtime.Object) bool {
			ns := o.(*corev1.Namespace)
			return len(ns.Spec.Finalizers) == 0 && registry.ShouldDeleteDuringUpdate(ctx, key, o, old)
		}
	}
	if err := s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: opts, AttrFunc: attrs}); err != nil {
		return nil, nil, err
	}
	var ss *statusStore
	if r.flags&status != 0 {
		c, t := *s, st
		t.isStatus = true
		c.UpdateStrategy, c.ResetFieldsStrategy = t, t
		ss = &statusStore{&c}
	}
	return &store{s, r.short}, ss, nil
}

// namespaces: deleting marks them Terminating; emptying spec.finalizers through /finalize removes them.

type nsStore struct{ *store }

func (s *nsStore) Delete(ctx context.Context, name string, dv rest.ValidateObjectFunc, o *metav1.DeleteOptions) (runtime.Object, bool, error) {
	obj, err := s.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, false, err
	}
	ns := obj.(*corev1.Namespace)
	if o == nil {
		o = metav1.NewDeleteOptions(0)
	}
	if o.Preconditions != nil && (o.Preconditions.UID != nil && *o.Preconditions.UID != ns.UID || o.Preconditions.ResourceVersion != nil && *o.Preconditions.ResourceVersion != ns.ResourceVersion) {
		return nil, false, apierrors.NewConflict(schema.GroupResource{Resource: "namespaces"}, name, fmt.Errorf("precondition failed"))
	}
	if ns.DeletionTimestamp.IsZero() {
		key, err := s.KeyFunc(ctx, name)
		if err != nil {
			return nil, false, err
		}
		out := s.NewFunc()
		err = s.Storage.GuaranteedUpdate(ctx, key, out, false, &storage.Preconditions{UID: &ns.UID}, storage.SimpleUpdate(func(e runtime.Object) (runtime.Object, error) {
			n := e.(*corev1.Namespace)
			if err := dv(ctx, e); err != nil {
				return nil, err
			}
			if n.DeletionTimestamp.IsZero() {
				now := metav1.Now()
				n.DeletionTimestamp = &now
			}
			n.Status.Phase = corev1.NamespaceTerminating
			return n, nil
		}), o.DryRun != nil, nil)
		return out, false, err
	}
	if len(ns.Spec.Finalizers) != 0 {
		return ns, false, nil
	}
	return s.Store.Delete(ctx, name, dv, o)
}

type finalizeStore struct{ store *registry.Store }

func (s *finalizeStore) New() runtime.Object { return &corev1.Namespace{} }
func (s *finalizeStore) Destroy()            {}
func (s *finalizeStore) Update(ctx context.Context, name string, oi rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return s.store.Update(ctx, name, oi, cv, uv, false, o)
}

type finalizeStrategy struct{ strategy }

func (finalizeStrategy) PrepareForUpdate(_ context.Context, o, old runtime.Object) {
	o.(*corev1.Namespace).Status = old.(*corev1.Namespace).Status
}

func installBuiltins(s *genericapiserver.GenericAPIServer, etcd *genericoptions.EtcdOptions, cfg *genericapiserver.RecommendedConfig, signer tokenKey) error {
	sf := serverstorage.NewDefaultStorageFactory(etcd.StorageConfig, runtime.ContentTypeJSON, builtinCodecs, serverstorage.NewDefaultResourceEncodingConfig(builtinScheme),
		serverstorage.NewResourceConfig(), nil)
	sf.StorageConfig.StorageObjectCountTracker = cfg.StorageObjectCountTracker
	opts := etcd.CreateRESTOptionsGetter(sf, cfg.ResourceTransformers)
	infos := map[string]*genericapiserver.APIGroupInfo{}
	var order []string
	info := func(gv schema.GroupVersion) map[string]rest.Storage {
		i := infos[gv.Group]
		if i == nil {
			v := genericapiserver.NewDefaultAPIGroupInfo(gv.Group, builtinScheme, runtime.NewParameterCodec(builtinScheme), builtinCodecs)
			v.PrioritizedVersions = []schema.GroupVersion{gv}
			v.VersionedResourcesStorageMap[gv.Version] = map[string]rest.Storage{}
			i = &v
			infos[gv.Group] = i
			order = append(order, gv.Group)
		}
		return i.VersionedResourcesStorageMap[gv.Version]
	}
	for _, r := range table {
		st, ss, err := newStore(r, opts)
		if err != nil {
			return fmt.Errorf("%s: %w", r.plural, err)
		}
		m := info(r.gv)
		m[r.plural] = st
		if ss != nil {
			m[r.plural+"/status"] = ss
		}
		if r.kind == "ServiceAccount" {
			m[r.plural+"/token"] = &tokenStore{st, signer}
		}
		if r.kind == "Namespace" && r.gv.Group == "" {
			m[r.plural] = &nsStore{st}
			c := *st.Store
			c.UpdateStrategy = finalizeStrategy{st.Store.UpdateStrategy.(strategy)}
			m[r.plural+"/finalize"] = &finalizeStore{&c}
		}
	}
	for g, res := range reviews(cfg.Authorization.Authorizer) {
		m := info(schema.GroupVersion{Group: g, Version: "v1"})
		for n, st := range res {
			m[n] = st
		}
	}
	if err := s.InstallLegacyAPIGroup("/api", infos[""]); err != nil {
		return err
	}
	var rest []*genericapiserver.APIGroupInfo
	for _, g := range order {
		if g != "" {
			rest = append(rest, infos[g])
		}
	}
	return s.InstallAPIGroups(rest...)
}

func sortedVersions(m map[string]bool) []string {
	var vs []string
	for v := range m {
		vs = append(vs, v)
	}
	sort.Slice(vs, func(i, j int) bool { return version.CompareKubeAwareVersionStrings(vs[i], vs[j]) > 0 })
	return vs
}
