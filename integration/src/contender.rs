use std::{pin::pin, sync::Arc, time::Duration};

use leasehold::{
    Candidate, Elector, Error, ErrorKind, FencingToken, Leadership, LeaseLock, Status,
};
use tokio::{sync::Notify, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

use crate::{Election, within};

/// How often a leader acts.
const STEP: Duration = Duration::from_millis(5);

/// A candidate that does its work while it leads, and after a loss campaigns again.
#[derive(Debug)]
#[must_use = "it leaves nothing behind only if it is ended"]
pub struct Contender {
    election: Election,
    name: String,
    elector: Arc<Elector>,
    resign: Arc<Notify>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Contender {
    pub(crate) fn new(election: Election, name: String, lock: Arc<dyn LeaseLock>) -> Self {
        let candidate = Candidate::new(name.as_str()).expect("a name");
        let elector = Arc::new(Elector::new(lock, candidate).with_timing(election.timing()));
        let (resign, shutdown) = (Arc::<Notify>::default(), CancellationToken::new());
        let life = Life {
            election: election.clone(),
            name: name.clone(),
            elector: elector.clone(),
            resign: resign.clone(),
            shutdown: shutdown.clone(),
        };
        Self { election, name, elector, resign, shutdown, task: tokio::spawn(life.live()) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

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

    /// Waits until it follows somebody of this name.
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

    /// Tells it to end, giving back the lease if it leads, and waits for that.
    ///
    /// # Panics
    /// If it has ended in another way.
    pub async fn end(self) {
        self.shutdown.cancel();
        let what = format!("{} ends", self.name);
        let ended = within(&what, self.election.history(), self.task).await;
        ended.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    async fn status(&self, what: &str, wanted: impl Fn(&Status) -> bool + Send) -> Status {
        let mut status = self.elector.status();
        let what = format!("{} {what}; it began as {:?}", self.name, status.now());
        let reached = within(&what, self.election.history(), status.wait_for(wanted)).await;
        reached.expect("the elector is there")
    }
}

/// What its task does.
struct Life {
    election: Election,
    name: String,
    elector: Arc<Elector>,
    resign: Arc<Notify>,
    shutdown: CancellationToken,
}

impl Life {
    async fn live(self) {
        let mut campaigned = self.first_campaign().await;
        loop {
            let lead = match campaigned {
                Ok(lead) => lead,
                Err(error) if error.kind() == ErrorKind::Cancelled => return,
                // The store has answered it once: from then on trouble is a status.
                Err(error) => panic!("{}: {error}", self.name),
            };
            self.work(&lead).await;
            lead.resign().await;
            campaigned = self.elector.campaign(&self.shutdown).await;
        }
    }

    /// Campaigns until the store has answered for the first time. A campaign that begins with a call that
    /// times out ends with an error, and so does a service, which its supervisor then starts again.
    async fn first_campaign(&self) -> Result<Leadership, Error> {
        let mut status = self.elector.status();
        loop {
            let mut campaign = pin!(self.elector.campaign(&self.shutdown));
            // A candidate that follows nobody may not have had an answer yet.
            let answered = |status: &Status| {
                matches!(status, Status::Leading { .. } | Status::Following { leader: Some(_) })
            };
            let campaigned = tokio::select! {
                biased;
                campaigned = &mut campaign => campaigned,
                _ = status.wait_for(answered) => return campaign.await,
            };
            if !campaigned.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout) {
                return campaigned;
            }
        }
    }

    /// Acts for as long as it may: that it is asked to stop at the renew deadline is not heard.
    async fn work(&self, lead: &Leadership) {
        let token = lead.token().number();
        self.election.began(&self.name, token);
        loop {
            // The clock first: a pause between the two cannot count what was not allowed.
            let at = self.election.now();
            if !lead.is_current() {
                break;
            }
            self.election.worked(at, &self.name, token);
            tokio::select! {
                () = lead.ended() => break,
                () = self.resign.notified() => break,
                () = self.shutdown.cancelled() => break,
                () = time::sleep(STEP) => {}
            }
        }
        self.election.stopped(&self.name, token);
    }
}
