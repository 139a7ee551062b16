package main

import (
	"strings"
	"testing"
	"time"
)

func TestALeaseIsNamedByTheURLThatLeaseholdHasForIt(t *testing.T) {
	for text, wanted := range map[string]place{
		"kubernetes:///jobs": {name: "jobs"},
		"KUBERNETES://shop/jobs.a?mixed_fleet=true&unknown=1": {namespace: "shop", name: "jobs.a"},
		"kubernetes://shop/jobs?kubeconfig=/a+b%20c/config&context=x": {
			namespace: "shop", name: "jobs", kubeconfig: "/a+b c/config", context: "x",
		},
	} {
		if read, err := parse(text); err != nil || read != wanted {
			t.Errorf("%s: %+v, %v", text, read, err)
		}
	}
}

func TestAURLThatCannotWorkSaysWhyAndShowsNoSecret(t *testing.T) {
	for text, why := range map[string]string{
		"etcd://host:1/jobs":                  "does not begin with kubernetes://",
		"kubernetes:///":                      `"" is no name of a Lease`,
		"kubernetes://jobs":                   `"" is no name of a Lease`,
		"kubernetes://shop/a%2Fb":             `"a/b" is no name of a Lease`,
		"kubernetes://host:6443/jobs":         "a namespace stands where",
		"kubernetes://user:hunter2@shop/jobs": "a namespace stands where",
		"kubernetes://user:hunter2@shop:x/a":  "invalid port",
		"kubernetes:///jobs?kubeconfig=%zz":   "invalid URL escape",
	} {
		_, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestATimingIsReadOrSaysWhatIsWrongWithIt(t *testing.T) {
	var read timing
	if err := read.Set("15s/10s/1s500ms"); err != nil || read != (timing{15 * time.Second, 10 * time.Second, 1500 * time.Millisecond}) {
		t.Errorf("%v, %v", &read, err)
	}
	for text, why := range map[string]string{
		"15s":              "it has 1 parts",
		"15s/fast/2s":      `"fast" is no duration`,
		"15s/10s/0s":       `"0s" is no duration`,
		"1500ms/700ms/1ms": "client-go writes whole seconds",
	} {
		if err := read.Set(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
