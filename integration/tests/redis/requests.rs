//! What an election costs a Redis: one request for each renewal, and nothing for those who wait.

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt;
use leasehold::{Timing, connect};
use leasehold_integration::{Election, within};
use leasehold_testkit::redis::{RedisOptions, RedisServer};

const STANDBYS: u64 = 3;
const RENEWALS: u64 = 20;
/// A candidate looks when it connects, when it begins to campaign, and when its watch has begun.
const LOOKS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_is_one_request_and_a_standby_that_is_told_of_changes_makes_none() {
    let server = RedisOptions::new().own().start().unwrap();
    let url = server.url("jobs");
    // Renewed often, and patient: a busy machine must not look like a store that does not answer.
    let timing =
        Timing::new(Duration::from_secs(15), Duration::from_secs(10), Duration::from_millis(40))
            .unwrap();
    let election = Election::of_a_free_lease(&url, timing).await;
    let mut renewals = connect(&url).await.unwrap().watch();
    let observation = within("a first look", "", renewals.next()).await.unwrap().unwrap();
    assert!(observation.record.unwrap().holder().is_none());
    let before = Calls::of(&server).looks();

    let leader = election.stand("leader", &url).await;
    let token = leader.leads().await;
    let mut standbys = Vec::new();
    for _ in 0..STANDBYS {
        let standby = election.stand("standby", &url).await;
        standby.follows("leader").await;
        standbys.push(standby);
    }
    let mut next = async || {
        let renewal = within("a renewal", "", renewals.next()).await.unwrap().unwrap();
        assert_eq!(renewal.record.unwrap().token, token, "one term all the time");
        Calls::of(&server)
    };
    // Who is told of a change while it looks may look once more.
    let (mut looks, mut quiet) = (0, 0);
    for renewal in 0.. {
        let now = next().await.looks();
        quiet = if now == looks { quiet + 1 } else { 0 };
        looks = now;
        if looks >= before + LOOKS * (1 + STANDBYS) && quiet >= 5 {
            break;
        }
        assert!(renewal < 100, "they do not cease to look: {looks} times, {before} before");
    }

    server.command(&["CONFIG", "RESETSTAT"]);
    loop {
        let calls = next().await;
        let renewed = calls.number("publish");
        for by_each_renewal in ["evalsha", "hmget", "time", "hset"] {
            assert_eq!(calls.number(by_each_renewal), renewed, "{by_each_renewal} in {calls:?}");
        }
        // INFO is also what is asked here, and what each script asks.
        let known = ["config|resetstat", "evalsha", "hmget", "hset", "info", "publish", "time"];
        let others: Vec<_> = calls.0.keys().filter(|name| !known.contains(&&***name)).collect();
        assert!(others.is_empty(), "{others:?} in {calls:?}");
        if renewed >= RENEWALS {
            break;
        }
    }
    leader.end().await;
    for standby in standbys {
        standby.end().await;
    }
}

/// How often each command was called, also by scripts.
#[derive(Debug)]
struct Calls(BTreeMap<String, u64>);

impl Calls {
    fn of(server: &RedisServer) -> Self {
        let statistics = server.text(&["INFO", "commandstats"]);
        let lines = statistics.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let of = |line: &str| {
            let (name, rest) = line.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        };
        Self(
            lines
                .map(|line| of(line).unwrap_or_else(|| panic!("not understood: {line}")))
                .collect(),
        )
    }

    fn number(&self, command: &str) -> u64 {
        self.0.get(command).copied().unwrap_or_default()
    }

    /// How often the lease was read without being written.
    fn looks(&self) -> u64 {
        self.number("hmget") - self.number("hset")
    }
}
