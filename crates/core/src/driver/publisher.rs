use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    Error, ErrorKind, Status,
    kernel::{Evidence, View},
    time::term::Term,
};

/// What the elector tells those who do not lead.
pub(super) struct Publisher {
    lease: Arc<str>,
    candidate: Arc<str>,
    status: watch::Sender<Status>,
    /// Whether the store has ever answered: before that an error ends the campaign.
    pub(super) ever: bool,
    answered: Instant,
    /// The calls in a row that were not answered.
    pub(super) unanswered: u32,
    trouble: Option<Trouble>,
    /// Waits for longer than anybody would expect who knows its own lease duration.
    waits: bool,
}

/// What has gone wrong since the store answered last.
struct Trouble {
    /// The latest.
    why: Arc<str>,
    /// All kinds of it. Each is warned of once: their words change with the server that is asked, and
    /// with what it is doing.
    kinds: Vec<ErrorKind>,
}

impl Publisher {
    pub(super) fn new(lease: Arc<str>, candidate: Arc<str>, status: watch::Sender<Status>) -> Self {
        Self {
            lease,
            candidate,
            status,
            ever: false,
            answered: Instant::now(),
            unanswered: 0,
            trouble: None,
            waits: false,
        }
    }

    /// A campaign begins: what went wrong in the last one is no news of this one.
    pub(super) fn forget(&mut self) {
        self.trouble = None;
        self.unanswered = 0;
    }

    pub(super) fn answered(&mut self) {
        self.ever = true;
        self.answered = Instant::now();
        self.unanswered = 0;
        self.trouble = None;
    }

    /// Says whether this is trouble of another kind than there was since the store answered last.
    pub(super) fn unanswered(&mut self, error: &Error) -> bool {
        self.unanswered = self.unanswered.saturating_add(1);
        let (kind, why) = (error.kind(), Arc::from(error.to_string()));
        let mut kinds = self.trouble.take().map_or_else(Vec::new, |trouble| trouble.kinds);
        let news = !kinds.contains(&kind);
        if news {
            kinds.push(kind);
        }
        self.trouble = Some(Trouble { why, kinds });
        news
    }

    /// What is wrong, if the store did not answer the last call.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| &*trouble.why)
    }

    /// How long the candidate waits, where that is longer than its own lease: told as it begins.
    pub(super) fn waits(&mut self, long: Option<Duration>, evidence: &Evidence) {
        if let (Some(wait), false) = (long, self.waits) {
            let Self { lease, candidate, .. } = self;
            let why = match evidence.record().and_then(|record| record.holder()) {
                Some(_) => "so long a lease is held",
                None => "nobody is named, and so long a lease was seen: its leader may live",
            };
            tracing::info!(target: "leasehold::term", %lease, %candidate, ?wait, why, "waits");
        }
        self.waits = long.is_some();
    }

    /// Publishes where the candidate stands, if that has changed.
    pub(super) fn publish(&self, view: View, term: Option<&Term>, evidence: &Evidence) {
        let status = match (view, &self.trouble) {
            (View::Leading { token, .. }, _) => Status::Leading { token },
            (View::Draining { token, .. }, _) => Status::Stopping { token },
            (View::Ended(_) | View::Releasing, _) => {
                term.map_or(Status::Idle, |term| Status::Stopping { token: term.token })
            }
            (View::Idle, _) => Status::Idle,
            (View::Standby, Some(Trouble { why, .. })) => {
                Status::Unknown { since: self.answered, why: why.clone() }
            }
            (View::Standby, None) if evidence.is_exhausted() => Status::Unknown {
                since: self.answered,
                why: format!(
                    "token {} was seen, and there is none above it: stop all candidates, delete \
                     the lease and start them again",
                    evidence.floor()
                )
                .into(),
            },
            (View::Standby, None) => Status::Following {
                leader: evidence.record().and_then(|record| record.holder()).map(Arc::from),
            },
        };
        self.status.send_if_modified(|published| {
            let changed = *published != status;
            if changed {
                let Self { lease, candidate, .. } = self;
                let unknown = matches!(published, Status::Unknown { .. });
                match &status {
                    Status::Unknown { why, .. } if !unknown => {
                        tracing::warn!(target: "leasehold::term", %lease, %candidate, why = &**why, "unknown");
                    }
                    _ => tracing::debug!(target: "leasehold::term", %lease, %candidate, ?status, "status"),
                }
                *published = status;
            }
            changed
        });
    }
}
