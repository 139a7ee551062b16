use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leasehold::{Error, Leading};
use leasehold_bench::{Voice, monotonic};
use serde_json::json;
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// The work of a contender: to ask, again and again, whether it may work.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    voice: Arc<Voice>,
    every: Duration,
    shutdown: CancellationToken,
    /// The present term was told to step down.
    resigning: Arc<AtomicBool>,
}

impl Work {
    pub(crate) fn new(voice: Arc<Voice>, every: Duration, shutdown: CancellationToken) -> Self {
        Self { voice, every, shutdown, resigning: Arc::default() }
    }

    /// The present term is about to be told to step down.
    pub(crate) fn resign(&self) {
        self.resigning.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn lead(self, lead: Leading) -> Result<(), Error> {
        self.resigning.store(false, Ordering::Relaxed);
        self.voice.say("start", json!({"token": lead.token().number()}));
        let every = self.every;
        let mut shift = Shift { work: self, lead, last: None };
        let mut ticks = time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let lead = shift.lead.clone();
        let stopping = lead.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                biased;
                () = &mut stopping => return Ok(()),
                _ = ticks.tick() => shift.work_once(),
            }
        }
    }
}

/// The work of one term. However it ends, also by being dropped, its end is told.
struct Shift {
    work: Work,
    lead: Leading,
    last: Option<u64>,
}

impl Shift {
    fn work_once(&mut self) {
        // In this order a freeze between the two can never count work that was not allowed.
        let now = monotonic();
        if self.lead.is_current() {
            self.last = Some(now);
        }
    }

    fn why(&self) -> &'static str {
        match self.lead.end() {
            Some(end) => end.as_str(),
            None if self.work.shutdown.is_cancelled() => "resigned",
            None if self.work.resigning.load(Ordering::Relaxed) => "resigned",
            // Asked to stop, by nobody: no renewal came through before the deadline.
            None => "lapsed",
        }
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        let (token, last, why) = (self.lead.token().number(), self.last, self.why());
        self.work.voice.say("stop", json!({"token": token, "last": last, "why": why}));
    }
}
