package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
)

// ---- events: one stored object, served as core/v1 and as events.k8s.io/v1

func toCoreEvent(in *eventsv1.Event, out *corev1.Event) {
	out.ObjectMeta, out.EventTime, out.Action, out.Reason, out.Message, out.Type = in.ObjectMeta, in.EventTime, in.Action, in.Reason, in.Note, in.Type
	out.InvolvedObject, out.Related, out.ReportingController, out.ReportingInstance = in.Regarding, in.Related, in.ReportingController, in.ReportingInstance
	out.Source, out.FirstTimestamp, out.LastTimestamp, out.Count = in.DeprecatedSource, in.DeprecatedFirstTimestamp, in.DeprecatedLastTimestamp, in.DeprecatedCount
	if in.Series != nil {
		out.Series = &corev1.EventSeries{Count: in.Series.Count, LastObservedTime: in.Series.LastObservedTime}
	}
}

func fromCoreEvent(in *corev1.Event, out *eventsv1.Event) {
	out.ObjectMeta, out.EventTime, out.Action, out.Reason, out.Note, out.Type = in.ObjectMeta, in.EventTime, in.Action, in.Reason, in.Message, in.Type
	out.Regarding, out.Related, out.ReportingController, out.ReportingInstance = in.InvolvedObject, in.Related, in.ReportingController, in.ReportingInstance
	out.DeprecatedSource, out.DeprecatedFirstTimestamp, out.DeprecatedLastTimestamp, out.DeprecatedCount = in.Source, in.FirstTimestamp, in.LastTimestamp, in.Count
	if in.Series != nil {
		out.Series = &eventsv1.EventSeries{Count: in.Series.Count, LastObservedTime: in.Series.LastObservedTime}
	}
}

// validateEvent refuses the events that kube-apiserver refuses. There are two sets of rules: an event with an eventTime (the new
// style) must say who reports what; one without needs only a namespace that fits. Coming through events.k8s.io/v1 it must be of
// the new style, leave the deprecated fields alone, and afterwards never change but for its series and metadata.
func validateEvent(ctx context.Context, e, old *corev1.Event) (errs field.ErrorList) {
	wrong := func(name, msg string) { errs = append(errs, field.Invalid(field.NewPath(name), "", msg)) }
	missing := func(name string) { errs = append(errs, field.Required(field.NewPath(name), "")) }
	ns, about := e.Namespace, e.InvolvedObject.Namespace
	clusterScoped := about == ""
	if e.EventTime.IsZero() {
		if clusterScoped && ns != metav1.NamespaceDefault || !clusterScoped && ns != about {
			wrong("involvedObject.namespace", "does not match event.namespace")
		}
	} else {
		if clusterScoped && ns != metav1.NamespaceDefault && ns != metav1.NamespaceSystem {
			wrong("involvedObject.namespace", "does not match event.namespace")
		}
		if e.ReportingController == "" {
			missing("reportingController")
		}
		for _, msg := range utilvalidation.IsQualifiedName(e.ReportingController) {
			wrong("reportingController", msg)
		}
		for _, f := range []struct {
			name, value string
			needed      bool
			most        int
		}{{"reportingInstance", e.ReportingInstance, true, 128}, {"action", e.Action, true, 128}, {"reason", e.Reason, true, 128}, {"message", e.Message, false, 1024}} {
			if f.needed && f.value == "" {
				missing(f.name)
			}
			if len(f.value) > f.most {
				wrong(f.name, fmt.Sprintf("can have at most %d characters", f.most))
			}
		}
	}
	if info, ok := apirequest.RequestInfoFrom(ctx); !ok || info.APIGroup != eventsv1.GroupName {
		return errs
	}
	if e.Series != nil && (old == nil || !apiequality.Semantic.DeepEqual(e.Series, old.Series)) {
		if e.Series.Count < 2 {
			wrong("series.count", "should be at least 2")
		}
		if e.Series.LastObservedTime.IsZero() {
			missing("series.lastObservedTime")
		}
	}
	if old == nil {
		if e.EventTime.IsZero() {
			missing("eventTime")
		}
		if e.Type != corev1.EventTypeNormal && e.Type != corev1.EventTypeWarning {
			wrong("type", fmt.Sprintf("has invalid value: %s", e.Type))
		}
		for name, set := range map[string]bool{"firstTimestamp": !e.FirstTimestamp.IsZero(), "lastTimestamp": !e.LastTimestamp.IsZero(),
			"count": e.Count != 0, "source": e.Source != corev1.EventSource{}} {
			if set {
				wrong(name, "needs to be unset")
			}
		}
		return errs
	}
	was, is := old.DeepCopy(), e.DeepCopy()
	for _, v := range []*corev1.Event{was, is} {
		v.TypeMeta, v.ObjectMeta, v.Series = metav1.TypeMeta{}, metav1.ObjectMeta{}, nil
	}
	if !apiequality.Semantic.DeepEqual(was, is) {
		errs = append(errs, field.Forbidden(field.NewPath(""), "only metadata and series of an event can change"))
	}
	return errs
}
