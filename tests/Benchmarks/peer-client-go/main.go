// Command peer-client-go does the operator's job with client-go, as a measure for it: a typed shared informer, a rate-limited workqueue, workers,
// and UpdateStatus. It is no operator: one store whose keys are flags, one encryption, no drift, no errors in the status.
//
//	peer-client-go sync -kubeconfig F -objects N    until the informer has synced; prints what it took, and ends
//	peer-client-go run  -kubeconfig F -endpoint U   until SIGTERM
//
// It is given what client-go's users are told to give: managedFields are dropped before an object is stored, and the client's own rate limit is a flag.
// -qps -1 (the default here) means no limit; client-go's own default is 5 requests a second with bursts of 10, and would be all that is measured.
// KUBE_FEATURE_WatchListClient=false makes the informer list by pages; client-go's default is a streaming list.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const bucketConcurrency = 8 // the operator's default

func main() {
	flags := flag.NewFlagSet("peer-client-go", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "path of a kubeconfig")
	qps := flags.Float64("qps", -1, "requests a second to the API server; -1: no limit, 0: client-go's default of 5")
	burst := flags.Int("burst", 0, "requests at once; 0: client-go's default of 10")
	objects := flags.Int("objects", 0, "sync: objects that must be there")
	endpoint := flags.String("endpoint", "", "run: URL of the store")
	workers := flags.Int("workers", 4, "run: policies worked on at a time")
	if len(os.Args) < 2 || (os.Args[1] != "sync" && os.Args[1] != "run") {
		log.Fatal("usage: peer-client-go sync|run [flags]")
	}
	_ = flags.Parse(os.Args[2:])

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	config.QPS, config.Burst = float32(*qps), *burst
	client, informer := connect(config)
	if os.Args[1] == "sync" {
		syncOnce(ctx, informer, *objects, *qps)
		return
	}
	s := &store{
		http:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second},
		endpoint: *endpoint, region: "cn-hangzhou", accessKeyID: "example-key-id", accessKey: "example-key-secret",
	}
	work(ctx, client, informer, s, *workers)
}

func connect(config *rest.Config) (rest.Interface, cache.SharedIndexInformer) {
	scheme := newScheme()
	config.GroupVersion = &groupVersion
	config.APIPath = "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		log.Fatal(err)
	}
	source := cache.ToListWatcherWithWatchListSemantics(cache.NewListWatchFromClient(client, plural, metav1.NamespaceAll, fields.Everything()), client)
	informer := cache.NewSharedIndexInformer(source, &Policy{}, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	if err := informer.SetTransform(withoutManagedFields); err != nil {
		log.Fatal(err)
	}
	return client, informer
}

func withoutManagedFields(o any) (any, error) {
	if p, ok := o.(*Policy); ok {
		p.ManagedFields = nil
	}
	return o, nil
}

func syncOnce(ctx context.Context, informer cache.SharedIndexInformer, objects int, qps float64) {
	go informer.RunWithContext(ctx)
	for !informer.HasSynced() { // WaitForCacheSync looks only every 100 ms
		time.Sleep(time.Millisecond)
	}
	seconds := sinceStart()
	if n := len(informer.GetStore().ListKeys()); n != objects {
		log.Fatalf("%d objects, expected %d", n, objects)
	}
	time.Sleep(time.Second) // let it come to rest
	line := fmt.Sprintf("seconds=%.3f cpuSeconds=%.2f rssMiB=%.1f privateMiB=%.1f peakMiB=%.1f",
		seconds, cpuSeconds(), status("VmRSS:"), status("RssAnon:")+status("RssShmem:"), status("VmHWM:"))
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Printf("%s heapMiB=%.1f qps=%g\n", line, float64(memory.HeapAlloc)/(1<<20), qps)
	runtime.KeepAlive(informer)
}

