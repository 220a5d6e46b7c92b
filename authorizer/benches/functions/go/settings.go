package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What an environment sets. gwctl has checked it before it deploys a function, so that it is only read here.
type settings struct {
	authHost     string
	timeout      time.Duration
	resultCached bool
	caPEM        string
	publicRoots  bool
	channels     map[string]*channel
	unknown      string
	nameRequired bool
}

type channel struct {
	name    string
	host    string
	path    string
	place   string // query or header
	field   string
	yes     pointer
	equals  any
	userID  pointer
	scope   *pointer
	context map[string]string
}

func readSettings(variable func(string) string) (*settings, error) {
	settings := &settings{
		authHost:     strings.TrimRight(variable("AUTH_HOST"), "/"),
		timeout:      5 * time.Second,
		resultCached: variable("RESULT_CACHED") == "true",
		caPEM:        variable("AUTH_CA_PEM"),
		// Only in the benchmark: what the public roots cost.
		publicRoots:  variable("BENCH_PUBLIC_ROOTS") != "false",
		unknown:      variable("AUTH_UNKNOWN_CHANNEL"),
		nameRequired: variable("AUTH_CHANNEL_REQUIRED") == "true",
	}
	if settings.authHost == "" {
		return nil, fmt.Errorf("AUTH_HOST is not set")
	}
	if text := variable("AUTH_TIMEOUT_MS"); text != "" {
		milliseconds, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("AUTH_TIMEOUT_MS is no time-out")
		}
		settings.timeout = time.Duration(milliseconds) * time.Millisecond
	}
	path := variable("AUTH_PATH")
	if path == "" {
		path = "/auth-service/api/v1/validate-token"
	}
	var err error
	settings.channels, err = readChannels(variable("AUTH_CHANNELS"), path)
	return settings, err
}

func readChannels(text, path string) (map[string]*channel, error) {
	if text == "" {
		text = `{"default": {"context": {"x-auth-type": "standard", "x-user-scope": "customer"}}}`
	}
	type written struct {
		Host    string
		Path    string
		TokenIn string `json:"token_in"`
		YesWhen *struct {
			Pointer string
			Equals  any
		} `json:"yes_when"`
		UserID  string `json:"user_id"`
		Scope   string
		Context map[string]string
	}
	var all map[string]written
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("AUTH_CHANNELS is no JSON: %w", err)
	}
	channels := make(map[string]*channel, len(all))
	for name, written := range all {
		channel := &channel{
			name: name, host: strings.TrimRight(written.Host, "/"), path: written.Path, place: "query", field: "token",
			yes: newPointer("/code"), equals: "0", userID: newPointer("/data/jwt"),
			context: map[string]string{"x-auth-type": name},
		}
		if channel.path == "" {
			channel.path = path
		}
		if place, field, found := strings.Cut(written.TokenIn, ":"); found {
			channel.place, channel.field = place, field
		}
		if written.YesWhen != nil {
			channel.yes, channel.equals = newPointer(written.YesWhen.Pointer), written.YesWhen.Equals
		}
		if written.UserID != "" {
			channel.userID = newPointer(written.UserID)
		}
		if written.Scope != "" {
			scope := newPointer(written.Scope)
			channel.scope = &scope
		}
		for name, value := range written.Context {
			channel.context[name] = value
		}
		channels[name] = channel
	}
	return channels, nil
}

// choose gives the channel that a request asks for with its values of x-auth-channel.
func (settings *settings) choose(names []string) (*channel, error) {
	name, missing := "default", "no channel"
	switch {
	case len(names) > 1:
		return nil, Unauthorized{"more than one x-auth-channel header"}
	case len(names) == 1 && names[0] != "":
		name, missing = names[0], "unknown channel"
	case settings.nameRequired:
		return nil, Unauthorized{"no channel"}
	}
	if channel, found := settings.channels[name]; found {
		return channel, nil
	}
	if settings.unknown == "default" {
		if channel, found := settings.channels["default"]; found {
			return channel, nil
		}
	}
	return nil, Unauthorized{missing}
}
