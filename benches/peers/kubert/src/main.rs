//! A peer: what a careful user of kubert writes with its `LeaseManager`, in the shape of the contender.
//! It corrects nothing that the crate does.
//!
//! A task keeps the lease and publishes who has claimed it, and until when by the wall clock; the work
//! goes on for as long as that claim is one's own and current. The grace period before a claim's end
//! in which it is renewed is what is left of a lease after the retry interval. To resign, the receiver
//! is dropped, and the task vacates. The Lease has to be there before: whoever comes first makes it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use clap::Parser;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube_client::{
    Api, Config,
    api::PostParams,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use kubert::lease::{ClaimParams, LeaseManager};
use leasehold_bench_shape::{
    Announce, ContenderOptions, KubernetesUrl, Order, Orders, Shift, Voice,
};
use serde_json::json;
use tokio::time;

/// Campaigns with kubert, works while it leads, and says what happens to it.
#[derive(Parser)]
struct Options {
    #[command(flatten)]
    contender: ContenderOptions,
}

struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    params: ClaimParams,
    work_every: Duration,
    voice: Arc<Voice>,
    announce: Announce,
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
    let announce = Announce::new(options.trace.then(|| voice.clone()), timing.lease);
    let kubeconfig = Kubeconfig::read_from(&place.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = ClientBuilder::try_from(config)?.with_layer(&announce).build();
    let candidate = Candidate {
        api: Api::namespaced(client, &place.namespace),
        name: place.name,
        identity: format!("{}-{}", options.id, std::process::id()),
        params: ClaimParams {
            lease_duration: timing.lease,
            renew_grace_period: timing.lease.saturating_sub(timing.retry),
        },
        work_every: options.work_every,
        voice,
        announce,
    };
    candidate.make().await?;
    candidate.voice.say("ready", json!({}));
    loop {
        let aside = match candidate.campaign(&mut orders).await {
            Ok(Order::Exit) => break,
            // Standbys look when the claim would have expired.
            Ok(Order::StepDown) => timing.lease + timing.retry,
            Err(error) => {
                eprintln!("it campaigns again: {error:#}");
                timing.retry
            }
        };
        if time::timeout(aside, orders.exit()).await.is_ok() {
            break;
        }
    }
    candidate.voice.say("exit", json!({}));
    Ok(())
}

impl Candidate {
    /// Makes the Lease, unless it is there.
    async fn make(&self) -> anyhow::Result<()> {
        self.announce.hush(true);
        let mut lease = Lease { spec: Some(LeaseSpec::default()), ..Lease::default() };
        lease.metadata.name = Some(self.name.clone());
        match self.api.create(&PostParams::default(), &lease).await {
            Err(kube_client::Error::Api(answer)) if answer.code == 409 => Ok(()),
            made => made.map(drop).context("the Lease cannot be made"),
        }
    }

    async fn campaign(&self, orders: &mut Orders) -> anyhow::Result<Order> {
        self.announce.hush(false);
        let manager = LeaseManager::init(self.api.clone(), &self.name).await?;
        let (mut claim, task) = manager.spawn(&self.identity, self.params.clone()).await?;
        let order = loop {
            let won = claim.wait_for(|claim| claim.is_current_for(&self.identity));
            tokio::select! {
                won = won => drop(won.context("its task has ended")?),
                () = orders.exit() => break Order::Exit,
            }
            let mut shift = Shift::start(&self.voice, None);
            let may = || claim.borrow().is_current_for(&self.identity);
            if let Some(order) = shift.until(self.work_every, may, orders.next()).await {
                shift.because("resigned");
                break order;
            }
            if claim.borrow().holder == self.identity {
                shift.because("lapsed");
            }
        };
        self.announce.hush(true);
        // It vacates, where there is anything to vacate.
        drop(claim);
        if let Ok(Ok(Err(error))) = time::timeout(self.params.lease_duration, task).await {
            eprintln!("it did not vacate: {error}");
        }
        Ok(order)
    }
}
