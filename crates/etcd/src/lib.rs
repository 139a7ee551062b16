//! Leader election over etcd.
