package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
)

const (
	bucketConcurrency = 8                // the operator's default
	resync            = 10 * time.Minute // the default of spec.resyncInterval
)

// reconciler does for a policy what the operator does where nothing goes wrong.
type reconciler struct {
	client rest.Interface
	store  *store
	events events.EventRecorder
}

func (r *reconciler) work(ctx context.Context, informer cache.SharedIndexInformer, workers int) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	add := func(o any) { queue.Add(cache.MetaObjectToName(o.(*Policy)).String()) }
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) {
			if p := o.(*Policy); p.Status == nil || p.Status.ObservedGeneration != p.Generation {
				add(o)
			} else {
				queue.AddAfter(cache.MetaObjectToName(p).String(), untilNext(p))
			}
		},
		UpdateFunc: func(was, is any) {
			if was.(*Policy).Generation != is.(*Policy).Generation {
				add(is)
			}
		},
	})
	must(err)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				key, end := queue.Get()
				if end {
					return
				}
				if o, exists, _ := informer.GetStore().GetByKey(key); exists {
					policy := o.(*Policy)
					if err := r.reconcile(ctx, policy); err != nil {
						slog.Warn("reconcile failed", "policy", key, "error", err)
						queue.AddRateLimited(key)
					} else {
						queue.Forget(key)
						queue.AddAfter(key, untilNext(policy))
					}
				}
				queue.Done(key)
			}
		})
	}
	<-ctx.Done()
	queue.ShutDown()
	running.Wait()
}

// untilNext spreads the policies over the interval as the operator does: each has a phase of its own, and comes after 0.1 to 1.1 of the interval.
func untilNext(p *Policy) time.Duration {
	hash := fnv.New64a()
	hash.Write([]byte(p.UID))
	phase := int64(hash.Sum64() % uint64(resync))
	rest := resync - time.Duration((time.Now().UnixNano()-phase)%int64(resync))
	if rest < resync/10 {
		rest += resync
	}
	return rest
}

// reconcile reads all buckets, puts the writes on record, writes and reads back, and reports; each of them once, as the operator does.
func (r *reconciler) reconcile(ctx context.Context, held *Policy) error {
	policy := held.DeepCopyObject().(*Policy)
	n := len(policy.Spec.Buckets)
	found := make([]document, n)
	if err := each(n, func(i int) (err error) {
		found[i], err = r.store.get(ctx, policy.Spec.Buckets[i].Name)
		return err
	}); err != nil {
		return err
	}
	var target document
	target.Default.Algorithm = policy.Spec.Encryption.Algorithm
	if key := policy.Spec.Encryption.KmsKey; key != nil {
		target.Default.KmsKeyID = key.ID
	}
	rows := make([]BucketRow, n)
	remembered := map[string]BucketRow{}
	if policy.Status != nil {
		for _, row := range policy.Status.Buckets {
			remembered[row.Name] = row
		}
	}
	now := metav1.Now()
	writes := 0
	for i, bucket := range policy.Spec.Buckets {
		row := remembered[bucket.Name]
		row.Name, row.Partition = bucket.Name, r.store.partition
		if row.ClaimedTime == nil {
			row.ClaimedTime, row.HeldTime, row.State = &now, &now, "Unknown"
		}
		if found[i].Default != target.Default {
			writes++
			row.Writes = &WriteRecord{Hash: hash(target), Count: 1, NotBefore: now}
		}
		rows[i] = row
	}
	if writes > 0 {
		status := &Status{Summary: &Summary{Total: n, Unknown: n, Text: fmt.Sprintf("0/%d", n)}, Buckets: rows}
		if policy.Status != nil {
			status.Conditions, status.ObservedGeneration = policy.Status.Conditions, policy.Status.ObservedGeneration
		}
		var err error
		if policy, err = r.patch(ctx, policy, status); err != nil {
			return err
		}
	}
	applied := make([]bool, n)
	if err := each(n, func(i int) (err error) {
		if found[i].Default != target.Default {
			applied[i], err = true, r.apply(ctx, policy, rows[i].Name, found[i], target)
		}
		return err
	}); err != nil {
		return err
	}
	return r.report(ctx, policy, rows, applied, target)
}

