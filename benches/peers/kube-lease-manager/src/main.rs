//! A peer: what a careful user of kube-lease-manager writes with its `LeaseManager`, in the shape of
//! the contender. It corrects nothing that the crate does.
//!
//! By its "fully automated way": `watch` keeps the lease, and a channel says whether it is held. The
//! work goes on for as long as the channel says so. To resign, the channel is closed, and the crate
//! releases; the next campaign has a manager of its own. Its durations are whole seconds, and at least
//! 2 s, of which the last is the grace: within it the lease is renewed.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use clap::Parser;
use kube::{
    Client, Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use kube_lease_manager::LeaseManagerBuilder;
use leasehold_bench_shape::{
    Announce, ContenderOptions, Durations, KubernetesUrl, Order, Orders, Shift, Voice,
};
use serde_json::json;
use tokio::time;

/// Campaigns with kube-lease-manager, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

struct Candidate {
    options: ContenderOptions,
    place: KubernetesUrl,
    client: Client,
    voice: Arc<Voice>,
    announce: Announce,
    identity: String,
    /// In seconds.
    duration: u64,
    grace: u64,
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
    let (duration, grace) = whole_seconds(options.timing);
    let valid = Duration::from_secs(duration);
    let announce = Announce::new(options.trace.then(|| voice.clone()), valid);
    let kubeconfig = Kubeconfig::read_from(&place.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = ClientBuilder::try_from(config)?.with_layer(&announce).build();
    let identity = format!("{}-{}", options.id, std::process::id());
    let candidate =
        Candidate { options, place, client, voice, announce, identity, duration, grace };
    candidate.voice.say("ready", json!({}));
    loop {
        let retry = candidate.options.timing.retry;
        let aside = match candidate.campaign(&mut orders).await {
            Ok(Order::Exit) => break,
            // Standbys look when the lease would have expired, or a second after.
            Ok(Order::StepDown) => valid + Duration::from_secs(2),
            Err(error) => {
                eprintln!("it campaigns again: {error:#}");
                retry
            }
        };
        if time::timeout(aside, orders.exit()).await.is_ok() {
            break;
        }
    }
    candidate.voice.say("exit", json!({}));
    Ok(())
}

/// How long the lease is, and how long before its end it is renewed.
fn whole_seconds(timing: Durations) -> (u64, u64) {
    let duration = (timing.lease.as_millis().div_ceil(1000) as u64).max(2);
    let grace = Duration::from_secs(duration).saturating_sub(timing.retry).as_secs();
    (duration, grace.clamp(1, duration - 1))
}

impl Candidate {
    async fn campaign(&self, orders: &mut Orders) -> anyhow::Result<Order> {
        self.announce.hush(false);
        let manager = LeaseManagerBuilder::new(self.client.clone(), &self.place.name)
            .with_namespace(&self.place.namespace)
            .with_identity(&self.identity)
            .with_duration(self.duration)
            .with_grace(self.grace)
            .build()
            .await?;
        let (mut leads, task) = manager.watch().await;
        let order = loop {
            tokio::select! {
                won = leads.wait_for(|leads| *leads) => drop(won.context("its task has ended")?),
                () = orders.exit() => break Order::Exit,
            }
            let mut shift = Shift::start(&self.voice, None);
            let may = || *leads.borrow();
            if let Some(order) = shift.until(self.options.work_every, may, orders.next()).await {
                shift.because("resigned");
                break order;
            }
        };
        self.announce.hush(true);
        // It releases, where it has anything to release.
        drop(leads);
        let released = time::timeout(self.options.timing.lease, task).await;
        if let Ok(Ok(Err(error))) = released {
            eprintln!("it did not release: {error}");
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durations_are_the_nearest_that_the_crate_takes() {
        for (timing, expected) in [
            ("1s/700ms/150ms", (2, 1)),
            ("3s/2s/500ms", (3, 2)),
            ("15s/10s/2s", (15, 13)),
            ("30s/25s/25s", (30, 5)),
        ] {
            assert_eq!(whole_seconds(timing.parse().unwrap()), expected, "{timing}");
        }
    }
}
