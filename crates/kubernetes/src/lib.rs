//! Leader election over a Kubernetes Lease.
