//! What is logged: every change of state, with the lease, the candidate and the token.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use crate::common::{
    elector, free_lock,
    gate::{Gate, Passage},
    quick,
};
use leasehold_core::{End, LeaseLock, Record, Status, Tenure};
use tokio_util::sync::CancellationToken;
use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

type Fields = BTreeMap<String, String>;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Fields>>>);

struct Reader<'a>(&'a mut Fields);

impl Visit for Reader<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "leasehold::term"
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::from([("level".into(), event.metadata().level().to_string())]);
        event.record(&mut Reader(&mut fields));
        self.0.lock().expect("not poisoned").push(fields);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Log {
    /// Hears the events of this thread from now on.
    fn listen(&self) -> DefaultGuard {
        /// While there is only one dispatcher, tracing asks the thread that first reaches a callsite
        /// whether its events are of interest, and that may be the thread of another test.
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Log::default()));
        LazyLock::force(&SECOND);
        tracing::subscriber::set_default(self.clone())
    }
}

#[tokio::test]
async fn every_change_of_state_is_logged_with_the_lease_the_candidate_and_the_token() {
    let log = Log::default();
    let _logged = log.listen();
    let lock = free_lock().await;
    let lead = elector(&lock, "pod-a").campaign(&CancellationToken::new()).await.unwrap();
    let token = lead.token().to_string();
    assert!(lead.resign().await);

    let logged = log.0.lock().unwrap().clone();
    let info: Vec<_> =
        logged.iter().filter(|fields| fields["level"] == Level::INFO.as_str()).collect();
    let said: Vec<_> = info.iter().map(|fields| fields["message"].as_str()).collect();
    assert_eq!(said, ["campaigning", "leading", "ended", "finished"]);
    for fields in &info {
        assert_eq!(fields["lease"], lock.describe());
        assert!(fields["candidate"].starts_with("pod-a_"), "{fields:?}");
    }
    for fields in &info[1..] {
        assert_eq!(fields["token"], token);
    }
    assert_eq!(info[2]["why"], "resigned");
    // The bound of a failover is said at the start.
    assert_eq!(info[0]["failover_bound"], format!("{:?}", quick().failover_bound()));
    // What a measurement reads: the instants of each write that holds the lease.
    assert!(logged.iter().any(|f| f["message"] == "sending" && f.contains_key("at")));
    assert!(logged.iter().any(|f| f["message"] == "renewed" && f.contains_key("until")));
}

#[tokio::test]
async fn a_trouble_is_warned_of_once_for_as_long_as_it_lasts() {
    let log = Log::default();
    let _logged = log.listen();
    let gate = Gate::before(free_lock().await);
    let lead = elector(&gate, "pod-a").campaign(&CancellationToken::new()).await.unwrap();
    gate.set(Passage::Broken);
    gate.swaps(4).await;
    gate.set(Passage::Open);
    gate.swaps(1).await;
    assert!(lead.resign().await);
    let logged = log.0.lock().unwrap();
    assert_eq!(logged.iter().filter(|fields| fields["message"] == "no answer").count(), 1);
}

/// Each time it is opened it shows what is there, which is no news.
#[tokio::test]
async fn a_watch_that_breaks_again_and_again_is_warned_of_once() {
    let log = Log::default();
    let _logged = log.listen();
    let gate = Gate::before(free_lock().await);
    gate.set(Passage::WatchedOnce);
    let lead = elector(&gate, "pod-a").campaign(&CancellationToken::new()).await.unwrap();
    gate.swaps(10).await;
    assert!(lead.is_current());
    let logged = log.0.lock().unwrap();
    let broke = logged.iter().filter(|fields| fields["message"] == "watch broke");
    assert_eq!(broke.count(), 1);
}

/// Work that heeds what it is asked has ended before its lease has.
#[tokio::test]
async fn a_term_that_nothing_renewed_has_not_resigned() {
    let log = Log::default();
    let _logged = log.listen();
    let gate = Gate::before(free_lock().await);
    let lead = elector(&gate, "pod-a").campaign(&CancellationToken::new()).await.unwrap();
    let leading = lead.leading();
    gate.set(Passage::Broken);
    lead.stopping().await;
    assert!(!lead.resign().await);
    assert_eq!(leading.end(), Some(End::Lapsed));
    let logged = log.0.lock().unwrap();
    let said = |message| logged.iter().find(|fields| fields["message"] == message);
    assert_eq!(said("ended").unwrap()["why"], "lapsed");
    let stopping = said("stopping: no renewal is confirmed").unwrap();
    assert_eq!(stopping["level"], Level::WARN.as_str());
}

/// Each of its attempts is refused by it, and each look fails.
#[tokio::test]
async fn a_record_of_a_newer_format_is_warned_of_once_by_who_would_replace_it() {
    let log = Log::default();
    let _logged = log.listen();
    let gate = Gate::before(free_lock().await);
    gate.plan([Passage::Newer]);
    let elector = elector(&gate, "pod-a");
    let shutdown = CancellationToken::new();
    let campaign = elector.campaign(&shutdown);
    let meanwhile = async {
        gate.swaps(5).await;
        gate.set(Passage::Open);
    };
    let (lead, ()) = tokio::join!(campaign, meanwhile);
    assert!(lead.unwrap().is_current());
    let logged = log.0.lock().unwrap();
    for message in ["no answer", "unknown"] {
        let count = logged.iter().filter(|fields| fields["message"] == message).count();
        assert_eq!(count, 1, "{message:?} in {logged:#?}");
    }
}

#[tokio::test]
async fn a_driver_that_comes_late_says_so() {
    let log = Log::default();
    let _logged = log.listen();
    let lock = free_lock().await;
    let lead = elector(&lock, "pod-a").campaign(&CancellationToken::new()).await.unwrap();
    // The work starves the renewals: it blocks the only thread of the runtime.
    std::thread::sleep(quick().retry_interval() * 3);
    crate::common::until(&lock, |record| record.stamp.is_some_and(|stamp| stamp.attempt > 1)).await;
    assert!(lead.is_current());
    let logged = log.0.lock().unwrap();
    let late = |fields: &Fields| fields["message"].starts_with("late: the runtime is blocked");
    assert!(logged.iter().any(late), "{logged:?}");
}

/// Else nobody would know why nothing happens for an hour.
#[tokio::test]
async fn a_wait_that_is_longer_than_ones_own_lease_is_told_as_it_begins() {
    let log = Log::default();
    let _logged = log.listen();
    let lock = free_lock().await;
    let seen = lock.observe().await.unwrap();
    let lease_duration = Duration::from_secs(3600);
    let mut vacant = Record::free(seen.era.clone());
    vacant = Record { lease_duration, tenure: Tenure::Vacant, ..vacant };
    lock.swap(&seen, &vacant).await.unwrap();
    let elector = elector(&lock, "pod-a");
    let (mut status, shutdown) = (elector.status(), CancellationToken::new());
    let followed = async {
        status.wait_for(|status| matches!(status, Status::Following { .. })).await.unwrap();
        shutdown.cancel();
    };
    let (campaign, ()) = tokio::join!(elector.campaign(&shutdown), followed);
    campaign.unwrap_err();
    let logged = log.0.lock().unwrap();
    let told: Vec<_> = logged.iter().filter(|fields| fields["message"] == "waits").collect();
    let [told] = &*told else { panic!("{logged:#?}") };
    assert_eq!(told["level"], "INFO");
    assert!(told["wait"].starts_with("3600s") || told["wait"].starts_with("3599."), "{told:?}");
    assert!(told["why"].contains("nobody is named"), "{told:?}");
}
