package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	noopoteltrace "go.opentelemetry.io/otel/trace/noop"
	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	webhookinit "k8s.io/apiserver/pkg/admission/plugin/webhook/initializer"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/tools/cache"
	clientcmd "k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// ---- PKI

type pkiFiles struct{ caCert, serverCert, serverKey, adminCert, adminKey string }

func pkiIn(d string) *pkiFiles {
	return &pkiFiles{d + "/ca.crt", d + "/server.crt", d + "/server.key", d + "/admin.crt", d + "/admin.key"}
}

// ensurePKI makes a CA, the server's certificate and the administrator's, unless the data directory has them.
func ensurePKI(dir, bind string) (*pkiFiles, error) {
	final := filepath.Join(dir, "pki")
	if _, err := os.Stat(final); err == nil {
		return pkiIn(final), nil
	}
	d := final + ".new" // renamed when complete: a killed server leaves no half of it behind
	p := pkiIn(d)
	if err := os.RemoveAll(d); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d, 0o700); err != nil {
		return nil, err
	}
	mk := func(t, parent *x509.Certificate, signer *ecdsa.PrivateKey, cert, key string) (*ecdsa.PrivateKey, error) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		if signer == nil {
			parent, signer = t, k
		}
		if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
			return nil, err
		}
		t.NotBefore, t.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(10, 0, 0)
		der, err := x509.CreateCertificate(rand.Reader, t, parent, &k.PublicKey, signer)
		if err != nil {
			return nil, err
		}
		kb, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			return nil, err
		}
		return k, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}), 0o600)
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "test-apiserver-ca"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	caKey, err := mk(ca, nil, nil, p.caCert, d+"/ca.key")
	if err != nil {
		return nil, err
	}
	if _, err = mk(&x509.Certificate{Subject: pkix.Name{CommonName: "kube-apiserver"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.ParseIP(bind), net.ParseIP("::1"), net.ParseIP("127.0.0.1")},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		ca, caKey, p.serverCert, p.serverKey); err != nil {
		return nil, err
	}
	if _, err = mk(&x509.Certificate{Subject: pkix.Name{CommonName: "admin", Organization: []string{user.SystemPrivilegedGroup}}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ca, caKey, p.adminCert, p.adminKey); err != nil {
		return nil, err
	}
	return pkiIn(final), os.Rename(d, final)
}

func (p *pkiFiles) writeKubeconfig(path, url string) error {
	var data [3][]byte
	for i, f := range []string{p.caCert, p.adminCert, p.adminKey} {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		data[i] = b
	}
	c := clientcmdapi.NewConfig()
	c.Clusters["test"] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: data[0]}
	c.AuthInfos["admin"] = &clientcmdapi.AuthInfo{ClientCertificateData: data[1], ClientKeyData: data[2]}
	c.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "admin", Namespace: "default"}
	c.CurrentContext = "test"
	return clientcmd.WriteToFile(*c, path)
}

// ---- etcd as a child process, which dies with this one

var (
	etcdCmd      *exec.Cmd
	etcdEnded    chan struct{} // closed when the child has been waited for
	etcdStopping atomic.Bool
)

// startEtcd starts etcd on two free ports and waits until it listens. Between finding a port and etcd's taking it another
// program may be faster, hence the attempts. Afterwards the end of etcd is the end of this server.
func startEtcd(bin, dir string, fsync bool) (string, error) {
	runtime.LockOSThread() // Pdeathsig fires when the starting thread ends: keep main on its own
	var err error
	for range 5 {
		var client string
		if client, err = tryEtcd(bin, dir, fsync); err == nil {
			go func() {
				<-etcdEnded
				if !etcdStopping.Load() {
					fmt.Fprintln(os.Stderr, "test-apiserver: etcd has ended; see", dir+".log")
					os.Exit(1)
				}
			}()
			return client, nil
		}
	}
	return "", err
}

func tryEtcd(bin, dir string, fsync bool) (string, error) {
	client, peer, err := twoFreePorts()
	if err != nil {
		return "", err
	}
	args := []string{"--data-dir", dir, "--listen-client-urls", "http://" + client, "--advertise-client-urls", "http://" + client,
		"--listen-peer-urls", "http://" + peer, "--initial-advertise-peer-urls", "http://" + peer, "--initial-cluster", "default=http://" + peer, "--log-level", "error"}
	if !fsync {
		args = append(args, "--unsafe-no-fsync")
	}
	log, err := os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close()
	etcdStopping.Store(false)
	etcdCmd = exec.Command(bin, args...)
	etcdCmd.Stdout, etcdCmd.Stderr = log, log
	etcdCmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := etcdCmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	etcdEnded = ended
	go func(c *exec.Cmd) {
		_ = c.Wait()
		close(ended)
	}(etcdCmd)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case <-ended:
			return "", fmt.Errorf("etcd ended at its start; see %s.log", dir)
		case <-time.After(10 * time.Millisecond):
		}
		if c, err := net.Dial("tcp", client); err == nil {
			c.Close()
			return "http://" + client, nil
		}
	}
	stopEtcd()
	return "", fmt.Errorf("etcd did not listen within 30 s; see %s.log", dir)
}

