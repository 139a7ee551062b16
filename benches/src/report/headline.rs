use serde::Serialize;

use crate::{Fault, Measure, Outcome, Row, Verdict, goal::Margin, table::ms};

/// What is to be known of a run before anything else: all of it of our own program.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Headline {
    overlaps: usize,
    worst_overlap: String,
    /// How many terms were looked through for that.
    terms: String,
    violations: usize,
    goals: Goals,
    /// In per cent, where the processors were too busy for the goals to say much.
    busy: Option<u64>,
    /// The slowest of what is given back, and of what has to be waited out.
    handover: Option<Slowest>,
    waited: Option<Slowest>,
    peers: Vec<Peer>,
}

#[derive(Clone, Debug, Serialize)]
struct Goals {
    /// In limits: a goal may have several.
    judged: usize,
    met: usize,
    /// Of these too little was measured.
    open: usize,
    /// Of each store the one that was the nearest to its limit, or the furthest beyond.
    nearest: Vec<Nearest>,
}

#[derive(Clone, Debug, Serialize)]
struct Nearest {
    store: String,
    what: String,
    /// In per cent of what was allowed.
    used: i64,
    /// That, where it fits into what is drawn.
    drawn: i64,
    measured: String,
    allowed: String,
    kept: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Slowest {
    p50: String,
    store: String,
    fault: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Peer {
    name: String,
    terms: String,
    overlaps: usize,
    worst_overlap: String,
    /// What a reader has to know of it.
    caveat: Option<&'static str>,
}

impl Headline {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let ours = || outcome.ours().filter(|row| row.failover.n() > 0);
        let given_back = |row: &&Row| matches!(row.fault, Fault::Resign | Fault::StepDown);
        Self {
            overlaps: outcome.ours().map(|row| row.overlaps.len()).sum(),
            worst_overlap: ms(worst(outcome.ours())),
            terms: terms(outcome.ours()),
            violations: outcome.violations().len(),
            goals: Goals::of(outcome),
            busy: outcome.too_busy().map(|busy| (busy * 100.0).round() as u64),
            handover: Slowest::of(ours().filter(given_back)),
            waited: Slowest::of(ours().filter(|row| row.measure() == Measure::Excess)),
            peers: Peer::all(outcome),
        }
    }
}

impl Goals {
    fn of(outcome: &Outcome) -> Self {
        let limits =
            || outcome.ours().filter_map(|row| row.verdict.as_ref()).flat_map(Verdict::limits);
        let judged: Vec<_> = outcome.ours().filter_map(|row| Some((row, nearest(row)?))).collect();
        let of_store = |store: &str| {
            let its = judged.iter().filter(|(row, _)| row.store == store);
            its.max_by(|(_, a), (_, b)| a.used().total_cmp(&b.used()))
        };
        let nearest = outcome.stores.iter().filter_map(|store| of_store(&store.name));
        Self {
            judged: limits().flatten().count(),
            met: limits().flatten().filter(|met| *met).count(),
            open: limits().filter(Option::is_none).count(),
            nearest: nearest.map(|(row, margin)| Nearest::of(row, *margin)).collect(),
        }
    }
}

fn nearest(row: &Row) -> Option<Margin> {
    let goal = row.goal?;
    let margins = goal.margins(row.of(goal.measure), row.floor.as_ref());
    margins.max_by(|a, b| a.used().total_cmp(&b.used()))
}

impl Nearest {
    fn of(row: &Row, margin: Margin) -> Self {
        let used = (margin.used() * 100.0).round() as i64;
        Self {
            store: row.store.clone(),
            what: format!("{}, {}", row.fault, margin.quantile.as_str()),
            used,
            drawn: used.clamp(1, 150) * 2 / 3,
            measured: ms(margin.measured),
            allowed: ms(margin.allowed as i64),
            kept: margin.is_kept(),
        }
    }
}

impl Slowest {
    /// The one of the greatest median.
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<Self> {
        let row = rows.max_by_key(|row| row.compared().p50())?;
        let p50 = ms(row.compared().p50()?);
        Some(Self { p50, store: row.store.clone(), fault: row.fault.as_str() })
    }
}

impl Peer {
    /// Of each how many terms there were, and how often two of it were at work at once.
    fn all(outcome: &Outcome) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for row in outcome.peers() {
            if !names.contains(&row.program.as_str()) {
                names.push(&row.program);
            }
        }
        let peer = |name: &str| {
            let rows = || outcome.peers().filter(|row| row.program == name);
            Self {
                name: name.to_owned(),
                terms: terms(rows()),
                overlaps: rows().map(|row| row.overlaps.len()).sum(),
                worst_overlap: ms(worst(rows())),
                caveat: outcome
                    .below_a_second()
                    .find_map(|(_, program, [what, _])| (program.name == name).then_some(what)),
            }
        };
        names.into_iter().map(peer).collect()
    }
}

