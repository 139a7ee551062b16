//! A peer: what a careful user of k8s-controller writes with its `LeaderElection`, in the shape of the
//! contender. It corrects nothing that the crate does.
//!
//! The work is the future that `with_lease` runs and drops: its user is at work for as long as it is
//! polled. A resignation lets it come to its end, whereupon the crate releases; a loss is followed by
//! the next campaign, at once. Who has stepped down stands aside until every standby has looked.

use std::{cell::Cell, sync::Arc, time::Duration};

use clap::Parser;
use k8s_controller::LeaderElection;
use kube::{
    Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use leasehold_bench_shape::{
    Announce, ContenderOptions, KubernetesUrl, Order, Orders, Shift, Voice,
};
use serde_json::json;
use tokio::time;
use tokio_util::sync::CancellationToken;

/// Campaigns with k8s-controller, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = run(Options::parse().contender).await;
    if let Err(error) = &done {
        eprintln!("error: {error:#}");
    }
    // What waits for standard input blocks a thread that nobody can wake.
    std::process::exit(i32::from(done.is_err()));
}

async fn run(options: ContenderOptions) -> anyhow::Result<()> {
    let mut orders = Orders::listen()?;
    let place: KubernetesUrl = options.url.parse()?;
    let voice = Arc::new(Voice::new(&options.id));
    let timing = options.timing;
    // It counts its renew deadline from before a request left.
    let announce = Announce::new(options.trace.then(|| voice.clone()), timing.deadline);
    let kubeconfig = Kubeconfig::read_from(&place.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = ClientBuilder::try_from(config)?.with_layer(&announce).build();
    let identity = format!("{}-{}", options.id, std::process::id());
    let election = LeaderElection::new(client, &place.namespace, &place.name, &identity)
        .with_lease_duration(timing.lease)
        .with_renew_deadline(timing.deadline)
        .with_retry_period(timing.retry);
    voice.say("ready", json!({}));
    loop {
        match campaign(&election, &voice, &announce, options.work_every, &mut orders).await {
            Some(Order::Exit) => break,
            Some(Order::StepDown) => {
                // A standby looks every one to one and a half intervals.
                let aside = timing.retry.mul_f64(1.6);
                if time::timeout(aside, orders.exit()).await.is_ok() {
                    break;
                }
            }
            None => {}
        }
    }
    voice.say("exit", json!({}));
    Ok(())
}

/// One campaign, and the term that it wins: until it is lost, or an order ends it.
async fn campaign(
    election: &LeaderElection,
    voice: &Arc<Voice>,
    announce: &Announce,
    every: Duration,
    orders: &mut Orders,
) -> Option<Order> {
    announce.hush(false);
    let (works, resign) = (Cell::new(false), CancellationToken::new());
    let work = async {
        works.set(true);
        let mut shift = Shift::start(voice, None);
        shift.until(every, || true, resign.cancelled()).await;
        shift.because("resigned");
        announce.hush(true);
    };
    let term = election.with_lease(work);
    tokio::pin!(term);
    loop {
        tokio::select! {
            biased;
            _ = &mut term => return None,
            order = orders.next() => {
                if works.get() {
                    resign.cancel();
                    term.await;
                    return Some(order);
                } else if order == Order::Exit {
                    return Some(order);
                }
            }
        }
    }
}
