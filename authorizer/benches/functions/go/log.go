package main

import (
	"encoding/json"
	"os"
	"slices"
	"time"
)

// A request on its way, as the log will tell it.
type trail struct {
	channel     *string
	retried     bool
	authService *time.Duration
}

var function, withMetrics = os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), os.Getenv("METRICS") != "false"

func logStart(settings *settings) {
	channels := make([]string, 0, len(settings.channels))
	for name := range settings.channels {
		channels = append(channels, name)
	}
	slices.Sort(channels)
	write(struct {
		Level    string   `json:"level"`
		Message  string   `json:"message"`
		Host     string   `json:"auth_host"`
		Timeout  int64    `json:"auth_timeout_ms"`
		Channels []string `json:"channels"`
		Required bool     `json:"channel_required"`
		Cached   bool     `json:"result_cached"`
		Private  bool     `json:"private_ca"`
	}{
		"INFO", "authorizer started", settings.authHost, settings.timeout.Milliseconds(), channels,
		settings.nameRequired, settings.resultCached, settings.caPEM != "",
	})
}

type decided struct {
	Level       string   `json:"level"`
	Message     string   `json:"message"`
	RequestID   string   `json:"request_id"`
	Channel     *string  `json:"channel"`
	Decision    string   `json:"decision"`
	Cause       *string  `json:"cause"`
	Reason      *string  `json:"reason"`
	Retried     bool     `json:"retried"`
	Latency     float64  `json:"latency_ms"`
	AuthService *float64 `json:"auth_service_ms"`
	*measured
}

type measured struct {
	Allowed      int     `json:"allowed"`
	Unauthorized int     `json:"unauthorized"`
	Failed       int     `json:"failed"`
	Function     string  `json:"function"`
	AWS          metrics `json:"_aws"`
}

type metrics struct {
	Timestamp         int64
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metric struct{ Name, Unit string }

func logDecision(requestID string, trail *trail, denial error, latency time.Duration) {
	entry := decided{
		Level: "INFO", Message: "request decided", RequestID: requestID, Channel: trail.channel, Decision: "allowed",
		Retried: trail.retried, Latency: milliseconds(latency),
	}
	switch denial := denial.(type) {
	case Unauthorized:
		entry.Decision, entry.Reason = "unauthorized", &denial.reason
	case AuthorizerFailed:
		entry.Level, entry.Decision, entry.Cause, entry.Reason = "ERROR", "failed", &denial.cause, &denial.reason
	}
	if trail.authService != nil {
		took := milliseconds(*trail.authService)
		entry.AuthService = &took
	}
	if withMetrics {
		entry.measured = measure(entry.Decision, trail)
	}
	write(entry)
}

// measure gives what makes the entry one of CloudWatch's embedded metric format.
func measure(decision string, trail *trail) *measured {
	measured := &measured{Function: function}
	switch decision {
	case "allowed":
		measured.Allowed = 1
	case "unauthorized":
		measured.Unauthorized = 1
	default:
		measured.Failed = 1
	}
	all := []metric{
		{"latency_ms", "Milliseconds"}, {"allowed", "Count"}, {"unauthorized", "Count"}, {"failed", "Count"},
	}
	if trail.authService != nil {
		all = append(all, metric{"auth_service_ms", "Milliseconds"})
	}
	dimensions := [][]string{{"function"}}
	if trail.channel != nil {
		dimensions = append(dimensions, []string{"function", "channel"})
	}
	measured.AWS = metrics{time.Now().UnixMilli(), []directive{{"gwctl/authorizer", dimensions, all}}}
	return measured
}

func write(entry any) {
	line, err := json.Marshal(entry)
	if err == nil {
		os.Stdout.Write(append(line, '\n'))
	}
}

func milliseconds(duration time.Duration) float64 { return float64(duration.Microseconds()) / 1000 }