// twoFreePorts holds both while it looks, so that they differ.
func twoFreePorts() (string, string, error) {
	a, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer a.Close()
	b, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer b.Close()
	return a.Addr().String(), b.Addr().String(), nil
}

func stopEtcd() {
	if etcdCmd == nil || etcdCmd.Process == nil {
		return
	}
	etcdStopping.Store(true)
	_ = etcdCmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-etcdEnded:
	case <-time.After(10 * time.Second):
		_ = etcdCmd.Process.Kill()
	}
}

// ---- the files that tell the caller

// writeWhole puts a file in place at once: who sees it sees all of it.
func writeWhole(path, content string) error {
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// stopWithParent cancels when the given process is no longer this one's parent, so that a crashed test run leaves no server.
func stopWithParent(ctx context.Context, pid int, stop func()) {
	for ctx.Err() == nil {
		if os.Getppid() != pid {
			fmt.Fprintln(os.Stderr, "test-apiserver: the starting process has ended, and so does this one")
			stop()
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// ---- service-account tokens of the test server: "sa:NAMESPACE:NAME" is that service account

func serviceAccountToken(_ context.Context, tok string) (*authenticator.Response, bool, error) {
	f := strings.Split(tok, ":")
	if len(f) != 3 || f[0] != "sa" {
		return nil, false, nil
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: serviceaccount.MakeUsername(f[1], f[2]),
		Groups: serviceaccount.MakeGroupNames(f[1])}}, true, nil
}

// rereadTokens reads its CSV for each token that is presented, so that a test can revoke one; upstream reads it once.
func rereadTokens(path string) authenticator.Token {
	return authenticator.TokenFunc(func(ctx context.Context, tok string) (*authenticator.Response, bool, error) {
		csv, err := tokenfile.NewCSV(path)
		if err != nil {
			return nil, false, err
		}
		return csv.AuthenticateToken(ctx, tok)
	})
}

func webhookInitializer(cfg *genericapiserver.RecommendedConfig) admission.PluginInitializer {
	return webhookinit.NewPluginInitializer(
		webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, cfg.LoopbackClientConfig, noopoteltrace.NewTracerProvider()),
		&svcResolver{cfg.SharedInformerFactory.Core().V1().Services().Lister()})
}

func applyAudit(path, dir string, cfg *genericapiserver.Config) error {
	policy := filepath.Join(dir, "audit-policy.yaml")
	// what this process asks of itself (informers, the two controllers) would bury what a test looks for
	if err := os.WriteFile(policy, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"+
		"rules: [{level: None, users: ['"+user.APIServerUser+"']}, {level: Metadata}]\n"), 0o600); err != nil {
		return err
	}
	o := genericoptions.NewAuditOptions()
	o.PolicyFile, o.LogOptions.Path = policy, path
	return o.ApplyTo(cfg)
}

// serveCRDGroupsInDiscovery puts the groups of established CRDs into the unaggregated /apis list,
// which kube-apiserver leaves to its aggregator. (Aggregated discovery has them already.)
func serveCRDGroupsInDiscovery(s *genericapiserver.GenericAPIServer, crds *extapiserver.CustomResourceDefinitions) error {
	inf := crds.Informers.Apiextensions().V1().CustomResourceDefinitions()
	known := map[string]bool{}
	sync := func(any) {
		list := inf.Informer().GetStore().List()
		groups := map[string]map[string]bool{}
		for _, o := range list {
			c := o.(*apiextv1.CustomResourceDefinition)
			est := false
			for _, cond := range c.Status.Conditions {
				est = est || (cond.Type == apiextv1.Established && cond.Status == apiextv1.ConditionTrue)
			}
			for _, v := range c.Spec.Versions {
				if est && v.Served {
					if groups[c.Spec.Group] == nil {
						groups[c.Spec.Group] = map[string]bool{}
					}
					groups[c.Spec.Group][v.Name] = true
				}
			}
		}
		for g, vs := range groups {
			grp := metav1.APIGroup{Name: g}
			for _, v := range sortedVersions(vs) {
				grp.Versions = append(grp.Versions, metav1.GroupVersionForDiscovery{GroupVersion: g + "/" + v, Version: v})
			}
			grp.PreferredVersion = grp.Versions[0]
			s.DiscoveryGroupManager.AddGroup(grp)
			known[g] = true
		}
		for g := range known {
			if groups[g] == nil {
				s.DiscoveryGroupManager.RemoveGroup(g)
				delete(known, g)
			}
		}
	}
	_, err := inf.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: sync, UpdateFunc: func(_, o any) { sync(o) }, DeleteFunc: sync})
	return err
}
