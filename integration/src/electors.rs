//! Many electors in one process, each with a connection of its own, for faults of the network and
//! of the store: hundreds of them are cheap, and one clock sees them all.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use leasehold::{
    Candidate, Elector, ErrorKind, FencingToken, Leadership, Status, Timing, connect, create_free,
};
use leasehold_testkit::{History, What};
use tokio::{sync::Notify, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

/// How often a leader acts.
const STEP: Duration = Duration::from_millis(5);

/// Whatever is waited for here comes within a few seconds, or never.
const NEVER: Duration = Duration::from_secs(40);

/// A lease of one test, and all that its candidates do.
#[derive(Clone, Debug)]
pub struct Lease {
    origin: Instant,
    history: History,
}

/// A candidate that does its work while it leads, and after a loss campaigns again.
#[derive(Debug)]
pub struct Contender {
    name: &'static str,
    elector: Arc<Elector>,
    resign: Arc<Notify>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Lease {
    /// Creates it, free, at a URL.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn create(url: &str) -> Self {
        let lock = connect(url).await.unwrap_or_else(|error| panic!("{error}"));
        create_free(&lock).await.unwrap_or_else(|error| panic!("{error}"));
        Self { origin: Instant::now(), history: History::starting_now() }
    }

    /// Begins to campaign for it, by a way of one's own to the store.
    ///
    /// # Panics
    /// If the store does not answer.
    pub async fn contend(&self, name: &'static str, url: &str, timing: Timing) -> Contender {
        let lock = connect(url).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let candidate = Candidate::new(name).expect("a name");
        let elector = Arc::new(Elector::new(lock, candidate).with_timing(timing));
        let (resign, shutdown) = (Arc::<Notify>::default(), CancellationToken::new());
        let life = live(self.clone(), name, elector.clone(), resign.clone(), shutdown.clone());
        Contender { name, elector, resign, shutdown, task: tokio::spawn(life) }
    }

    /// No work of a term was seen after the next term had begun, nor its end; and tokens grow.
    ///
    /// # Panics
    /// If that is not so, with all that happened.
    pub fn assert_exclusive(&self) {
        let violations = self.history.check();
        assert!(violations.is_empty(), "{violations:#?}\n{}", self.history);
    }

    fn note(&self, at: Instant, name: &str, what: What) {
        self.history.record_at(at.duration_since(self.origin), name, what);
    }
}

impl Contender {
    /// Waits until it leads.
    ///
    /// # Panics
    /// If it never does.
    pub async fn leads(&self) -> FencingToken {
        self.leads_after(FencingToken::ZERO).await
    }

    /// Waits until it leads in a later term than that of this token.
    ///
    /// # Panics
    /// If it never does.
    pub async fn leads_after(&self, earlier: FencingToken) -> FencingToken {
        let later =
            |status: &Status| matches!(status, Status::Leading { token } if *token > earlier);
        match self.status("leads", later).await {
            Status::Leading { token } => token,
            other => unreachable!("not waited for: {other:?}"),
        }
    }

    /// Waits until it follows somebody.
    ///
    /// # Panics
    /// If it never does.
    pub async fn follows(&self, other: &str) {
        self.status(&format!("follows {other}"), |status| {
            matches!(status, Status::Following { leader: Some(leader) } if **leader == *other)
        })
        .await;
    }

    /// Waits until it says that it does not know.
    ///
    /// # Panics
    /// If it never does.
    pub async fn knows_nothing(&self) {
        self.status("knows nothing", |status| matches!(status, Status::Unknown { .. })).await;
    }

    /// Waits until it leads, or knows whom it follows.
    ///
    /// # Panics
    /// If it never does.
    pub async fn knows_the_leader(&self) {
        self.status("knows the leader", |status| {
            matches!(status, Status::Leading { .. } | Status::Following { leader: Some(_) })
        })
        .await;
    }

    /// Ends its present term, or else the next as soon as it begins; then it campaigns again.
    pub fn resign(&self) {
        self.resign.notify_one();
    }

    /// Whether it still lives, as it should until it is told to end.
    pub fn is_alive(&self) -> bool {
        !self.task.is_finished()
    }

    /// Tells it to end, and waits for that.
    ///
    /// # Panics
    /// If it has ended in another way.
    pub async fn end(self) {
        self.shutdown.cancel();
        within(&format!("{} ends", self.name), self.task).await.expect("it did not panic");
    }

    async fn status(&self, what: &str, wanted: impl Fn(&Status) -> bool + Send) -> Status {
        let mut status = self.elector.status();
        let what = format!("{} {what}; it began as {:?}", self.name, status.now());
        within(&what, status.wait_for(wanted)).await.expect("the elector is there")
    }
}

/// Waits for something that comes soon.
///
/// # Panics
/// If it does not, with what was waited for.
pub async fn within<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    time::timeout(NEVER, wanted).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

async fn live(
    lease: Lease,
    name: &'static str,
    elector: Arc<Elector>,
    resign: Arc<Notify>,
    shutdown: CancellationToken,
) {
    loop {
        let lead = match elector.campaign(&shutdown).await {
            Ok(lead) => lead,
            Err(error) if error.kind() == ErrorKind::Cancelled => return,
            // The store has answered it once: from then on trouble is a status.
            Err(error) => panic!("{name}: {error}"),
        };
        work(&lease, name, &lead, &resign, &shutdown).await;
        lead.resign().await;
    }
}

/// Acts for as long as it may: that it is asked to stop at the renew deadline is not heard.
async fn work(
    lease: &Lease,
    name: &str,
    lead: &Leadership,
    resign: &Notify,
    shutdown: &CancellationToken,
) {
    let token = lead.token().number();
    lease.note(Instant::now(), name, What::Began { token });
    loop {
        // The clock first: a pause between the two cannot count what was not allowed.
        let at = Instant::now();
        if !lead.is_current() {
            break;
        }
        lease.note(at, name, What::Worked { token });
        tokio::select! {
            () = lead.ended() => break,
            () = resign.notified() => break,
            () = shutdown.cancelled() => break,
            () = time::sleep(STEP) => {}
        }
    }
    lease.note(Instant::now(), name, What::Stopped { token });
}