fn worst<'a>(rows: impl Iterator<Item = &'a Row>) -> i64 {
    rows.map(Row::worst_overlap).max().unwrap_or(0).cast_signed()
}

/// How many terms of these were looked through. Nothing where there were none.
fn terms<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    match rows.map(Row::terms).sum() {
        0 => String::new(),
        1 => "1 term".into(),
        n => format!("{} terms", thousands(n)),
    }
}

/// With a comma where a reader wants one.
fn thousands(n: usize) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", thousands(n / 1000), n % 1000),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        Lease, Machine, Measured, Settings, Subject, Term, program::Program, table::remarks,
    };

    /// Of a peer that does not see what is closer than a second, at this timing.
    fn of_a_peer(timing: &str) -> Outcome {
        let subject = Subject {
            store: "kubernetes".into(),
            program: "other".into(),
            is_peer: true,
            settings: "equal".into(),
            fault: Fault::Crash,
            timing: timing.parse().unwrap(),
        };
        let program = Program {
            name: "other".into(),
            path: "other".into(),
            is_peer: true,
            arguments: &[],
            about: "",
            below_a_second: Some(["in a few words", "in full"]),
            least_lease: Duration::ZERO,
            waits_out: false,
            keeps_lease: false,
            defaults: None,
        };
        let term = Term {
            who: 0,
            token: None,
            start: 1,
            last: None,
            end: None,
            why: None,
            sendings: Vec::new(),
            until: None,
        };
        let lease = Lease { terms: vec![term; 1001], ..Lease::default() };
        Outcome {
            date: String::new(),
            took_s: 1.0,
            busy: Some(0.51),
            interrupted: false,
            machine: Machine::here(),
            settings: Settings {
                rounds: 1,
                peer_rounds: 1,
                contenders: 3,
                timings: Vec::new(),
                seed: 1,
            },
            stores: vec![Measured { programs: vec![program], ..Measured::named("kubernetes", "") }],
            rows: vec![Row::new(subject, None, vec![lease])],
            warnings: Vec::new(),
        }
    }

    #[test]
    fn what_befalls_a_peer_at_short_intervals_stands_beside_it_and_in_the_notes() {
        for (timing, caveat) in [("1s/700ms/150ms", Some("in a few words")), ("15s/10s/2s", None)] {
            let outcome = of_a_peer(timing);
            let headline = Headline::of(&outcome);
            let [peer] = &headline.peers[..] else { panic!("{headline:?}") };
            assert_eq!((peer.caveat, peer.terms.as_str()), (caveat, "1,001 terms"));
            let noted = remarks(&outcome).contains(&"kubernetes: other: in full.".to_owned());
            assert_eq!(noted, caveat.is_some());
            // Of ours there is nothing that could be said never to have happened.
            assert_eq!((headline.terms.as_str(), headline.busy), ("", Some(51)));
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        let written = [0, 999, 1000, 12_034, 1_000_007].map(thousands);
        assert_eq!(written, ["0", "999", "1,000", "12,034", "1,000,007"]);
    }
}
