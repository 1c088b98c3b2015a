package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The kind as crds/bucketencryptionpolicies.yaml has it: the same fields as the operator reads, so that both sides decode the same.

var groupVersion = schema.GroupVersion{Group: "bucketencryption.io", Version: "v1alpha1"}

const plural = "bucketencryptionpolicies"

type Policy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              Spec    `json:"spec"`
	Status            *Status `json:"status,omitempty"`
}

type PolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []Policy `json:"items"`
}

type Spec struct {
	StoreRef       StoreRef   `json:"storeRef"`
	Buckets        []Bucket   `json:"buckets"`
	Encryption     Encryption `json:"encryption"`
	AllowDowngrade *bool      `json:"allowDowngrade,omitempty"`
	ResyncInterval string     `json:"resyncInterval,omitempty"`
}

type StoreRef struct {
	Kind string `json:"kind,omitempty"`
	Name string `json:"name"`
}

type Bucket struct {
	Name string `json:"name"`
}

type Encryption struct {
	Algorithm         string  `json:"algorithm"`
	KmsKey            *KmsKey `json:"kmsKey,omitempty"`
	KmsDataEncryption string  `json:"kmsDataEncryption,omitempty"`
}

type KmsKey struct {
	ID            string `json:"id,omitempty"`
	VendorDefault *bool  `json:"vendorDefault,omitempty"`
}

type Status struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	Summary            *Summary           `json:"summary,omitempty"`
	Buckets            []BucketRow        `json:"buckets,omitempty"`
}

type Summary struct {
	Total   int    `json:"total"`
	InSync  int    `json:"inSync"`
	Drifted int    `json:"drifted"`
	Failed  int    `json:"failed"`
	Unknown int    `json:"unknown"`
	Text    string `json:"text"`
}

type BucketRow struct {
	Name            string       `json:"name"`
	State           string       `json:"state"`
	Observed        *Observed    `json:"observed,omitempty"`
	LastAppliedTime *metav1.Time `json:"lastAppliedTime,omitempty"`
}

type Observed struct {
	Algorithm         string `json:"algorithm"`
	KmsKeyID          string `json:"kmsKeyId,omitempty"`
	KmsDataEncryption string `json:"kmsDataEncryption,omitempty"`
}

// DeepCopyObject copies what this program changes (the status is replaced, never edited); the rest is shared.
func (p *Policy) DeepCopyObject() runtime.Object {
	q := *p
	return &q
}

func (l *PolicyList) DeepCopyObject() runtime.Object {
	m := *l
	m.Items = append([]Policy(nil), l.Items...)
	return &m
}

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	s.AddKnownTypeWithName(groupVersion.WithKind("BucketEncryptionPolicy"), &Policy{})
	s.AddKnownTypeWithName(groupVersion.WithKind("BucketEncryptionPolicyList"), &PolicyList{})
	metav1.AddToGroupVersion(s, groupVersion)
	return s
}
