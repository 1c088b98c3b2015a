package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// store asks the simulated OSS for the encryption of buckets, with the requests that the operator sends (path style, signature V4).
type store struct {
	http                   *http.Client
	rate                   *rate.Limiter
	slots                  chan struct{} // the store's maxConcurrency
	endpoint, region       string
	partition              string // host and port, as the operator names it in statuses
	accessKeyID, accessKey string
	signingKeys            sync.Map // day → []byte
}

type document struct {
	XMLName xml.Name `xml:"ServerSideEncryptionRule"`
	Default struct {
		Algorithm string `xml:"SSEAlgorithm"`
		KmsKeyID  string `xml:"KMSMasterKeyID,omitempty"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
}

// get returns the zero document where no encryption is configured.
func (s *store) get(ctx context.Context, bucket string) (document, error) {
	var d document
	status, body, err := s.send(ctx, http.MethodGet, bucket, nil)
	switch {
	case err != nil:
		return d, err
	case status == http.StatusNotFound && bytes.Contains(body, []byte("NoSuchServerSideEncryptionRule")):
		return d, nil
	case status != http.StatusOK:
		return d, fmt.Errorf("GET %s: %d", bucket, status)
	}
	return d, xml.Unmarshal(body, &d)
}

func (s *store) put(ctx context.Context, bucket string, d document) error {
	body, err := xml.Marshal(d)
	if err != nil {
		return err
	}
	status, _, err := s.send(ctx, http.MethodPut, bucket, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("PUT %s: %d", bucket, status)
	}
	return err
}

func (s *store) send(ctx context.Context, method, bucket string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.endpoint+"/"+bucket+"/?encryption", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if err := s.rate.Wait(ctx); err != nil {
		return 0, nil, err
	}
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	s.sign(request, bucket, body != nil)
	answer, err := s.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, read, err
}

func (s *store) sign(request *http.Request, bucket string, hasBody bool) {
	date := time.Now().UTC().Format("20060102T150405Z")
	scope := date[:8] + "/" + s.region + "/oss/aliyun_v4_request"
	headers := "x-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:" + date + "\n"
	if hasBody {
		request.Header.Set("Content-Type", "application/xml")
		headers = "content-type:application/xml\n" + headers
	}
	canonical := strings.Join([]string{request.Method, "/" + bucket + "/", "encryption", headers, "", "UNSIGNED-PAYLOAD"}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	signature := mac(s.signingKey(date[:8]), "OSS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+hex.EncodeToString(hash[:]))
	request.Header.Set("x-oss-date", date)
	request.Header.Set("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
	request.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential="+s.accessKeyID+"/"+scope+",Signature="+hex.EncodeToString(signature))
}

// signingKey derives the key of a day once, as the operator does.
func (s *store) signingKey(day string) []byte {
	if known, ok := s.signingKeys.Load(day); ok {
		return known.([]byte)
	}
	key := []byte("aliyun_v4" + s.accessKey)
	for _, step := range []string{day, s.region, "oss", "aliyun_v4_request"} {
		key = mac(key, step)
	}
	s.signingKeys.Store(day, key)
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
