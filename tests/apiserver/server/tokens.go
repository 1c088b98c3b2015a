package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authnv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	apirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/client-go/kubernetes"
)

// ---- TokenRequest: tokens of service accounts, with upstream's claims, defaults and limits, signed by ES256. Not bound to pods.

// The issuer, and the one audience that this server takes: --api-audiences defaults to the issuer upstream, too.
const tokenIssuer = "https://kubernetes.default.svc.cluster.local"

const (
	tokenDefaultSeconds = 3600
	tokenLeastSeconds   = 600
	tokenMostSeconds    = 1 << 32
)

type tokenClaims struct {
	Audience   []string `json:"aud"`
	Expires    int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	Issuer     string   `json:"iss"`
	Kubernetes struct {
		Namespace      string       `json:"namespace"`
		ServiceAccount tokenAccount `json:"serviceaccount"`
	} `json:"kubernetes.io"`
	NotBefore int64  `json:"nbf"`
	Subject   string `json:"sub"`
}

type tokenAccount struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// tokenKey signs, and knows what it has signed. Its public half is in DATA_DIR/sa.pub, for who plays a cloud's token service.
type tokenKey struct{ *ecdsa.PrivateKey }

func ensureTokenKey(dir string) (tokenKey, error) {
	private, public := filepath.Join(dir, "sa.key"), filepath.Join(dir, "sa.pub")
	if text, err := os.ReadFile(private); err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return tokenKey{}, fmt.Errorf("%s: no PEM", private)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return tokenKey{}, err
		}
		ec, ok := key.(*ecdsa.PrivateKey)
		if !ok {
			return tokenKey{}, fmt.Errorf("%s: %T", private, key)
		}
		return tokenKey{ec}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return tokenKey{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tokenKey{}, err
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return tokenKey{}, err
	}
	closed, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tokenKey{}, err
	}
	if err := writeWhole(public, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))); err != nil {
		return tokenKey{}, err
	}
	return tokenKey{key}, writeWhole(private, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: closed})))
}

func (k tokenKey) sign(claims tokenClaims) (string, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"ES256","kid":"test"}`)) + "." + encode(body)
	hash := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, hash[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature), nil
}

// read returns the claims of a token of ours; false for anything else.
func (k tokenKey) read(token string) (claims tokenClaims, ok bool) {
	dot := strings.LastIndexByte(token, '.')
	if strings.Count(token, ".") != 2 {
		return claims, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil || len(signature) != 64 {
		return claims, false
	}
	hash := sha256.Sum256([]byte(token[:dot]))
	if !ecdsa.Verify(&k.PublicKey, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return claims, false
	}
	body, err := base64.RawURLEncoding.DecodeString(token[strings.IndexByte(token, '.')+1 : dot])
	return claims, err == nil && json.Unmarshal(body, &claims) == nil
}

// authenticator takes tokens for this server's audience, as long as their account exists.
func (k tokenKey) authenticator(c kubernetes.Interface) authenticator.Token {
	return authenticator.TokenFunc(func(ctx context.Context, token string) (*authenticator.Response, bool, error) {
		claims, ok := k.read(token)
		if !ok || !slices.Contains(claims.Audience, tokenIssuer) || time.Now().Unix() >= claims.Expires {
			return nil, false, nil
		}
		namespace, account := claims.Kubernetes.Namespace, claims.Kubernetes.ServiceAccount
		found, err := c.CoreV1().ServiceAccounts(namespace).Get(ctx, account.Name, metav1.GetOptions{})
		if err != nil || string(found.UID) != account.UID {
			return nil, false, err
		}
		return &authenticator.Response{User: &user.DefaultInfo{Name: serviceaccount.MakeUsername(namespace, account.Name),
			UID: account.UID, Groups: serviceaccount.MakeGroupNames(namespace)}}, true, nil
	})
}

// tokenStore is serviceaccounts/token.
type tokenStore struct {
	accounts *store
	key      tokenKey
}

func (s *tokenStore) New() runtime.Object { return &authnv1.TokenRequest{} }
func (s *tokenStore) Destroy()            {}
func (s *tokenStore) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return authnv1.SchemeGroupVersion.WithKind("TokenRequest")
}

func (s *tokenStore) Create(ctx context.Context, name string, o runtime.Object, validate rest.ValidateObjectFunc, _ *metav1.CreateOptions) (runtime.Object, error) {
	request := o.(*authnv1.TokenRequest).DeepCopy()
	namespace := apirequest.NamespaceValue(ctx)
	if request.Name != "" && request.Name != name || request.Namespace != "" && request.Namespace != namespace {
		return nil, apierrors.NewBadRequest("the name or namespace of the request is not that of the URL")
	}
	found, err := s.accounts.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	account := found.(*corev1.ServiceAccount)
	request.Name, request.Namespace = name, namespace
	if len(request.Spec.Audiences) == 0 {
		request.Spec.Audiences = []string{tokenIssuer}
	}
	if request.Spec.ExpirationSeconds == nil {
		seconds := int64(tokenDefaultSeconds)
		request.Spec.ExpirationSeconds = &seconds
	}
	if problem := tokenProblem(request.Spec); problem != nil {
		return nil, apierrors.NewInvalid(s.GroupVersionKind(schema.GroupVersion{}).GroupKind(), name, field.ErrorList{problem})
	}
	if validate != nil {
		if err := validate(ctx, request.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	expires := now.Add(time.Duration(*request.Spec.ExpirationSeconds) * time.Second)
	claims := tokenClaims{Audience: request.Spec.Audiences, Expires: expires.Unix(), IssuedAt: now.Unix(), NotBefore: now.Unix(), Issuer: tokenIssuer,
		Subject: serviceaccount.MakeUsername(namespace, name)}
	claims.Kubernetes.Namespace, claims.Kubernetes.ServiceAccount = namespace, tokenAccount{name, string(account.UID)}
	token, err := s.key.sign(claims)
	if err != nil {
		return nil, err
	}
	request.Status = authnv1.TokenRequestStatus{Token: token, ExpirationTimestamp: metav1.NewTime(expires)}
	return request, nil
}

func tokenProblem(spec authnv1.TokenRequestSpec) *field.Error {
	path := field.NewPath("spec")
	switch seconds := *spec.ExpirationSeconds; {
	case spec.BoundObjectRef != nil:
		return field.Forbidden(path.Child("boundObjectRef"), "not served by the test server")
	case seconds < tokenLeastSeconds:
		return field.Invalid(path.Child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes")
	case seconds > tokenMostSeconds:
		return field.Invalid(path.Child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds")
	}
	return nil
}
