//! A peer: what one writes with an etcd client and an etcd lease, as etcd's own
//! `concurrency.Election` does, in the shape of the contender.
//!
//! Each candidate has a lease that it keeps alive, and a key on it below the election's name. Who
//! has the oldest key leads; the others wait, each for the deletion of the key before its own. To
//! resign is to revoke the lease, and to be gone is to let it expire.
//!
//! In its best form: validity is counted from when the request left that was confirmed last, work
//! ends by a timer of one's own, nothing waits for an answer for ever, and a loss is followed by the
//! next campaign. Of `--timing` the lease duration is asked for, in whole seconds (the server grants
//! no less than one and a half times the time in which its members elect: 2 s), and the retry
//! interval is that of the keep-alives. There is no renew deadline: one works until the lease ends.

mod election;
mod place;
mod session;

use std::{sync::Arc, time::Duration};

use clap::Parser;
use leasehold_bench::{ContenderOptions, Order, Orders, Voice, monotonic};
use serde_json::json;
use tokio::time::{self, MissedTickBehavior};

use self::{
    place::Place,
    session::{Session, Trace},
};

/// Campaigns with an etcd lease, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = run(Options::parse()).await;
    if let Err(error) = &done {
        eprintln!("error: {error:#}");
    }
    // What waits for standard input blocks a thread that nobody can wake.
    std::process::exit(i32::from(done.is_err()));
}

async fn run(Options { contender: options }: Options) -> anyhow::Result<()> {
    let mut orders = Orders::listen()?;
    let candidate = Candidate {
        place: Place::connect(&options.url).await?,
        voice: Arc::new(Voice::new(&options.id)),
        id: options.id,
        work_every: options.work_every,
    };
    let trace = Trace(options.trace.then(|| candidate.voice.clone()));
    candidate.voice.say("ready", json!({}));
    loop {
        // It may take as long as it may: nobody believes in anything yet.
        let opened = tokio::select! {
            opened = Session::open(&candidate.place.client, options.timing, &trace) => opened,
            () = orders.exit() => break,
        };
        let ended = match opened {
            Ok(mut session) => {
                let ended = candidate.campaign(&mut session, &mut orders).await;
                candidate.place.revoke(session.lease()).await;
                ended
            }
            Err(error) => Err(error),
        };
        match ended {
            Ok(Some(Order::Exit)) => break,
            Ok(_) => {}
            Err(error) => {
                eprintln!("it campaigns again: {error:#}");
                time::sleep(options.timing.retry).await;
            }
        }
    }
    candidate.voice.say("exit", json!({}));
    Ok(())
}

struct Candidate {
    place: Place,
    voice: Arc<Voice>,
    id: String,
    work_every: Duration,
}

impl Candidate {
    /// One campaign, and the term that it wins: until it is lost, or an order ends it.
    async fn campaign(
        &self,
        session: &mut Session,
        orders: &mut Orders,
    ) -> anyhow::Result<Option<Order>> {
        let (validity, lease) = (session.validity(), session.lease());
        let keeping = session.keep();
        tokio::pin!(keeping);
        let revision = tokio::select! {
            revision = election::won(&self.place, lease, &self.id) => revision?,
            why = &mut keeping => anyhow::bail!("the lease was {why} before it led"),
            () = orders.exit() => return Ok(Some(Order::Exit)),
        };

        self.voice.say("start", json!({"token": revision}));
        let mut last = None;
        let mut ticks = time::interval(self.work_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (why, order) = loop {
            tokio::select! {
                biased;
                why = &mut keeping => break (why, None),
                order = orders.next() => break ("resigned", Some(order)),
                _ = ticks.tick() => {
                    // In this order a freeze between the two can never count work that was not
                    // allowed.
                    let now = monotonic();
                    if validity.holds() {
                        last = Some(now);
                    }
                }
            }
        };
        self.voice.say("stop", json!({"token": revision, "last": last, "why": why}));
        Ok(order)
    }
}