func work(ctx context.Context, client rest.Interface, informer cache.SharedIndexInformer, s *store, workers int) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	add := func(o any) {
		if p := o.(*Policy); p.Status == nil || p.Status.ObservedGeneration != p.Generation {
			queue.Add(p.Namespace + "/" + p.Name)
		}
	}
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, o any) { add(o) }}); err != nil {
		log.Fatal(err)
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				key, end := queue.Get()
				if end {
					return
				}
				if o, exists, _ := informer.GetStore().GetByKey(key); exists {
					if err := reconcile(ctx, client, s, o.(*Policy)); err != nil {
						log.Printf("%s: %v", key, err)
						queue.AddRateLimited(key)
					} else {
						queue.Forget(key)
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

func reconcile(ctx context.Context, client rest.Interface, s *store, held *Policy) error {
	policy := held.DeepCopyObject().(*Policy)
	rows := make([]BucketRow, len(policy.Spec.Buckets))
	errs := make([]error, len(rows))
	slots := make(chan struct{}, bucketConcurrency)
	var running sync.WaitGroup
	for i, bucket := range policy.Spec.Buckets {
		slots <- struct{}{}
		running.Go(func() {
			rows[i], errs[i] = apply(ctx, s, bucket.Name, policy.Spec.Encryption)
			<-slots
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	n := len(rows)
	status := &Status{ObservedGeneration: policy.Generation, Buckets: rows, Summary: &Summary{Total: n, InSync: n, Text: fmt.Sprintf("%d/%d", n, n)}}
	if policy.Status != nil {
		status.Conditions = append(status.Conditions, policy.Status.Conditions...)
	}
	for _, kind := range []string{"Ready", "Compliant"} {
		meta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: "InSync", Message: "All buckets are as declared.", ObservedGeneration: policy.Generation})
	}
	policy.Status = status
	return client.Put().Namespace(policy.Namespace).Resource(plural).Name(policy.Name).SubResource("status").Body(policy).Do(ctx).Error()
}

// apply reads a bucket, writes it if it must be, and reads it back, as the operator does.
func apply(ctx context.Context, s *store, bucket string, want Encryption) (BucketRow, error) {
	var target document
	target.Default.Algorithm = want.Algorithm
	if want.KmsKey != nil {
		target.Default.KmsKeyID = want.KmsKey.ID
	}
	row := BucketRow{Name: bucket, State: "InSync", Observed: &Observed{Algorithm: want.Algorithm, KmsKeyID: target.Default.KmsKeyID}}
	found, err := s.get(ctx, bucket)
	if err != nil || found.Default == target.Default {
		return row, err
	}
	if err = s.put(ctx, bucket, target); err != nil {
		return row, err
	}
	applied := metav1.Now()
	row.LastAppliedTime = &applied
	if found, err = s.get(ctx, bucket); err == nil && found.Default != target.Default {
		err = fmt.Errorf("%s is not as it was written", bucket)
	}
	return row, err
}

// sinceStart is the time since the kernel started this process, so that the start of the runtime counts too.
func sinceStart() float64 {
	uptime, _ := strconv.ParseFloat(strings.Fields(read("/proc/uptime"))[0], 64)
	ticks, _ := strconv.ParseFloat(stat(22), 64)
	return uptime - ticks/100
}

func cpuSeconds() float64 {
	user, _ := strconv.ParseFloat(stat(14), 64)
	system, _ := strconv.ParseFloat(stat(15), 64)
	return (user + system) / 100
}

// stat is a field of proc(5)'s /proc/PID/stat, counted as there; the second one may hold blanks.
func stat(field int) string {
	line := read("/proc/self/stat")
	return strings.Fields(line[strings.LastIndex(line, ")")+2:])[field-3]
}

// status is a line of /proc/PID/status in MiB.
func status(name string) float64 {
	for _, line := range strings.Split(read("/proc/self/status"), "\n") {
		if parts := strings.Fields(line); len(parts) > 1 && parts[0] == name {
			kib, _ := strconv.ParseFloat(parts[1], 64)
			return kib / 1024
		}
	}
	return 0
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}
