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
	DeletionPolicy string     `json:"deletionPolicy,omitempty"`
	Match          string     `json:"match,omitempty"`
	Suspend        *bool      `json:"suspend,omitempty"`
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
	Inputs             string             `json:"inputs,omitempty"`
	LastVerifiedTime   *metav1.Time       `json:"lastVerifiedTime,omitempty"`
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
	Partition       string       `json:"partition,omitempty"`
	ClaimedTime     *metav1.Time `json:"claimedTime,omitempty"`
	HeldTime        *metav1.Time `json:"heldTime,omitempty"`
	Writes          *WriteRecord `json:"writes,omitempty"`
	LastAppliedTime *metav1.Time `json:"lastAppliedTime,omitempty"`
}

// WriteRecord says that a write is about to be sent: it is stored before the store is written to, so that a crash in between is not forgotten.
type WriteRecord struct {
	Hash      string      `json:"hash"`
	Count     int32       `json:"count"`
	NotBefore metav1.Time `json:"notBefore"`
}

type Observed struct {
	Algorithm         string `json:"algorithm"`
	KmsKeyID          string `json:"kmsKeyId,omitempty"`
	KmsDataEncryption string `json:"kmsDataEncryption,omitempty"`
}

// patch is a merge patch of a status, bound to the version that it was made from.
type patch struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Status *Status `json:"status"`
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
	s.AddKnownTypes(schema.GroupVersion{Version: "v1"}, &metav1.Status{})
	metav1.AddToGroupVersion(s, groupVersion)
	return s
}
