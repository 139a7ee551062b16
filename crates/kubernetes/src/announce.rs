//! Who leads, told to others than candidates: by the label of a Pod, and by Events.
//!
//! The lock sees all that is written and read, and tells it here: a term begins with a write of it
//! that is confirmed; it is over as soon as its release is about to be written, as something else is
//! seen in its place, or as nothing has renewed it for a whole lease duration. Nothing here decides
//! anything, and an election waits for it in one place alone: before a release.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leasehold_core::{
    Error, FencingToken, LeaseName, Observation, RandomPart, Record, Swap, Tenure,
};
use tokio::{
    sync::watch::{Receiver, Sender},
    time::{self, Instant},
};

use crate::{Kubernetes, events::Events, judge::identity, label::Label};

/// The longest that a release waits for the label to go, or a tenth of the lease duration.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub(crate) struct Announcer {
    label: Option<Arc<Label>>,
    events: Option<Arc<Events>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    term: Option<Term>,
    /// Which term's release has waited for the label. If it is tried again, it waits no more: its caller
    /// has not much patience, nor many tries.
    leaving: Option<TermId>,
}

/// Which term of which elector.
type TermId = (RandomPart, FencingToken);

struct Term {
    id: TermId,
    /// The last that it is known by.
    seen: Observation,
    /// Until when it may last, unless it is renewed.
    until: Sender<Instant>,
}

impl Announcer {
    /// None where nobody is to be told.
    pub(crate) fn new(kubernetes: &Kubernetes, name: &LeaseName) -> Option<Arc<Self>> {
        let label = kubernetes.labelled_pod().map(|pod| Label::of(kubernetes, pod));
        if let Some(label) = &label {
            // What an earlier life of the Pod has left.
            label.tend();
        }
        let events = kubernetes.config().has_events().then(|| Events::new(kubernetes, name));
        (label.is_some() || events.is_some())
            .then(|| Arc::new(Self { label, events, known: Mutex::default() }))
    }

    /// A record is about to be written. Where that releases a term, the term is over, and its label
    /// goes first.
    pub(crate) async fn before(&self, expected: &Observation, record: &Record) {
        let Some(released) = released(expected, record) else { return };
        let again = {
            let mut known = self.known();
            if known.term.as_ref().is_some_and(|term| term.id == released) {
                self.over(&mut known);
            }
            known.leaving.replace(released) == Some(released)
        };
        let patience = if again { Duration::ZERO } else { patience(expected) };
        if let Some(label) = &self.label {
            label.gone(patience).await;
        }
    }

    /// What became of a record that was sent then.
    pub(crate) fn after(
        self: &Arc<Self>,
        record: &Record,
        sent: Instant,
        became: &Result<Swap, Error>,
    ) {
        self.tend();
        let seen = match became {
            Ok(Swap::Written(seen) | Swap::Refused(Some(seen))) => seen,
            Ok(Swap::Refused(None)) | Err(_) => return,
        };
        match term_of(record) {
            // Refused, too: an earlier write of this term may be there, that was not answered.
            Some(id) if seen.record.as_ref().and_then(term_of) == Some(id) => {
                self.confirmed(id, seen, sent + record.lease_duration);
            }
            _ => self.observed(&Ok(seen.clone())),
        }
    }

    /// What somebody has asked for, after all that was answered before. (What a watch shows may be older.
    /// A leader that is shown something else than its own record asks.)
    pub(crate) fn observed(&self, seen: &Result<Observation, Error>) {
        self.tend();
        if let Ok(seen) = seen {
            let shown = seen.record.as_ref().and_then(term_of);
            self.ended_if(|term| shown != Some(term.id) && !term.is_newer_than(seen));
        }
    }

    fn confirmed(self: &Arc<Self>, id: TermId, seen: &Observation, until: Instant) {
        let mut known = self.known();
        match &mut known.term {
            // Of two answers, the later may be the older one.
            Some(term) if term.is_newer_than(seen) => return,
            Some(term) if term.id == id => {
                term.seen = seen.clone();
                term.until.send_replace(until);
                return;
            }
            Some(_) => self.over(&mut known),
            None => {}
        }
        let sender = Sender::new(until);
        tokio::spawn(lapse(self.clone(), id, sender.subscribe()));
        known.term = Some(Term { id, seen: seen.clone(), until: sender });
        if let Some(events) = &self.events {
            events.write(seen, "became leader");
        }
        if let Some(label) = &self.label {
            label.begin();
        }
    }

