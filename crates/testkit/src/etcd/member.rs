use std::io;

use super::EtcdOptions;
use crate::server::{Launch, Place, Program, Recipe, Version, tls};

pub(super) static PROGRAM: Program = Program {
    store: "etcd",
    url: "LEASEHOLD_ETCD_URL",
    url_form: "etcd://[user:password@]host:port",
    is_url: |url| {
        url.strip_prefix("etcd://")
            .is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '?']))
    },
    names: &["etcd"],
    path: "LEASEHOLD_ETCD",
    // Debian 12 has 3.4, which has been seen to revoke living leases, and is given up by its makers.
    oldest: Version(3, 5),
    version_after: "etcd Version: ",
    to_be_had: "the project's set-up builds one where there is Go; Debian 12's package is too old",
    image: "LEASEHOLD_ETCD_IMAGE",
    default_image: "leasehold-etcd:local",
};

/// How one member is started.
pub(super) struct Member {
    pub(super) options: EtcdOptions,
    /// Sets its cluster apart from those of other tests: of it, and of the addresses of the members,
    /// the id of the cluster is made.
    pub(super) token: String,
}

impl Member {
    pub(super) fn alone(options: EtcdOptions) -> Self {
        Self { options, token: format!("leasehold-{:016x}", rand::random::<u64>()) }
    }
}

impl Recipe for Member {
    /// For clients, for other members, for metrics.
    fn ports(&self) -> usize {
        3
    }

    fn configure(&self, place: &Place<'_>) -> io::Result<()> {
        self.options.tls.as_ref().map_or(Ok(()), |tls| tls.write(place.directory))
    }

    fn launch(&self, place: &Place<'_>) -> Launch {
        let [clients, peers, metrics] = [0, 1, 2].map(|number| place.ports[number].address());
        let scheme = if self.options.tls.is_some() { "https" } else { "http" };
        let mut arguments = vec![
            "--name=alone".to_owned(),
            "--data-dir=data".to_owned(),
            format!("--listen-client-urls={scheme}://{clients}"),
            format!("--advertise-client-urls={scheme}://{clients}"),
            format!("--listen-peer-urls=http://{peers}"),
            format!("--initial-advertise-peer-urls=http://{peers}"),
            format!("--initial-cluster=alone=http://{peers}"),
            format!("--initial-cluster-token={}", self.token),
            format!("--listen-metrics-urls=http://{metrics}"),
            // Of tests only: a password costs what it costs to break it.
            "--bcrypt-cost=4".to_owned(),
        ];
        if !self.options.synced {
            arguments.push("--unsafe-no-fsync".to_owned());
        }
        if let Some(tls) = &self.options.tls {
            arguments.extend([
                format!("--cert-file={}", tls::CERTIFICATE),
                format!("--key-file={}", tls::KEY),
            ]);
            if tls.both_sides {
                arguments.push("--client-cert-auth".to_owned());
                arguments.push(format!("--trusted-ca-file={}", tls::CA));
            }
        }
        arguments.extend(self.options.arguments.iter().cloned());
        Launch { arguments, environment: Vec::new(), ready: "ready to serve client requests" }
    }
}
