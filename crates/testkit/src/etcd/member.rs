use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

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
    /// None if there are no others.
    pub(super) seat: Option<Seat>,
    /// How often its data were replaced by others.
    pub(super) restored: AtomicU32,
}

/// A member's place among others.
pub(super) struct Seat {
    /// From 0.
    pub(super) number: usize,
    pub(super) road: Road,
}

/// By way of which a member reaches the others.
pub(super) enum Road {
    /// An exchange that is here.
    Linked(SocketAddr),
    /// None: they are where they listen, which is known once all of them have their ports.
    Straight(Arc<OnceLock<Vec<SocketAddr>>>),
}

impl Seat {
    pub(super) const ALL: usize = 3;

    /// Where the others believe that a member is, and where nobody is: reserved for documentation.
    pub(super) fn host(number: usize) -> String {
        format!("192.0.2.{}:2380", number + 1)
    }

    /// Where a member is for the others.
    fn url_of(&self, number: usize) -> String {
        match &self.road {
            Road::Linked(_) => format!("https://{}", Self::host(number)),
            Road::Straight(all) => {
                let all = all.get().expect("all members have their ports before one is started");
                format!("http://{}", all[number])
            }
        }
    }
}

impl Member {
    pub(super) fn alone(options: EtcdOptions) -> Self {
        Self { options, token: new_token(), seat: None, restored: AtomicU32::new(0) }
    }

    pub(super) fn in_seat(options: EtcdOptions, token: &str, seat: Seat) -> Self {
        let restored = AtomicU32::new(0);
        Self { options, token: token.to_owned(), seat: Some(seat), restored }
    }

    /// Where its data are, within its directory.
    pub(super) fn data(&self) -> String {
        self.data_after(0)
    }

    /// The same when they have been replaced so many times more.
    pub(super) fn data_after(&self, times: u32) -> String {
        format!("data-{}", self.restored.load(Ordering::Relaxed) + times)
    }

    /// Who it is, and who the others are.
    pub(super) fn identity(&self, place: &Place<'_>, token: &str) -> Vec<String> {
        let (name, own, all) = match &self.seat {
            None => {
                let own = format!("http://{}", place.ports[1].address());
                ("alone".to_owned(), own.clone(), format!("alone={own}"))
            }
            Some(seat) => {
                let all: Vec<String> = (0..Seat::ALL)
                    .map(|number| format!("member-{number}={}", seat.url_of(number)))
                    .collect();
                (format!("member-{}", seat.number), seat.url_of(seat.number), all.join(","))
            }
        };
        vec![
            format!("--name={name}"),
            format!("--initial-advertise-peer-urls={own}"),
            format!("--initial-cluster={all}"),
            format!("--initial-cluster-token={token}"),
        ]
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
        let scheme = if self.options.over_tls() { "https" } else { "http" };
        let mut environment = Vec::new();
        let mut among_members = "http";
        if let Some(Seat { road: Road::Linked(exchange), .. }) = &self.seat {
            // What it sends to another member goes by CONNECT to its exchange, and so over a link that
            // carries nothing else: of a connection that arrives nobody could tell where it is from.
            // That takes TLS, for plain HTTP goes to a proxy without CONNECT.
            let way = format!("HTTPS_PROXY=http://{exchange}").into();
            environment.extend([way, "NO_PROXY=".into(), "no_proxy=".into()]);
            among_members = "https";
        }
        let mut arguments = self.identity(place, &self.token);
        arguments.extend([
            format!("--data-dir={}", self.data()),
            format!("--listen-client-urls={scheme}://{clients}"),
            format!("--advertise-client-urls={scheme}://{clients}"),
            format!("--listen-peer-urls={among_members}://{peers}"),
            format!("--listen-metrics-urls=http://{metrics}"),
            // Of tests only: a password costs what it costs to break it.
            "--bcrypt-cost=4".to_owned(),
        ]);
        if among_members == "https" {
            arguments.push("--peer-auto-tls".to_owned());
        }
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
        Launch { arguments, environment, ready: "ready to serve client requests" }
    }
}

pub(super) fn new_token() -> String {
    format!("leasehold-{:016x}", rand::random::<u64>())
}