    fn ended_if(&self, over: impl FnOnce(&Term) -> bool) {
        let mut known = self.known();
        if known.term.as_ref().is_some_and(over) {
            self.over(&mut known);
        }
    }

    fn over(&self, known: &mut Known) {
        let Some(term) = known.term.take() else { return };
        if let Some(events) = &self.events {
            events.write(&term.seen, "stopped leading");
        }
        if let Some(label) = &self.label {
            label.end();
        }
    }

    /// Goes on with what the end of another runtime has left undone.
    fn tend(&self) {
        if let Some(label) = &self.label {
            label.tend();
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Term {
    /// Several electors may share a lock, and hear of each other in any order.
    fn is_newer_than(&self, seen: &Observation) -> bool {
        seen.era == self.seen.era && seen.version.number() < self.seen.version.number()
    }
}

/// Ends a term that nobody has renewed for a lease duration, heard of or not.
async fn lapse(announcer: Arc<Announcer>, id: TermId, mut until: Receiver<Instant>) {
    loop {
        let end = *until.borrow_and_update();
        tokio::select! {
            renewed = until.changed() => if renewed.is_err() { return },
            () = time::sleep_until(end) => return announcer.ended_if(|term| term.id == id),
        }
    }
}

fn term_of(record: &Record) -> Option<TermId> {
    let held = matches!(record.tenure, Tenure::Held { .. });
    record.stamp.filter(|_| held).map(|stamp| (stamp.author, record.token))
}

/// The term that ends with this record: one's own, and no other's.
fn released(expected: &Observation, record: &Record) -> Option<TermId> {
    let held = expected.record.as_ref().and_then(term_of)?;
    let author = record.stamp?.author;
    (record.tenure == Tenure::Free && held.0 == author).then_some(held)
}

fn patience(expected: &Observation) -> Duration {
    let lease = expected.record.as_ref().map_or(Duration::ZERO, |record| record.lease_duration);
    (lease / 10).min(LONGEST_WAIT)
}

/// The holder as the Lease shows it.
pub(crate) fn holder(seen: &Observation) -> String {
    seen.record.as_ref().map(identity).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail anywhere")]
mod tests {
    use std::fs;

    use leasehold_core::{Era, Stamp, Version};

    use super::*;
    use crate::KubernetesConfig;

    /// Of nobody: what is told is lost.
    async fn announcer() -> Arc<Announcer> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = r#"{"current-context": "a", "contexts": [{"name": "a", "context":
            {"cluster": "a", "user": "a"}}], "users": [{"name": "a", "user": {}}],
            "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}]}"#;
        fs::write(file.path(), config).unwrap();
        let config = KubernetesConfig::new().with_kubeconfig(file.path()).with_events();
        let kubernetes = Kubernetes::new(config).await.unwrap();
        Announcer::new(&kubernetes, &LeaseName::new("jobs").unwrap()).unwrap()
    }

    fn held(author: u64, version: u64) -> Observation {
        let record = Record {
            era: Era::new("era"),
            token: FencingToken::new(3).unwrap(),
            lease_duration: Duration::from_secs(15),
            stamp: Some(Stamp { author: RandomPart::new(author), attempt: 1 }),
            tenure: Tenure::Held { holder: "a".into() },
        };
        Observation::of(Era::new("era"), Version::new(version).unwrap(), record)
    }

    fn written(announcer: &Arc<Announcer>, seen: &Observation) {
        let became = Ok(Swap::Written(seen.clone()));
        announcer.after(seen.record.as_ref().unwrap(), Instant::now(), &became);
    }

    fn known(announcer: &Announcer) -> Option<u64> {
        announcer.known().term.as_ref().map(|term| term.seen.version.number())
    }

    /// As where one lock serves two electors.
    #[tokio::test]
    async fn what_is_answered_late_ends_no_term_that_began_since() {
        let announcer = announcer().await;
        written(&announcer, &held(1, 5));
        assert_eq!(known(&announcer), Some(5));
        announcer.observed(&Ok(held(2, 4)));
        announcer.observed(&Ok(Observation { record: None, ..held(1, 4) }));
        written(&announcer, &held(2, 4));
        assert_eq!(known(&announcer), Some(5));
        written(&announcer, &held(1, 6));
        assert_eq!(known(&announcer), Some(6));
        // What is newer does, and what is of another era.
        announcer.observed(&Ok(held(2, 7)));
        assert_eq!(known(&announcer), None);
        written(&announcer, &held(1, 8));
        announcer.observed(&Ok(Observation { era: Era::new("other"), ..held(2, 4) }));
        assert_eq!(known(&announcer), None);
    }
}
