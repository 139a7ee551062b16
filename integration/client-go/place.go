package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const form = "kubernetes://[NAMESPACE]/NAME[?kubeconfig=/path&context=NAME]"

// place is where a lease is.
type place struct {
	namespace, name, kubeconfig, context string
}

// parse reads the URL that Leasehold has for the same lease. Parameters that only it knows, such as
// mixed_fleet, are ignored.
func parse(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		// Without the URL, in which somebody may have put a password.
		var because *url.Error
		if errors.As(err, &because) {
			err = because.Err
		}
		return place{}, fmt.Errorf("%w; the form is %s", err, form)
	}
	name := strings.TrimPrefix(u.Path, "/")
	switch {
	case u.Scheme != "kubernetes":
		return place{}, fmt.Errorf("it does not begin with kubernetes://; the form is %s", form)
	case u.User != nil || u.Port() != "":
		return place{}, fmt.Errorf("a namespace stands where other URLs have a host; the form is %s", form)
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		return place{}, fmt.Errorf("%q is no name of a Lease; the form is %s", name, form)
	}
	// A plus is a plus here, and no blank.
	query, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return place{}, fmt.Errorf("%w; the form is %s", err, form)
	}
	return place{u.Host, name, query.Get("kubeconfig"), query.Get("context")}, nil
}

// cluster finds the cluster, as kubectl does: by the file that is named, else by KUBECONFIG, else by
// ~/.kube/config, else by the service account. It also returns the namespace.
func (p place) cluster() (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = p.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: p.context}
	found := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := found.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("no cluster: %w", err)
	}
	if p.namespace != "" {
		return config, p.namespace, nil
	}
	namespace, _, err := found.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("no namespace: %w", err)
	}
	return config, namespace, nil
}
