//! A run that never was: rows of every kind, drawn at random but always the same.

use std::time::Duration;

use leasehold_bench::{
    Distribution, Durations, Fault, Lease, Machine, Measured, Outcome, Overlap, Round, Row,
    Settings, Subject, Term,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Of one program on one store: how long its steps take, in milliseconds.
struct Kind {
    store: &'static str,
    program: &'static str,
    is_peer: bool,
    handover: f64,
    excess: f64,
    /// A crash is proven, and needs no waiting.
    proves_death: bool,
    /// One round in so many has two at work at once, for about so long, after these faults.
    overlaps: Option<(usize, f64, &'static [Fault])>,
}

const FLOOR_MS: [(&str, f64); 4] =
    [("file", 0.5), ("redis", 0.4), ("etcd", 2.6), ("kubernetes", 3.9)];

const fn ours(store: &'static str, handover: f64, excess: f64) -> Kind {
    Kind { is_peer: false, ..peer(store, "leasehold", handover, excess) }
}

const fn peer(store: &'static str, program: &'static str, handover: f64, excess: f64) -> Kind {
    Kind { store, program, is_peer: true, handover, excess, proves_death: false, overlaps: None }
}

fn kinds() -> Vec<Kind> {
    vec![
        Kind { proves_death: true, ..ours("file", 1.9, 2.2) },
        ours("redis", 0.9, 2.1),
        peer("redis", "rslock", 160.0, 190.0),
        ours("etcd", 3.7, 5.9),
        peer("etcd", "etcd-recipe", 3.1, 1390.0),
        ours("kubernetes", 6.0, 7.5),
        Kind {
            overlaps: Some((3, 600.0, &[Fault::Freeze, Fault::Partition])),
            ..peer("kubernetes", "client-go-release", 250.0, 230.0)
        },
        peer("kubernetes", "client-go", 1150.0, 220.0),
        Kind {
            overlaps: Some((9, 5.0, &[Fault::Resign])),
            ..peer("kubernetes", "kube-leader-election", 400.0, 700.0)
        },
    ]
}

/// All rows, with peers at their defaults, and ours of 15 s.
pub(crate) fn outcome() -> Outcome {
    let (short, long) = ("1s/700ms/150ms", "15s/10s/2s");
    let mut rows = Vec::new();
    for kind in kinds() {
        for fault in Fault::ALL {
            let cut = matches!(fault, Fault::PartitionReplies | Fault::PartitionRequests);
            if (fault == Fault::Partition || cut) && kind.store == "file" || cut && kind.is_peer {
                continue;
            }
            let rounds = if kind.is_peer { 30 } else { 120 };
            rows.push(row(&kind, fault, short, "equal", rounds));
            let settings = if kind.is_peer { "defaults" } else { "equal" };
            if fault == Fault::Crash || fault == Fault::Resign {
                rows.push(row(&kind, fault, long, settings, 5));
            }
        }
    }
    run(rows)
}

/// One in which we fail: two at work at once, and a goal that is missed.
pub(crate) fn failure() -> Outcome {
    let kind = Kind { overlaps: Some((2, 40.0, &[Fault::Crash])), ..ours("redis", 9.0, 2.0) };
    let faults = [Fault::Resign, Fault::Crash];
    run(faults.map(|fault| row(&kind, fault, "1s/700ms/150ms", "equal", 12)).into())
}

fn run(rows: Vec<Row>) -> Outcome {
    let stores = FLOOR_MS.iter().filter(|(store, _)| rows.iter().any(|row| row.store == *store));
    let described =
        |(store, _): &(&str, f64)| Measured::named(store, &format!("a {store} of the sample"));
    Outcome {
        date: "2026-11-23T12:00:00Z".into(),
        took_s: 3321.0,
        busy: Some(0.09),
        interrupted: false,
        machine: Machine::here(),
        settings: Settings {
            rounds: 120,
            peer_rounds: 30,
            contenders: 3,
            timings: vec!["1s/700ms/150ms".parse().unwrap(), "15s/10s/2s".parse().unwrap()],
            seed: 7,
        },
        stores: stores.map(described).collect(),
        rows,
        warnings: vec!["kubernetes: no kubert: it does not build: <error> & so on".into()],
    }
}

fn row(kind: &Kind, fault: Fault, timing: &str, settings: &str, rounds: usize) -> Row {
    let rng = &mut rng(&[kind.store, kind.program, fault.as_str(), timing]);
    let timing: Durations = timing.parse().unwrap();
    let &(_, floor) = FLOOR_MS.iter().find(|(store, _)| *store == kind.store).unwrap();
    let floor: Distribution = (0..120).map(|_| nanos(floor * spread(rng))).collect();
    let subject = Subject {
        store: kind.store.into(),
        program: kind.program.into(),
        is_peer: kind.is_peer,
        settings: settings.into(),
        fault,
        timing,
    };
    let mut lease = lease(kind, fault, timing.lease, rounds, rng);
    if kind.is_peer {
        lease.terms.iter_mut().for_each(|term| term.token = None);
    }
    let mut row = Row::new(subject, Some(floor), vec![lease]);
    row.requests_per_second = (kind.store != "file").then_some(3.0 / timing.retry.as_secs_f64());
    row
}

fn lease(kind: &Kind, fault: Fault, duration: Duration, rounds: usize, rng: &mut StdRng) -> Lease {
    let given_back = matches!(fault, Fault::Resign | Fault::StepDown);
    let duration = duration.as_nanos() as i64;
    let mut lease = Lease { name: "sample".into(), planned: rounds, ..Lease::default() };
    let mut now = 1_000_000_000i64;
    for number in 0..rounds {
        let sent = now + 2 * duration;
        let fault_at = sent + rng.random_range(0..duration / 7);
        let excess = nanos(kind.excess * spread(rng));
        let waited = sent + duration + excess;
        let start = match fault {
            _ if given_back => fault_at + nanos(kind.handover * spread(rng)),
            Fault::Crash if kind.proves_death => fault_at + nanos(kind.handover * spread(rng)),
            _ => waited,
        };
        let overlap = match kind.overlaps {
            Some((each, ms, faults)) if faults.contains(&fault) && number % each == 1 => {
                nanos(ms * spread(rng))
            }
            _ => 0,
        };
        let last = if overlap > 0 { start + overlap } else { fault_at.min(start) };
        let who = number % 3;
        lease.terms.push(Term {
            who,
            token: Some(number as u64 + 1),
            start: now as u64,
            last: Some(last as u64),
            end: Some(last as u64),
            why: Some(if given_back { "resigned" } else { "lapsed" }.into()),
            sendings: vec![sent as u64],
            until: None,
        });
        if overlap > 0 {
            let later = Some(number as u64 + 2);
            lease.overlaps.push(Overlap {
                earlier: Some(number as u64 + 1),
                later,
                nanos: overlap as u64,
            });
        }
        lease.rounds.push(Round {
            fault_at: fault_at as u64,
            leader: who,
            token: Some(number as u64 + 1),
            successor: (who + 1) % 3,
            next_token: Some(number as u64 + 2),
            start: start as u64,
            failover: start - fault_at,
            excess: Some(start - sent - duration),
            overlap: overlap as u64,
            woken_stop: None,
            stopped_before: None,
        });
        now = start;
    }
    lease
}

/// Of its own for each row: a fault more changes no other.
fn rng(of: &[&str]) -> StdRng {
    let seed = of
        .concat()
        .bytes()
        .fold(7u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    StdRng::seed_from_u64(seed)
}

/// Most are about 1, and a few are far above.
fn spread(rng: &mut StdRng) -> f64 {
    let even: f64 = rng.random_range(0.7..1.5);
    if rng.random_range(0..40) == 0 { even * 4.0 } else { even }
}

fn nanos(ms: f64) -> i64 {
    (ms * 1e6) as i64
}
