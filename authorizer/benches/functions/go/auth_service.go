package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// An answer is a code and a JWT. Whatever is longer than this is something else.
const maxBody = 64 * 1024

type authService struct {
	client  *http.Client
	timeout time.Duration
}

var errTooLarge = errors.New("too large")

// outage is why there is no answer, in words without the URL, which may hold the token.
type outage string

func (outage outage) Error() string { return string(outage) }

func newAuthService(settings *settings) (*authService, error) {
	roots := x509.NewCertPool()
	if settings.publicRoots {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			return nil, err
		}
	}
	if settings.caPEM != "" && !roots.AppendCertsFromPEM([]byte(settings.caPEM)) {
		return nil, errors.New("AUTH_CA_PEM must hold one or more certificates in PEM form")
	}
	dialer := &net.Dialer{Timeout: settings.timeout / 2}
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     50 * time.Second,
		DisableCompression:  true,
	}
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &authService{client, settings.timeout}, nil
}

// get is one GET, tried again once when the connection fails.
func (service *authService) get(ctx context.Context, question *question, trace string, trail *trail) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, service.timeout)
	defer cancel()
	status, body, err := service.once(ctx, question, trace)
	if err != nil && err != errTooLarge && ctx.Err() == nil {
		trail.retried = true
		status, body, err = service.once(ctx, question, trace)
	}
	switch {
	case err == nil:
		return status, body, nil
	case err == errTooLarge:
		return 0, nil, AuthorizerFailed{"nonsense", fmt.Sprintf("the auth service's answer is over %d bytes", maxBody)}
	case ctx.Err() != nil:
		waited := service.timeout.Milliseconds()
		return 0, nil, AuthorizerFailed{"timeout", fmt.Sprintf("the auth service gave no answer in %d ms", waited)}
	}
	return 0, nil, AuthorizerFailed{"unreachable", fmt.Sprintf("the auth service %v, twice", err)}
}

func (service *authService) once(ctx context.Context, question *question, trace string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, question.url, nil)
	if err != nil {
		return 0, nil, outage("can't be reached")
	}
	if question.headerName != "" {
		request.Header.Set(question.headerName, question.headerValue)
	}
	if trace != "" {
		request.Header.Set("x-amzn-trace-id", trace)
	}
	response, err := service.client.Do(request)
	if err != nil {
		if isConnect(err) {
			return 0, nil, outage("can't be reached")
		}
		return 0, nil, outage("cut the connection")
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return 0, nil, outage("cut its answer short")
	}
	if len(body) > maxBody {
		return 0, nil, errTooLarge
	}
	return response.StatusCode, body, nil
}

func isConnect(err error) bool {
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &certificate)
}
