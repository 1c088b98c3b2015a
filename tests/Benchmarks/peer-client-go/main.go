// Command peer-client-go does the operator's job with client-go, as a measure for it: a typed shared informer, a rate-limited workqueue, workers, a Lease,
// events, structured logs, a record of each write before it is sent, and a status with the same fields. It is no operator: one store whose keys are
// flags, one encryption, no errors in the status, no metrics. docs/benchmarks.md lists what it does, and why.
//
//	peer-client-go sync -kubeconfig F -objects N [-pages]   until the informer has synced; prints what it took, and ends
//	peer-client-go run  -kubeconfig F -endpoint U           until SIGTERM; its last line has the bytes that it allocated
//
// It is given what client-go's users are told to give: managedFields are dropped before an object is stored, and the client's own rate limit is a flag.
// -qps -1 (the default here) means no limit; client-go's own default is 5 requests a second with bursts of 10, and would be all that is measured.
// client-go's default is a streaming list. KUBE_FEATURE_WatchListClient=false makes the informer list, and -pages makes this a list of etcd's state by
// pages of 500, as the operator's is: client-go asks for the watch cache's (resourceVersion=0), of which the API server sends all objects at once.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/time/rate"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	eventsv1 "k8s.io/client-go/kubernetes/typed/events/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const maxConcurrency = 64 // requests to the store at a time: what the bench sets for the operator

func main() {
	flags := flag.NewFlagSet("peer-client-go", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "path of a kubeconfig")
	qps := flags.Float64("qps", -1, "requests a second to the API server; -1: no limit, 0: client-go's default of 5")
	burst := flags.Int("burst", 0, "requests at once; 0: client-go's default of 10")
	objects := flags.Int("objects", 0, "sync: objects that must be there")
	pages := flags.Bool("pages", false, "sync: list by pages")
	endpoint := flags.String("endpoint", "", "run: URL of the store")
	vendorRate := flags.Float64("vendor-rate", 1000, "run: requests a second to the store")
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
	config.UserAgent = "peer-client-go" // by which the audit log is counted
	client, informer := connect(config, *pages)
	if os.Args[1] == "sync" {
		syncOnce(ctx, informer, *objects, *qps)
		return
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	where, err := url.Parse(*endpoint)
	must(err)
	s := &store{
		http:     &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxConcurrency}, Timeout: 10 * time.Second},
		rate:     rate.NewLimiter(rate.Limit(*vendorRate), int(*vendorRate)),
		slots:    make(chan struct{}, maxConcurrency),
		endpoint: *endpoint, partition: where.Host, region: "cn-hangzhou", accessKeyID: "example-key-id", accessKey: "signs-for-all-of-it",
	}
	recorder, flush := record(ctx, config)
	r := &reconciler{client: client, store: s, events: recorder}
	go informer.RunWithContext(ctx) // a standby has all in memory
	if cache.WaitFor(ctx, "policies", informer.HasSyncedChecker()) { // WaitForCacheSync looks only every 100 ms
		lead(ctx, config, func(ctx context.Context) { r.work(ctx, informer, *workers) })
	}
	flush()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	slog.Info("stopped", "allocated", memory.TotalAlloc)
}

// record makes client-go's recorder of events.
func record(ctx context.Context, config *rest.Config) (events.EventRecorder, func()) {
	api, err := eventsv1.NewForConfig(config)
	must(err)
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: api})
	must(broadcaster.StartRecordingToSinkWithContext(ctx))
	return broadcaster.NewRecorder(newScheme(), "bucketencryption.io/peer"), broadcaster.Shutdown
}

// lead runs the work while this process holds the Lease; with the operator's times, which are client-go's defaults.
func lead(ctx context.Context, config *rest.Config, work func(context.Context)) {
	api, err := coordinationv1.NewForConfig(config)
	must(err)
	host, err := os.Hostname()
	must(err)
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Namespace: "bench", Name: "peer-client-go"}, Client: api,
			LockConfig: resourcelock.ResourceLockConfig{Identity: host + "-" + strconv.Itoa(os.Getpid())}},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second, ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: work, OnStoppedLeading: func() {}},
	})
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func connect(config *rest.Config, pages bool) (rest.Interface, cache.SharedIndexInformer) {
	scheme := newScheme()
	config = rest.CopyConfig(config)
	config.GroupVersion = &groupVersion
	config.APIPath = "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		log.Fatal(err)
	}
	source := cache.ToListWatcherWithWatchListSemantics(cache.NewFilteredListWatchFromClient(client, plural, metav1.NamespaceAll, func(o *metav1.ListOptions) {
		if pages && !o.Watch && o.ResourceVersion == "0" {
			o.ResourceVersion = ""
		}
	}), client)
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
	cache.WaitFor(ctx, "policies", informer.HasSyncedChecker())
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
