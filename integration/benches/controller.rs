//! How long does it take from a fault of the leader to the first reconciliation by the next one, with a
//! warm cache and with a cold one?
//!
//! Method: three copies of the example `controller`, processes of their own, and ten thousand objects of
//! which all is made that was wanted. The leader is killed, or told to end; as soon as it is gone something
//! is wanted of one object, while nobody leads or just after. The clock runs from the signal to the
//! moment at which the next leader says that it has made it. Cold and warm take turns. Over a directory, and
//! with the feature `kubernetes` on a kube-apiserver, for ConfigMaps: there the lease takes one second to
//! lapse, which is in what a kill takes; over a directory the death is proven.
//!
//! What it does not say: what a reconciliation takes that has more to do than to write one object.
//!
//! `cargo bench -p leasehold-integration --features controller --bench controller`, or with the number
//! of rounds: `-- 50`.

#![allow(clippy::unwrap_used, reason = "a bench may fail anywhere")]

#[path = "../tests/controller/objects.rs"]
mod objects;

use std::{env, ffi::OsStr};

use leasehold::FencingToken;
use leasehold_bench::{Distribution, Machine};
use leasehold_integration::{Fleet, Replica, now};
use objects::{Objects, name};
use rustix::process::Signal;

const OBJECTS: usize = 10_000;

/// Three copies that start in one way.
struct Copies {
    start: &'static str,
    url: String,
    objects: Objects,
    fleet: Fleet,
    copies: Vec<Replica>,
    token: FencingToken,
}

impl Copies {
    async fn new(start: &'static str, url: String, objects: Objects) -> Self {
        objects.create(OBJECTS, "old").await;
        let (fleet, copies) = (objects.fleet(), Vec::new());
        let mut all = Self { start, url, objects, fleet, copies, token: FencingToken::ZERO };
        for _ in 0..3 {
            let copy = all.another().await;
            all.copies.push(copy);
        }
        all.token = all.fleet.term_after(FencingToken::ZERO).await.1;
        all
    }

    async fn another(&self) -> Replica {
        let place = self.objects.place();
        let arguments: [&OsStr; 3] = [self.url.as_ref(), &place, self.start.as_ref()];
        let copy = self.fleet.start_with(arguments).await;
        if self.start == "warm" {
            self.fleet.until(&copy, "warm").await;
        }
        copy
    }

    /// One fault, and the nanoseconds until the next leader's first reconciliation.
    async fn round(&mut self, signal: Signal, round: usize) -> i64 {
        let lines = self.fleet.lines();
        let starts = lines.iter().find(|line| line.started() == Some(self.token)).unwrap();
        let at = self.copies.iter().position(|copy| copy.name == starts.name).unwrap();
        let struck = now();
        self.copies[at].signal(signal);
        self.copies[at].ended().await;
        let wanted = format!("{signal:?}-{round}");
        self.objects.want(round, &wanted).await;
        let prefix = format!("reconciled {} {wanted} ", name(round));
        let line = self.fleet.line(&prefix, |line| line.text.starts_with(&prefix)).await;
        assert_eq!(self.objects.made(round).await.0, wanted);
        self.token = self.fleet.term_after(self.token).await.1;
        self.copies[at] = self.another().await;
        (line.at - struck).cast_signed()
    }
}

#[tokio::main]
async fn main() {
    let rounds = env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(30);
    println!("{OBJECTS} objects, from the fault to the next leader's first reconciliation, in ms");
    println!("{}", Machine::here().describe());
    println!(
        "{:<10} {:<9} {:<5} {:>4} {:>9} {:>9} {:>9}",
        "", "leader", "cache", "n", "p50", "p90", "max"
    );

    let directory = tempfile::tempdir().unwrap();
    let on_files = ["warm", "cold"].map(|start| {
        let url = format!("file://{}/{start}", directory.path().display());
        (url, Objects::Directory(directory.path().join(format!("{start}-objects"))))
    });
    measure("directory", rounds, on_files).await;

    #[cfg(feature = "kubernetes")]
    {
        use leasehold_testkit::kubernetes::Apiserver;
        use objects::config_maps::ConfigMaps;

        let server = tokio::task::block_in_place(Apiserver::shared);
        let (one, other) = (server.new_namespace(), server.new_namespace());
        let config_maps = [
            (one.url("controller"), Objects::ConfigMaps(ConfigMaps::of(&one).await)),
            (other.url("controller"), Objects::ConfigMaps(ConfigMaps::of(&other).await)),
        ];
        measure("kubernetes", rounds, config_maps).await;
    }
}

async fn measure(store: &str, rounds: usize, [warm, cold]: [(String, Objects); 2]) {
    let mut fleets =
        [Copies::new("warm", warm.0, warm.1).await, Copies::new("cold", cold.0, cold.1).await];
    for (leader, signal) in [("killed", Signal::KILL), ("told", Signal::TERM)] {
        let mut taken = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for (fleet, taken) in fleets.iter_mut().zip(&mut taken) {
                taken.push(fleet.round(signal, round).await);
            }
        }
        for (fleet, taken) in fleets.iter().zip(taken) {
            let taken: Distribution = taken.into_iter().collect();
            let [p50, p90, max] = [taken.p50(), taken.p90(), taken.max()]
                .map(|nanos| nanos.unwrap_or_default() as f64 / 1e6);
            println!(
                "{store:<10} {leader:<9} {:<5} {:>4} {p50:>9.1} {p90:>9.1} {max:>9.1}",
                fleet.start,
                taken.n()
            );
        }
    }
}
