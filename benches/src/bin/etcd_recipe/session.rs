use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use etcd_client::{Client, Error, LeaseKeepAliveStream, LeaseKeeper};
use leasehold_bench::{Durations, Voice, monotonic};
use serde_json::json;
use tokio::time::{self, MissedTickBehavior};

use crate::place::within;

/// An etcd lease, and the stream that keeps it alive.
pub(crate) struct Session {
    client: Client,
    lease: i64,
    granted: Duration,
    every: Duration,
    validity: Validity,
    trace: Trace,
    stream: (LeaseKeeper, LeaseKeepAliveStream),
}

/// Tells of its requests, where it is to.
#[derive(Clone, Debug)]
pub(crate) struct Trace(pub(crate) Option<Arc<Voice>>);

/// Until when a lease is there for certain, on the clock of this host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validity(Arc<AtomicU64>);

impl Validity {
    pub(crate) fn holds(&self) -> bool {
        !self.left().is_zero()
    }

    fn left(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed).saturating_sub(monotonic()))
    }

    /// Ends when the lease has, unless it was prolonged.
    async fn lapse(&self) {
        while self.holds() {
            time::sleep(self.left()).await;
        }
    }

    /// From when the request left, not from its answer: the server may have counted since.
    fn confirm(&self, sent: u64, granted: Duration, trace: &Trace) {
        let until = sent + granted.as_nanos() as u64;
        self.0.store(until, Ordering::Relaxed);
        if let Some(voice) = &trace.0 {
            voice.say("renewed", json!({"sent": sent, "until": until}));
        }
    }
}

impl Session {
    /// Asks for a lease, in whole seconds; the server may grant a longer one.
    pub(crate) async fn open(client: &Client, timing: Durations, trace: &Trace) -> Result<Self> {
        let seconds = timing.lease.as_millis().div_ceil(1000);
        let granted = within(client.lease_client().grant(i64::try_from(seconds)?, None)).await?;
        let (lease, validity) = (granted.id(), Validity::default());
        let granted = Duration::from_secs(granted.ttl().unsigned_abs());
        let sent = trace.sending();
        let stream = within(client.lease_client().keep_alive(lease)).await?;
        validity.confirm(sent, granted, trace);
        let (client, trace) = (client.clone(), trace.clone());
        Ok(Self { client, lease, granted, every: timing.retry, validity, trace, stream })
    }

    pub(crate) fn lease(&self) -> i64 {
        self.lease
    }

    pub(crate) fn validity(&self) -> Validity {
        self.validity.clone()
    }

    /// Keeps the lease alive until it is gone: `lost`, for the server said so, or `lapsed`.
    pub(crate) async fn keep(&mut self) -> &'static str {
        let validity = self.validity();
        tokio::select! {
            biased;
            () = validity.lapse() => "lapsed",
            () = self.renew() => "lost",
        }
    }

    async fn renew(&mut self) {
        loop {
            let Err(error) = self.renew_by_one_stream().await else { return };
            eprintln!("another stream is opened: {error:#}");
            // A stream belongs to one member; another may answer.
            let sent = self.trace.sending();
            match within(self.client.lease_client().keep_alive(self.lease)).await {
                Ok(stream) => {
                    self.stream = stream;
                    self.validity.confirm(sent, self.granted, &self.trace);
                }
                Err(error) => match error.downcast_ref::<Error>() {
                    Some(Error::LeaseKeepAliveError(why)) if why == "lease not found" => return,
                    _ => time::sleep(self.every).await,
                },
            }
        }
    }

    /// Ends when the server says that the lease is gone.
    async fn renew_by_one_stream(&mut self) -> Result<()> {
        let (keeper, replies) = &mut self.stream;
        let mut ticks = time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            ticks.tick().await;
            let sent = self.trace.sending();
            keeper.keep_alive().await?;
            let reply = time::timeout(self.granted / 3, replies.message()).await;
            let Some(reply) = reply.context("no answer")?? else { bail!("the stream ended") };
            if reply.ttl() <= 0 {
                return Ok(());
            }
            let granted = Duration::from_secs(reply.ttl().unsigned_abs());
            self.validity.confirm(sent, granted, &self.trace);
        }
    }
}

impl Trace {
    /// A request is about to leave.
    fn sending(&self) -> u64 {
        let now = monotonic();
        if let Some(voice) = &self.0 {
            voice.say_at(now, "sending", json!({}));
        }
        now
    }
}
