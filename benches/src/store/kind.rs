use std::{borrow::Cow, fmt, time::Duration};

use anyhow::Result;

use super::{Link, file};
use crate::program::Peer;

/// What is known of a kind of store.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What a URL of such a store begins with, up to a `+` or the colon.
    schemes: &'static [&'static str],
    /// Whether it can prove that a holder is gone: a crash need not be waited out then.
    pub(crate) proves_death: bool,
    /// Whether it is measured where nobody says what is to be.
    by_default: bool,
    /// What else is measured on it.
    pub(crate) peers: &'static [Peer],
    /// How many leases at the timing of a bench it takes without being felt.
    pub(crate) side_by_side: f64,
    /// How long it is away when it is killed and started again, about.
    pub(crate) away: Duration,
    /// Starts one for a run; may block. None where the bench was built without it.
    pub(super) start: Option<Start>,
}

pub(super) type Start = fn() -> Result<Box<dyn Host>>;

/// A store that is there, for as long as this is.
pub(super) trait Host: fmt::Debug + Send + Sync {
    /// The URL of a lease of this name.
    fn url(&self, lease: &str) -> Result<String>;

    /// What it is and where, for people; never a secret.
    fn describe(&self) -> String;

    /// The link to it, for a lease of this name, or why no proxy can be put into it.
    fn link(&self, lease: &str) -> Result<Link, String> {
        Link::of(&self.url(lease).map_err(|error| error.to_string())?)
    }

    /// Whether it may be killed and started again, or why not.
    fn may_restart(&self) -> Result<(), String> {
        Err("it is somebody's, and left to run".into())
    }

    /// Kills its server and starts it again; returns when it answers. May block.
    ///
    /// # Panics
    /// If it does not start, or [may not](Self::may_restart).
    fn restart(&self) {
        panic!("it may not be restarted");
    }

    /// What it has been asked for since its start, by its own count; for the difference of two. None
    /// where it does not count. May block.
    fn requests(&self) -> Option<f64> {
        None
    }
}

/// In the order in which they are measured.
static KINDS: [Kind; 5] = [
    Kind {
        name: "file",
        schemes: &["file"],
        proves_death: true,
        by_default: true,
        peers: &[],
        side_by_side: 20.0,
        away: Duration::ZERO,
        start: Some(file::start),
    },
    Kind {
        name: "redis",
        schemes: &["redis", "rediss"],
        proves_death: false,
        by_default: true,
        peers: &[RSLOCK],
        side_by_side: 20.0,
        away: Duration::from_millis(100),
        #[cfg(feature = "redis")]
        start: Some(super::redis::start),
        #[cfg(not(feature = "redis"))]
        start: None,
    },
    Kind {
        name: "etcd",
        schemes: &["etcd", "etcds"],
        proves_death: false,
        by_default: true,
        peers: &[ETCD_RECIPE],
        side_by_side: 16.0,
        away: Duration::from_secs(3),
        #[cfg(feature = "etcd")]
        start: Some(super::etcd::start),
        #[cfg(not(feature = "etcd"))]
        start: None,
    },
    Kind {
        name: "etcd-single",
        schemes: &[],
        proves_death: false,
        by_default: false,
        peers: &[ETCD_RECIPE],
        side_by_side: 16.0,
        away: Duration::from_secs(3),
        #[cfg(feature = "etcd")]
        start: Some(super::etcd::start_single),
        #[cfg(not(feature = "etcd"))]
        start: None,
    },
    Kind {
        name: "kubernetes",
        schemes: &["kubernetes"],
        proves_death: false,
        by_default: true,
        peers: &[
            CLIENT_GO,
            CLIENT_GO_NO_RELEASE,
            K8S_CONTROLLER,
            KUBE_LEADER_ELECTION,
            KUBE_LEASE_MANAGER,
            KUBERT,
        ],
        side_by_side: 10.0,
        away: Duration::from_secs(5),
        #[cfg(feature = "kubernetes")]
        start: Some(super::kubernetes::start),
        #[cfg(not(feature = "kubernetes"))]
        start: None,
    },
];

const RSLOCK: Peer = Peer {
    name: Cow::Borrowed("rslock"),
    program: Cow::Borrowed("benches/peers/rslock"),
    about: "extends at the retry interval; standbys try with pauses below it",
    ..Peer::PLAIN
};

const ETCD_RECIPE: Peer = Peer {
    name: Cow::Borrowed("etcd-recipe"),
    program: Cow::Borrowed("etcd_recipe"),
    about: "an etcd lease, kept alive at the retry interval; the server grants no less than 2 s",
    // One and a half times the time in which members elect, in whole seconds.
    least_lease: Duration::from_secs(2),
    ..Peer::PLAIN
};

