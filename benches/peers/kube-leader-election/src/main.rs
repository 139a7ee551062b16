//! A peer: what a careful user of kube-leader-election writes with its `LeaseLock`, in the shape of the
//! contender. It corrects nothing that the crate does.
//!
//! The crate has one call, that acquires or renews, and leaves the rest to its user. A careful one
//! calls it every retry interval, waits for no answer longer than the renew deadline, and counts that
//! deadline by a timer of his own from before the call that succeeded last: then the work ends, also
//! where the crate does not answer. (The crate's own example has no such timer.) Who has stepped down
//! stands aside for the second for which the crate leaves the lease to nobody, and another look.

use std::{sync::Arc, time::Duration};

use clap::Parser;
use kube::{
    Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use kube_leader_election::{LeaseLock, LeaseLockParams, LeaseLockResult};
use leasehold_bench_shape::{
    Announce, ContenderOptions, Durations, KubernetesUrl, Order, Orders, Shift, Voice, monotonic,
};
use serde_json::json;
use tokio::{sync::watch, time};

/// Campaigns with kube-leader-election, works while it leads, and says what happens to it.
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
    let announce = Announce::new(options.trace.then(|| voice.clone()), timing.deadline);
    let kubeconfig = Kubeconfig::read_from(&place.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = ClientBuilder::try_from(config)?.with_layer(&announce).build();
    let params = LeaseLockParams {
        holder_id: format!("{}-{}", options.id, std::process::id()),
        lease_name: place.name.clone(),
        lease_ttl: timing.lease,
    };
    let lock = LeaseLock::new(client, &place.namespace, params);
    voice.say("ready", json!({}));
    while let Order::StepDown = campaign(&lock, &voice, &options, &mut orders).await {
        announce.hush(true);
        if let Err(error) = lock.step_down().await {
            eprintln!("it could not step down: {error}");
        }
        let aside = Duration::from_secs(1) + timing.retry * 2;
        if time::timeout(aside, orders.exit()).await.is_ok() {
            voice.say("exit", json!({}));
            return Ok(());
        }
        announce.hush(false);
    }
    announce.hush(true);
    // Who does not lead is told so, and that is all.
    if let Ok(Err(error)) = time::timeout(timing.deadline, lock.step_down()).await {
        eprintln!("it has nothing to give back: {error}");
    }
    voice.say("exit", json!({}));
    Ok(())
}

/// Campaigns, and works while it leads, until an order ends a term, or all.
async fn campaign(
    lock: &LeaseLock,
    voice: &Arc<Voice>,
    options: &ContenderOptions,
    orders: &mut Orders,
) -> Order {
    // Until when it may work; 0 if it does not lead.
    let (tell, mut until) = watch::channel(0);
    let keeping = keep(lock, options.timing, tell);
    let leading = async {
        loop {
            tokio::select! {
                won = until.wait_for(|until| *until > monotonic()) => drop(won),
                () = orders.exit() => return Order::Exit,
            }
            let mut shift = Shift::start(voice, None);
            let may = || *until.borrow() > monotonic();
            if let Some(order) = shift.until(options.work_every, may, orders.next()).await {
                shift.because("resigned");
                return order;
            }
            if *until.borrow() > 0 {
                shift.because("lapsed");
            }
        }
    };
    tokio::select! {
        order = leading => order,
        () = keeping => Order::Exit,
    }
}

/// Acquires and renews, for ever.
async fn keep(lock: &LeaseLock, timing: Durations, tell: watch::Sender<u64>) {
    loop {
        let sent = monotonic();
        match time::timeout(timing.deadline, lock.try_acquire_or_renew()).await {
            Ok(Ok(LeaseLockResult::Acquired(_))) => {
                tell.send_replace(sent + timing.deadline.as_nanos() as u64);
            }
            Ok(Ok(LeaseLockResult::NotAcquired(_))) => {
                tell.send_replace(0);
            }
            Ok(Err(error)) => eprintln!("it tries again: {error}"),
            Err(_) => eprintln!("it tries again: no answer within {:?}", timing.deadline),
        }
        time::sleep(timing.retry).await;
    }
}
