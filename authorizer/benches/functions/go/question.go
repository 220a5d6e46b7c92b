package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxToken    = 8192
	maxResource = 512
	maxContext  = 10240
)

// What is read of a REQUEST event; the rest of it is skipped.
type event struct {
	Type              string              `json:"type"`
	MethodArn         string              `json:"methodArn"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
}

// header gives every value of a header, under whatever spelling of its name; one that stands in both maps counts once.
func (event *event) header(name string) []string {
	var values []string
	for key, list := range event.MultiValueHeaders {
		if strings.EqualFold(key, name) {
			values = append(values, list...)
		}
	}
	for key, value := range event.Headers {
		if strings.EqualFold(key, name) && !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}

type question struct {
	url, headerName, headerValue string
	token, resource              string
	channel                      *channel
}

func ask(settings *settings, payload []byte) (*question, error) {
	var event event
	if json.Unmarshal(payload, &event) != nil || event.Type != "REQUEST" {
		return nil, AuthorizerFailed{"event", "the event is not one of a REQUEST authorizer"}
	}
	resource, found := resourceOf(event.MethodArn, settings.resultCached)
	if !found {
		return nil, AuthorizerFailed{"event", "the event has no usable methodArn"}
	}
	channel, err := settings.choose(event.header("x-auth-channel"))
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(event.header("authorization"))
	if err != nil {
		return nil, err
	}
	question := &question{token: token, resource: resource, channel: channel}
	host := channel.host
	if host == "" {
		host = settings.authHost
	}
	question.url = "https://" + host + channel.path
	switch {
	case channel.place == "query":
		question.url += "?" + channel.field + "=" + percentEncode(token)
	case channel.field == "authorization":
		question.headerName, question.headerValue = channel.field, "Bearer "+token
	default:
		question.headerName, question.headerValue = channel.field, token
	}
	return question, nil
}

// resourceOf gives what an Allow covers: the stage if API Gateway keeps the answer, the called method otherwise.
func resourceOf(arn string, cached bool) (string, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "execute-api" {
		return "", false
	}
	path := strings.SplitN(parts[5], "/", 3)
	if len(path) < 3 {
		return "", false
	}
	stageEnd := len(arn) - len(path[2]) - 1
	for _, part := range []string{parts[1], parts[3], parts[4], path[0], path[1], path[2]} {
		if part == "" {
			return "", false
		}
	}
	if strings.ContainsAny(arn[:stageEnd], "*?") {
		return "", false
	}
	if cached {
		resource := arn[:stageEnd] + "/*"
		return resource, len(resource) <= maxResource
	}
	if len(arn) <= maxResource {
		return arn, true
	}
	cut := maxResource - 1
	for cut > 0 && !utf8.RuneStart(arn[cut]) {
		cut--
	}
	return arn[:cut] + "*", cut > stageEnd
}

func tokenOf(headers []string) (string, error) {
	switch len(headers) {
	case 0:
		return "", Unauthorized{"no token"}
	case 1:
	default:
		return "", Unauthorized{"more than one authorization header"}
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	body := strings.TrimRight(token, "=")
	if !found || !strings.EqualFold(scheme, "bearer") || len(token) > maxToken || body == "" {
		return "", Unauthorized{"malformed token"}
	}
	for index := range len(body) {
		if !isUnreserved(body[index]) && body[index] != '+' && body[index] != '/' {
			return "", Unauthorized{"malformed token"}
		}
	}
	return token, nil
}

func isUnreserved(char byte) bool {
	return 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z' || '0' <= char && char <= '9' ||
		char == '-' || char == '.' || char == '_' || char == '~'
}

// percentEncode is stricter than url.QueryEscape, which writes a blank as a plus.
func percentEncode(text string) string {
	const hex = "0123456789ABCDEF"
	var encoded strings.Builder
	encoded.Grow(len(text))
	for index := range len(text) {
		char := text[index]
		if isUnreserved(char) {
			encoded.WriteByte(char)
		} else {
			encoded.Write([]byte{'%', hex[char>>4], hex[char&15]})
		}
	}
	return encoded.String()
}

// The authorizer's answer in API Gateway's form.
type response struct {
	PrincipalID    string            `json:"principalId"`
	PolicyDocument policy            `json:"policyDocument"`
	Context        map[string]string `json:"context"`
}

type policy struct {
	Version   string
	Statement []statement
}

type statement struct{ Action, Effect, Resource string }

// judge turns the reply of the auth service into the decision.
func (question *question) judge(status int, body []byte) (*response, error) {
	refused := Unauthorized{"the auth service refused the token"}
	if status == 401 {
		return nil, refused
	}
	nonsense := func(what string) error {
		return AuthorizerFailed{"nonsense", fmt.Sprintf("the auth service answered %d %s", status, what)}
	}
	if status != 200 && (status < 400 || status > 499) {
		return nil, nonsense("instead of a decision")
	}
	document, err := parse(body)
	if err != nil {
		return nil, nonsense("without a JSON body")
	}
	channel := question.channel
	value := channel.yes.in(document)
	switch value.(type) {
	case string, json.Number, bool:
	default:
		return nil, nonsense("without a value at " + channel.yes.text)
	}
	if value != channel.equals {
		return nil, refused
	}
	if status != 200 {
		return nil, nonsense("and yet says yes")
	}
	id, found := textOf(channel.userID.in(document))
	if !found || !isPlain(id, false) {
		return nil, nonsense("without a usable user id at " + channel.userID.text)
	}
	context := make(map[string]string, len(channel.context)+4)
	for name, value := range channel.context {
		context[name] = value
	}
	if channel.scope != nil {
		// Only where nothing is said does the usual scope count.
		scope, found := context["x-user-scope"]
		if value := channel.scope.in(document); value != nil {
			scope, found = textOf(value)
			found = found && isPlain(scope, true)
		}
		if !found {
			return nil, nonsense("without a usable scope at " + channel.scope.text)
		}
		context["x-user-scope"] = scope
	}
	principal, found := context["x-auth-type"]
	if !found {
		principal = channel.name
	}
	context["x-user-token"], context["x-user-id"], context["x-auth-channel"] = question.token, id, channel.name
	size := 0
	for name, value := range context {
		size += len(name) + len(value)
	}
	if size > maxContext {
		return nil, nonsense("with more than API Gateway passes on to a back end")
	}
	allow := policy{"2012-10-17", []statement{{"execute-api:Invoke", "Allow", question.resource}}}
	return &response{principal, allow, context}, nil
}

func parse(body []byte) (any, error) {
	var document any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("more than one document")
	}
	return document, nil
}

// textOf gives a string, a whole number, or the strings of a list with a space between.
func textOf(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		_, signed := strconv.ParseInt(value.String(), 10, 64)
		_, unsigned := strconv.ParseUint(value.String(), 10, 64)
		return value.String(), signed == nil || unsigned == nil
	case []any:
		texts := make([]string, len(value))
		for index, item := range value {
			text, isText := item.(string)
			if !isText {
				return "", false
			}
			texts[index] = text
		}
		return strings.Join(texts, " "), true
	}
	return "", false
}

// isPlain tells whether a value can stand in a header as it is.
func isPlain(text string, blanks bool) bool {
	for index := range len(text) {
		if char := text[index]; (char < 0x21 || char > 0x7e) && !(blanks && char == ' ') {
			return false
		}
	}
	return text != "" && strings.TrimSpace(text) == text
}

// A JSON pointer after RFC 6901, split once.
type pointer struct {
	text  string
	steps []string
}

func newPointer(text string) pointer {
	steps := strings.Split(text, "/")[1:]
	for index, step := range steps {
		steps[index] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return pointer{text, steps}
}

func (pointer pointer) in(document any) any {
	for _, step := range pointer.steps {
		switch inner := document.(type) {
		case map[string]any:
			document = inner[step]
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(inner) || strconv.Itoa(index) != step {
				return nil
			}
			document = inner[index]
		default:
			return nil
		}
	}
	return document
}