const CLIENT_GO: Peer = Peer {
    name: Cow::Borrowed("client-go"),
    program: Cow::Borrowed("integration/client-go"),
    about: "LeaseDuration/RenewDeadline/RetryPeriod, ReleaseOnCancel",
    below_a_second: Some([
        "at renewals closer than a second it does not see each",
        "its standbys compare a record whose renewTime is in whole seconds, and so see a renewal at most \
         once a second: renewed more often, a lease may be taken over up to 1 s before its end. At \
         3s/2s/500ms they see every second renewal; from a retry interval of 1 s on (15s/10s/2s) each",
    ]),
    variable: Some("LEASEHOLD_CLIENT_GO"),
    // It writes whole seconds.
    least_lease: Duration::from_secs(1),
    defaults: Some("15s/10s/2s"),
    ..Peer::PLAIN
};

const CLIENT_GO_NO_RELEASE: Peer = Peer {
    name: Cow::Borrowed("client-go-no-release"),
    arguments: &["--release-on-cancel=false"],
    about: "LeaseDuration/RenewDeadline/RetryPeriod, without ReleaseOnCancel",
    waits_out: true,
    keeps_lease: true,
    ..CLIENT_GO
};

const K8S_CONTROLLER: Peer = Peer {
    name: Cow::Borrowed("k8s-controller"),
    program: Cow::Borrowed("benches/peers/k8s-controller"),
    about: "lease_duration/renew_deadline/retry_period",
    least_lease: Duration::from_secs(1),
    defaults: Some("15s/10s/2s"),
    ..Peer::PLAIN
};

const KUBE_LEADER_ELECTION: Peer = Peer {
    name: Cow::Borrowed("kube-leader-election"),
    program: Cow::Borrowed("benches/peers/kube-leader-election"),
    about: "lease_ttl, asked at the retry interval; a timer of its user's ends work at the deadline",
    least_lease: Duration::from_secs(1),
    // Its documentation has 15 s, to be renewed every 5.
    defaults: Some("15s/10s/5s"),
    ..Peer::PLAIN
};

const KUBE_LEASE_MANAGER: Peer = Peer {
    name: Cow::Borrowed("kube-lease-manager"),
    program: Cow::Borrowed("benches/peers/kube-lease-manager"),
    about: "duration and grace in whole seconds: at least 2 s, of which 1 s is grace",
    least_lease: Duration::from_secs(2),
    waits_out: true,
    // A grace of 5 s.
    defaults: Some("30s/25s/25s"),
    ..Peer::PLAIN
};

const KUBERT: Peer = Peer {
    name: Cow::Borrowed("kubert"),
    program: Cow::Borrowed("benches/peers/kubert"),
    about: "lease_duration, renewed at the retry interval",
    least_lease: Duration::from_secs(1),
    waits_out: true,
    // A grace period of 1 s.
    defaults: Some("30s/30s/29s"),
    ..Peer::PLAIN
};

impl Kind {
    /// Those of the names, or where there are none, all that the bench can start by itself.
    pub(crate) fn asked_for(names: &[String]) -> impl Iterator<Item = &'static Self> {
        KINDS.iter().filter(|kind| kind.start.is_some()).filter(move |kind| match names {
            [] => kind.by_default,
            names => names.iter().any(|name| name == kind.name),
        })
    }

    /// The peers on any kind.
    pub(crate) fn peers() -> impl Iterator<Item = &'static Peer> {
        KINDS.iter().flat_map(|kind| kind.peers)
    }

    /// Whether a store of this name can prove that a holder is gone.
    pub(crate) fn proves_death(name: &str) -> bool {
        KINDS.iter().any(|kind| kind.name == name && kind.proves_death)
    }

    /// Why a peer meets nobody, where this bench was built without its store.
    pub(crate) fn without(peer: &str) -> Option<String> {
        let kind = KINDS.iter().find(|kind| kind.peers.iter().any(|its| its.name == peer))?;
        Self::named(kind.name).err().map(|why| format!("{}: {why}", kind.name))
    }

    /// The kind of a URL's scheme, where it is one of ours.
    pub(crate) fn of_scheme(scheme: &str) -> Option<&'static Self> {
        let first = scheme.split('+').next()?;
        KINDS.iter().find(|kind| kind.schemes.contains(&first))
    }

    /// The one that is called so on the command line.
    pub(crate) fn named(name: &str) -> Result<&'static Self, String> {
        match KINDS.iter().find(|kind| kind.name == name) {
            Some(kind) if kind.start.is_some() => Ok(kind),
            Some(kind) => {
                let feature = kind.name.split('-').next().unwrap_or_default();
                Err(format!("this bench was built without it: add --features {feature}"))
            }
            None => {
                Err(format!("the stores are {}", KINDS.each_ref().map(|kind| kind.name).join(", ")))
            }
        }
    }
}
