//go:debug default=go1.26

// test-apiserver: a real Kubernetes API server for integration tests, built from the upstream
// libraries k8s.io/apiextensions-apiserver and k8s.io/apiserver, with the built-in types that an
// operator touches served as stored objects from one generic registry. State lives in a real etcd.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	noopoteltrace "go.opentelemetry.io/otel/trace/noop"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	extoptions "k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/anonymous"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	authunion "k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/websocket"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	tokenunion "k8s.io/apiserver/pkg/authentication/token/union"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	authzunion "k8s.io/apiserver/pkg/authorization/union"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	genericfilters "k8s.io/apiserver/pkg/server/filters"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/apiserver/pkg/util/proxy"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	generatedopenapi "testapiserver/openapi"
)

type svcResolver struct{ l corelisters.ServiceLister }

func (r *svcResolver) ResolveEndpoint(ns, name string, port int32) (*url.URL, error) {
	return proxy.ResolveCluster(r.l, ns, name, port)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "test-apiserver:", err)
		stopEtcd()
		os.Exit(1)
	}
}

func main() {
	start := time.Now()
	klog.InitFlags(nil)
	var (
		dataDir     = flag.String("data-dir", "./apiserver-data", "certificates, kubeconfigs, etcd data")
		bind        = flag.String("bind-address", "127.0.0.1", "address to listen on")
		port        = flag.Int("secure-port", 0, "https port; 0 picks a free one")
		etcdServers = flag.String("etcd-servers", "", "etcd to use; empty: start --etcd-binary as a child on free ports")
		etcdBinary  = flag.String("etcd-binary", "etcd", "etcd to start when --etcd-servers is empty")
		etcdFsync   = flag.Bool("etcd-fsync", false, "let the child etcd fsync (slow, and pointless for tests)")
		etcdPrefix  = flag.String("etcd-prefix", "/registry", "key prefix; differing prefixes share one etcd")
		tokens      = flag.String("token-auth-file", "", "CSV: token,user,uid,\"group1,group2\"")
		authz       = flag.String("authorization-mode", "RBAC", "RBAC or AlwaysAllow")
		anon        = flag.Bool("anonymous-auth", true, "let unauthenticated requests through as system:anonymous")
		compaction  = flag.Duration("etcd-compaction-interval", 5*time.Minute, "how often the server compacts etcd")
		reqTimeout  = flag.Duration("request-timeout", 60*time.Second, "timeout for non-watch requests")
		minTimeout  = flag.Int("min-request-timeout", 1800, "watches end after a random time between this and twice this, in seconds")
		nsCtl       = flag.Bool("namespace-controller", true, "empty and remove terminating namespaces (as kube-controller-manager does)")
		gcCtl       = flag.Bool("gc-controller", true, "delete objects whose owners are all gone (as kube-controller-manager does)")
		parent      = flag.Int("parent-pid", 0, "stop when this process is no longer the parent; 0: run on without it")
		audit       = flag.String("audit-log-path", "", "write an audit log (metadata level) here")
	)
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	must(os.MkdirAll(*dataDir, 0o700))
	dir, err := filepath.Abs(*dataDir)
	must(err)
	ready := filepath.Join(dir, "ready")
	must(os.RemoveAll(ready)) // a killed predecessor's would lie
	if *parent != 0 {
		go stopWithParent(ctx, *parent, cancel)
	}
	pki, err := ensurePKI(dir, *bind)
	must(err)
	if *etcdServers == "" {
		*etcdServers, err = startEtcd(*etcdBinary, filepath.Join(dir, "etcd"), *etcdFsync)
		must(err)
	}
	defer stopEtcd()

	// ---- one generic config for the one server
	run := genericoptions.NewServerRunOptions()
	run.RequestTimeout = *reqTimeout
	run.MinRequestTimeout = *minTimeout
	must(run.ComponentGlobalsRegistry.Set())
	must(run.Complete())
	cfg := genericapiserver.NewRecommendedConfig(extapiserver.Codecs)
	must(run.ApplyTo(&cfg.Config))
	cfg.EnableProfiling = false
	cfg.LongRunningFunc = genericfilters.BasicLongRunningRequestCheck(sets.NewString("watch"), sets.NewString())
	cfg.AggregatedDiscoveryGroupManager = aggregated.NewResourceManager("apis")

	serving := genericoptions.NewSecureServingOptions().WithLoopback()
	serving.BindAddress = net.ParseIP(*bind)
	serving.ServerCert.CertKey = genericoptions.CertKey{CertFile: pki.serverCert, KeyFile: pki.serverKey}
	l, err := net.Listen("tcp", net.JoinHostPort(*bind, fmt.Sprint(*port)))
	must(err)
	serving.Listener, serving.BindPort = l, l.Addr().(*net.TCPAddr).Port
	must(serving.ApplyToConfig(&cfg.Config))
	cfg.PublicAddress = net.ParseIP(*bind)

	kube, err := kubernetes.NewForConfig(cfg.LoopbackClientConfig)
	must(err)
	dyn, err := dynamic.NewForConfig(cfg.LoopbackClientConfig)
	must(err)
	quiet := rest.CopyConfig(cfg.LoopbackClientConfig) // the controllers below list deprecated kinds too
	quiet.WarningHandler = rest.NoWarnings{}
	ctlKube, err := kubernetes.NewForConfig(quiet)
	must(err)
	ctlDyn, err := dynamic.NewForConfig(quiet)
	must(err)
	cfg.ClientConfig = cfg.LoopbackClientConfig
	cfg.SharedInformerFactory = informers.NewSharedInformerFactory(kube, 10*time.Minute)

	// ---- authentication: client certificates, token file, sa:NAMESPACE:NAME tokens, requested tokens, anonymous
	ca, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", pki.caCert)
	must(err)
	must(cfg.Authentication.ApplyClientCert(ca, cfg.SecureServing))
	signer, err := ensureTokenKey(dir)
	must(err)
	tokenAuths := []authenticator.Token{authenticator.TokenFunc(serviceAccountToken), signer.authenticator(kube)}
	if *tokens != "" {
		tokenAuths = append(tokenAuths, rereadTokens(*tokens))
	}
	tok := tokenunion.New(tokenAuths...)
	var authn authenticator.Request = group.NewAuthenticatedGroupAdder(authunion.New(
		x509.NewDynamic(ca.VerifyOptions, x509.CommonNameUserConversion), bearertoken.New(tok), websocket.NewProtocolAuthenticator(tok)))
	if *anon {
		authn = authunion.NewFailOnError(authn, anonymous.NewAuthenticator(nil))
	}
	cfg.Authentication.Authenticator = authn

	// ---- authorization
	masters := authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup)
	var authorizers []authorizer.Authorizer
	authorizers = append(authorizers, masters)
	if *authz == "RBAC" {
		authorizers = append(authorizers, newRBAC(cfg.SharedInformerFactory))
	} else {
		authorizers = append(authorizers, authorizerfactory.NewAlwaysAllowAuthorizer())
	}
	cfg.Authorization.Authorizer = authzunion.New(authorizers...)

	// ---- storage
	etcd := genericoptions.NewEtcdOptions(storagebackend.NewDefaultConfig(*etcdPrefix, extapiserver.Codecs.LegacyCodec(apiextv1.SchemeGroupVersion)))
	etcd.StorageConfig.Transport.ServerList = strings.Split(*etcdServers, ",")
	etcd.StorageConfig.CompactionInterval = *compaction
	must(etcd.ApplyTo(&cfg.Config))

	if *audit != "" {
		must(applyAudit(*audit, dir, &cfg.Config))
	}

	// ---- admission: NamespaceLifecycle, webhooks and admission policies, as upstream registers them
	admission := genericoptions.NewAdmissionOptions()
	must(admission.ApplyTo(&cfg.Config, cfg.SharedInformerFactory, kube, dyn, utilfeature.DefaultFeatureGate, cfg.EffectiveVersion,
		webhookInitializer(cfg)))

	// ---- OpenAPI
	defs := openapi.GetOpenAPIDefinitionsWithoutDisabledFeatures(generatedopenapi.GetOpenAPIDefinitions)
	namer := openapinamer.NewDefinitionNamer(extapiserver.Scheme, clientgoscheme.Scheme)
	cfg.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(defs, namer)
	cfg.OpenAPIConfig.Info.Title = "Kubernetes"
	cfg.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(defs, namer)
	cfg.OpenAPIV3Config.Info.Title = "Kubernetes"

	apiEnable := genericoptions.NewAPIEnablementOptions()
	must(apiEnable.ApplyTo(&cfg.Config, extapiserver.DefaultAPIResourceConfigSource(), extapiserver.Scheme))

	ext := extapiserver.Config{
		GenericConfig: cfg,
		ExtraConfig: extapiserver.ExtraConfig{
			CRDRESTOptionsGetter: extoptions.NewCRDRESTOptionsGetter(*etcd, cfg.ResourceTransformers, cfg.StorageObjectCountTracker),
			MasterCount:          1,
			ServiceResolver:      &svcResolver{cfg.SharedInformerFactory.Core().V1().Services().Lister()},
			AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, cfg.LoopbackClientConfig, noopoteltrace.NewTracerProvider()),
		},
	}
	completed := ext.Complete()
	completed.GenericConfig.EnableDiscovery = true // Complete() turns it off for the aggregator, which is not here
	crds, err := completed.New(genericapiserver.NewEmptyDelegate())
	must(err)
	s := crds.GenericAPIServer
	must(installBuiltins(s, etcd, cfg, signer))
	must(serveCRDGroupsInDiscovery(s, crds))

	// ---- what kube-apiserver and kube-controller-manager do at start
	s.AddPostStartHookOrDie("bootstrap", func(hc genericapiserver.PostStartHookContext) error {
		return bootstrap(hc.Context, kube)
	})
	s.AddPostStartHookOrDie("controllers", func(hc genericapiserver.PostStartHookContext) error {
		if *nsCtl {
			go runNamespaceController(hc.Context, ctlKube, ctlDyn)
		}
		if *gcCtl {
			go runGC(hc.Context, ctlKube, ctlDyn)
		}
		return nil
	})

	url := fmt.Sprintf("https://%s", net.JoinHostPort(*bind, fmt.Sprint(serving.BindPort)))
	must(pki.writeKubeconfig(filepath.Join(dir, "admin.kubeconfig"), url))
	go func() {
		for ctx.Err() == nil {
			if st := kube.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx); st.Error() == nil {
				must(writeWhole(ready, url+"\n"))
				fmt.Printf("ready %s kubeconfig=%s etcd=%s after=%s\n", url, filepath.Join(dir, "admin.kubeconfig"), *etcdServers, time.Since(start).Round(time.Millisecond))
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	must(s.PrepareRun().RunWithContext(ctx))
}

// bootstrap makes the namespaces and the RBAC objects that every cluster has.
// What is there already, from an earlier run on the same data, stays as it is.
func bootstrap(ctx context.Context, c kubernetes.Interface) error {
	var errs []error
	note := func(err error) {
		if err != nil && !apierrors.IsAlreadyExists(err) {
			errs = append(errs, err)
		}
	}
	for _, n := range []string{"default", "kube-system", "kube-public", "kube-node-lease"} {
		_, err := c.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}, metav1.CreateOptions{})
		note(err)
		_, err = c.CoreV1().ServiceAccounts(n).Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{})
		note(err)
	}
	all := []string{"*"}
	roles := map[string][]rbacv1.PolicyRule{
		"cluster-admin": {{Verbs: all, APIGroups: all, Resources: all}, {Verbs: all, NonResourceURLs: all}},
		"view":          {{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{"", "apps", "batch"}, Resources: []string{"configmaps", "pods", "services", "events", "deployments", "jobs", "namespaces"}}},
		"system:discovery": {{Verbs: []string{"get"}, NonResourceURLs: []string{"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz",
			"/openapi", "/openapi/*", "/version", "/version/"}}},
		"system:public-info-viewer": {{Verbs: []string{"get"}, NonResourceURLs: []string{"/healthz", "/livez", "/readyz", "/version", "/version/"}}},
		"system:basic-user":         {{Verbs: []string{"create"}, APIGroups: []string{"authorization.k8s.io", "authentication.k8s.io"}, Resources: []string{"selfsubjectaccessreviews", "selfsubjectreviews"}}},
	}
	for n, rules := range roles {
		_, err := c.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n}, Rules: rules}, metav1.CreateOptions{})
		note(err)
	}
	for role, groups := range map[string][]string{
		"cluster-admin": {user.SystemPrivilegedGroup}, "system:discovery": {user.AllAuthenticated}, "system:basic-user": {user.AllAuthenticated},
		"system:public-info-viewer": {user.AllAuthenticated, user.AllUnauthenticated}} {
		b := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: role}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}}
		for _, g := range groups {
			b.Subjects = append(b.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "Group", Name: g})
		}
		_, err := c.RbacV1().ClusterRoleBindings().Create(ctx, b, metav1.CreateOptions{})
		note(err)
	}
	return utilerrors.NewAggregate(errs)
}
