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
mod orders;
mod place;
mod session;
mod voice;

use std::time::Duration;

use clap::Parser;
use leasehold_bench::{Durations, monotonic};
use serde_json::json;
use tokio::time::{self, MissedTickBehavior};

use self::{
    orders::{Order, Orders},
    place::Place,
    session::Session,
    voice::Voice,
};

/// Campaigns with an etcd lease, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    /// The election: etcd://host:port[,host:port…]/NAME
    #[arg(long)]
    url: String,
    /// What this candidate is called
    #[arg(long)]
    id: String,
    /// LEASE/DEADLINE/RETRY, such as 5s/4s/500ms
    #[arg(long)]
    timing: Durations,
    /// How often the work asks whether it may go on
    #[arg(long, default_value = "1ms", value_parser = humantime::parse_duration)]
    work_every: Duration,
    /// Also tell of each request that keeps the lease alive
    #[arg(long)]
    trace: bool,
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

async fn run(options: Options) -> anyhow::Result<()> {
    let voice = Voice::new(&options.id, options.trace);
    let mut orders = Orders::listen()?;
    let place = Place::connect(&options.url).await?;
    voice.say("ready", json!({}));
    loop {
        // Its first request may take as long as it may: nobody believes in anything yet.
        let opened = tokio::select! {
            opened = Session::open(&place.client, options.timing, &voice) => opened,
            () = orders.exit() => break,
        };
        let term = match opened {
            Ok(mut session) => campaign(&mut session, &place, &options, &voice, &mut orders).await,
            Err(error) => Err(error),
        };
        match term {
            Ok(Some(Order::Exit)) => break,
            Ok(_) => {}
            Err(error) => {
                eprintln!("it campaigns again: {error:#}");
                time::sleep(options.timing.retry).await;
            }
        }
    }
    voice.say("exit", json!({}));
    Ok(())
}

/// One campaign, and the term that it wins: until it is lost, or an order ends it.
async fn campaign(
    session: &mut Session,
    place: &Place,
    options: &Options,
    voice: &Voice,
    orders: &mut Orders,
) -> anyhow::Result<Option<Order>> {
    let (validity, lease) = (session.validity(), session.lease());
    let keeping = session.keep(voice);
    tokio::pin!(keeping);
    let revision = tokio::select! {
        revision = election::won(place, lease, &options.id) => revision?,
        why = &mut keeping => anyhow::bail!("the lease was {why} before it led"),
        () = orders.exit() => {
            place.revoke(lease).await;
            return Ok(Some(Order::Exit));
        }
    };

    voice.say("start", json!({"token": revision}));
    let mut last = None;
    let mut ticks = time::interval(options.work_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (why, order) = loop {
        tokio::select! {
            biased;
            why = &mut keeping => break (why, None),
            order = orders.next() => break ("resigned", Some(order)),
            _ = ticks.tick() => {
                // In this order a freeze between the two can never count work that was not allowed.
                let now = monotonic();
                if validity.holds() {
                    last = Some(now);
                }
            }
        }
    };
    voice.say("stop", json!({"token": revision, "last": last, "why": why}));
    place.revoke(lease).await;
    Ok(order)
}