// apply writes a bucket and reads it back.
func (r *reconciler) apply(ctx context.Context, policy *Policy, bucket string, was, target document) error {
	if err := r.store.put(ctx, bucket, target); err != nil {
		return err
	}
	slog.Info("encryption applied", "policy", policy.Namespace+"/"+policy.Name, "store", policy.Spec.StoreRef.Name, "vendor", "AlibabaOSS",
		"bucket", bucket, "from", was.Default.Algorithm, "to", target.Default.Algorithm)
	is, err := r.store.get(ctx, bucket)
	if err == nil && is.Default != target.Default {
		err = fmt.Errorf("%s is not as it was written", bucket)
	}
	return err
}

// report writes the status if it changed, and an event and a line of the log for what changed.
func (r *reconciler) report(ctx context.Context, policy *Policy, rows []BucketRow, applied []bool, target document) error {
	now, n, written := metav1.Now(), len(rows), 0
	after := make([]BucketRow, n)
	for i, row := range rows {
		row.State, row.Writes = "InSync", nil
		row.Observed = &Observed{Algorithm: target.Default.Algorithm, KmsKeyID: target.Default.KmsKeyID}
		if applied[i] {
			written++
			row.LastAppliedTime = &now
		}
		after[i] = row
	}
	if written == 0 && policy.Status != nil && policy.Status.ObservedGeneration == policy.Generation {
		return nil
	}
	status := &Status{ObservedGeneration: policy.Generation, Buckets: after, Inputs: hash(target), LastVerifiedTime: &now,
		Summary: &Summary{Total: n, InSync: n, Text: fmt.Sprintf("%d/%d", n, n)}}
	if policy.Status != nil {
		status.Conditions = append(status.Conditions, policy.Status.Conditions...)
	}
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: "Ready", Status: metav1.ConditionTrue, Reason: "InSync", Message: "The bucket is encrypted as declared.", ObservedGeneration: policy.Generation})
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: "Compliant", Status: metav1.ConditionTrue, Reason: "AsDeclared", Message: "Every bucket is encrypted as declared.", ObservedGeneration: policy.Generation})
	if written > 0 {
		r.events.Eventf(policy, nil, corev1.EventTypeNormal, "EncryptionApplied", "Put", "%d buckets, of them %s: default encryption is now %s with key %s; it was None.",
			written, rows[0].Name, target.Default.Algorithm, target.Default.KmsKeyID)
	}
	if _, err := r.patch(ctx, policy, status); err != nil {
		return err
	}
	slog.Info("Ready changed", "policy", policy.Namespace+"/"+policy.Name, "store", policy.Spec.StoreRef.Name, "vendor", "AlibabaOSS",
		"ready", "True", "reason", "InSync", "buckets", status.Summary.Text)
	return nil
}

func (r *reconciler) patch(ctx context.Context, policy *Policy, status *Status) (*Policy, error) {
	change := patch{Status: status}
	change.Metadata.ResourceVersion = policy.ResourceVersion
	body, err := json.Marshal(change)
	if err != nil {
		return nil, err
	}
	stored := &Policy{}
	return stored, r.client.Patch(types.MergePatchType).Namespace(policy.Namespace).Resource(plural).Name(policy.Name).SubResource("status").Body(body).Do(ctx).Into(stored)
}

// each calls a function for 0 to n-1, a few at a time, and returns the first error.
func each(n int, do func(int) error) error {
	errs := make([]error, n)
	slots := make(chan struct{}, bucketConcurrency)
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			errs[i] = do(i)
			<-slots
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func hash(d document) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s", d.Default.Algorithm, d.Default.KmsKeyID)
	return fmt.Sprintf("%016x", h.Sum64())
}
