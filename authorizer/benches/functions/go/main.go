// The gate authorizer in Go, for the benchmark: the same settings, decisions, messages and log lines as the one in Rust.
//
// It is what a Go team would write for speed: AWS's runtime library without RPC, the byte handler instead of the one that
// goes through reflection, one HTTP client with kept connections, and structs for what is read of an event.
package main

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Unauthorized is the one error that API Gateway answers with 401. The type's name is the error type that Lambda is told.
type Unauthorized struct{ reason string }

func (Unauthorized) Error() string { return "Unauthorized" }

// AuthorizerFailed is any other.
type AuthorizerFailed struct{ cause, reason string }

func (failed AuthorizerFailed) Error() string { return "authorizer failed: " + failed.reason }

type gate struct {
	settings    *settings
	authService *authService
}

// Invoke decides about one event, and writes its line to the log.
func (gate *gate) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	started := time.Now()
	trail := &trail{}
	answer, denial := gate.decide(ctx, payload, trail)
	lambdaContext, _ := lambdacontext.FromContext(ctx)
	logDecision(lambdaContext.AwsRequestID, trail, denial, time.Since(started))
	if denial != nil {
		return nil, denial
	}
	return json.Marshal(answer)
}

func (gate *gate) decide(ctx context.Context, payload []byte, trail *trail) (*response, error) {
	question, err := ask(gate.settings, payload)
	if err != nil {
		return nil, err
	}
	trail.channel = &question.channel.name
	trace, _ := ctx.Value("x-amzn-trace-id").(string)
	asked := time.Now()
	status, body, err := gate.authService.get(ctx, question, trace, trail)
	took := time.Since(asked)
	trail.authService = &took
	if err != nil {
		return nil, err
	}
	return question.judge(status, body)
}

func main() {
	settings, err := readSettings(os.Getenv)
	if err != nil {
		panic(err)
	}
	authService, err := newAuthService(settings)
	if err != nil {
		panic(err)
	}
	logStart(settings)
	lambda.StartHandler(&gate{settings, authService})
}
