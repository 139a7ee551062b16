use std::{collections::HashSet, path::PathBuf, time::Duration};

use clap::Parser;

use crate::{Durations, Fault, program::Peer, store::Kind};

/// Measures how fast leadership moves: starts real processes, lets them campaign, injects a fault
/// into the leader, and measures until the successor's work starts.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo bench --bench failover --", max_term_width = 100)]
pub struct Options {
    /// A store that is there. Each fault gets a lease of its own: its name replaces `{}` in the URL,
    /// or is appended to it. Default: stores that are made for this run
    #[arg(long, conflicts_with = "stores")]
    pub url: Option<String>,

    /// The stores that are made for this run, one after the other: `file`, a directory where TMPDIR
    /// says or else in /dev/shm; `redis`, a server; `etcd`, three members; `etcd-single`, one
    /// [default: all that the bench was built with, but `etcd-single`]
    #[arg(long, value_delimiter = ',', value_parser = store)]
    pub stores: Vec<String>,

    /// What is done to the leader, or to the store [default: all that can be done; at a lease above
    /// 5 s resign, crash, freeze and store-restart]
    #[arg(long, value_delimiter = ',')]
    pub faults: Vec<Fault>,

    /// How often each is done, for each timing [default: 100, above 5 s 5, with --quick 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: Option<u32>,

    /// LEASE/DEADLINE/RETRY; several may be given [default: 1s/700ms/150ms,15s/10s/2s, with --quick
    /// the first; and peers' own defaults]
    #[arg(long, value_delimiter = ',')]
    pub timing: Vec<Durations>,

    /// How many processes campaign for each lease
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=64))]
    pub contenders: u32,

    /// Fewer rounds, for a first look
    #[arg(long)]
    pub quick: bool,

    /// A further file for the results; the report has them beside it in any case
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Where the report goes [default: failover in cargo's target directory]
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,

    /// Makes the random instants of the faults the same again
    #[arg(long)]
    pub seed: Option<u64>,

    /// The contender to measure, instead of Leasehold's own
    #[arg(long, value_name = "PROGRAM")]
    pub program: Option<PathBuf>,

    /// What is measured beside Leasehold, in the same run: `all` peers that are known of a store,
    /// `none`, the names of some, or NAME=PROGRAM for one of your own; a folder is built, as a Go
    /// module or as a cargo package
    #[arg(long, value_delimiter = ',', default_value = Peer::ALL, value_parser = Peer::check)]
    pub peers: Vec<String>,

    /// How often each fault is done to a peer, for each timing [default: as ours, at most 30, with
    /// --quick 3]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub peer_rounds: Option<u32>,

    /// How often the store is killed and started again, for each timing [default: as the others, at
    /// most 10, with --quick 2]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub restarts: Option<u32>,

    /// Does not count what the store is asked for
    #[arg(long)]
    pub no_requests: bool,

    /// Does not measure the floor: the bare steps of a handover with no elector
    #[arg(long)]
    pub no_floor: bool,

    /// Cargo says this to every bench
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// Above this a lease takes long to be waited out.
    const LONG: Duration = Duration::from_secs(5);
    const ROUNDS: usize = 100;
    /// Of a peer.
    const PEER_ROUNDS: usize = 30;
    /// Where a lease takes long.
    const LONG_ROUNDS: usize = 5;
    const RESTARTS: usize = 10;

    /// How often each fault is done.
    pub fn rounds(&self) -> usize {
        self.rounds.map_or(if self.quick { 10 } else { Self::ROUNDS }, |rounds| rounds as usize)
    }

    /// How often each fault is done to a peer.
    pub(crate) fn peer_rounds(&self) -> usize {
        let most = if self.quick { 3 } else { Self::PEER_ROUNDS };
        self.peer_rounds.map_or_else(|| self.rounds().min(most), |rounds| rounds as usize)
    }

    /// The timings, each once.
    pub(crate) fn timings(&self) -> Vec<Durations> {
        const USUAL: [&str; 2] = ["1s/700ms/150ms", "15s/10s/2s"];
        let mut timings = self.timing.clone();
        if timings.is_empty() {
            let usual = USUAL.iter().filter_map(|text| text.parse::<Durations>().ok());
            timings.extend(usual.take(if self.quick { 1 } else { 2 }));
        }
        let mut seen = HashSet::new();
        timings.retain(|timing| seen.insert(*timing));
        timings
    }

    /// How often each fault is done at a timing to ours, or to a peer.
    pub(crate) fn rounds_at(&self, timing: Durations, is_peer: bool) -> usize {
        let (asked, rounds) = if is_peer {
            (self.peer_rounds.or(self.rounds), self.peer_rounds())
        } else {
            (self.rounds, self.rounds())
        };
        let is_long = timing.lease > Self::LONG && asked.is_none();
        if is_long { rounds.min(Self::LONG_ROUNDS) } else { rounds }
    }

    /// How often the store is killed at a timing.
    pub(crate) fn restarts_at(&self, timing: Durations) -> usize {
        let most = if self.quick { 2 } else { Self::RESTARTS };
        let usual = self.rounds_at(timing, false).min(most);
        self.restarts.map_or(usual, |restarts| restarts as usize)
    }

    /// What is done at a timing, each once, in the order in which they are shown.
    pub(crate) fn faults_at(&self, timing: Durations) -> Vec<Fault> {
        use Fault::{Crash, Freeze, Resign, StoreRestart};
        let mut faults = match &self.faults[..] {
            [] if timing.lease > Self::LONG => vec![Resign, Crash, Freeze, StoreRestart],
            [] => Fault::ALL.to_vec(),
            asked => asked.to_vec(),
        };
        faults.sort_unstable();
        faults.dedup();
        faults
    }
}

/// A store that this bench can start.
fn store(name: &str) -> Result<String, String> {
    Kind::named(name).map(|kind| kind.name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        Options::try_parse_from([&["failover"], arguments].concat()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_cargo_adds_is_ignored() {
        let options = parse(&["--bench", "--quick"]).unwrap();
        assert_eq!(options.rounds(), 10);
        let [timing] = options.timings()[..] else { panic!("{:?}", options.timings()) };
        assert_eq!(timing.to_string(), "1s/700ms/150ms");
        assert_eq!(options.faults_at(timing), Fault::ALL);
        assert_eq!((options.rounds_at(timing, true), options.restarts_at(timing)), (3, 2));
    }

    #[test]
    fn what_takes_long_is_done_seldom_unless_it_is_asked_for() {
        let options = parse(&[]).unwrap();
        let [short, long] = options.timings()[..] else { panic!("{:?}", options.timings()) };
        let rounds =
            |options: &Options, timing| [false, true].map(|peer| options.rounds_at(timing, peer));
        assert_eq!((rounds(&options, short), rounds(&options, long)), ([100, 30], [5, 5]));
        assert_eq!((options.restarts_at(short), options.restarts_at(long)), (10, 5));
        assert!(!options.faults_at(long).contains(&Fault::Partition));
        let asked = parse(&["--rounds", "40", "--faults", "partition,partition"]).unwrap();
        assert_eq!((rounds(&asked, long), asked.restarts_at(long)), ([40, 30], 10));
        assert_eq!(asked.faults_at(long), [Fault::Partition]);
        let middle = parse(&["--timing", "3s/2s/500ms,3s/2s/500ms"]).unwrap();
        assert_eq!(middle.timings().len(), 1);
        assert_eq!(rounds(&middle, middle.timings()[0]), [100, 30]);
    }

    #[test]
    fn lists_are_lists() {
        let options = parse(&["--faults", "crash,freeze", "--timing", "1s/700ms/150ms,15s/10s/2s"]);
        let options = options.unwrap();
        assert_eq!(options.faults, [Fault::Crash, Fault::Freeze]);
        assert_eq!(options.timing.len(), 2);
    }

    #[test]
    fn bad_options_say_what_is_wrong() {
        for (arguments, why) in [
            (&["--faults", "meteor"][..], "resign, step-down, crash, freeze, partition"),
            (&["--rounds", "0"], "0 is not in 1..=100000"),
            (&["--contenders", "1"], "1 is not in 2..=64"),
            (&["--timing", "1s/700ms"], "has 2 parts"),
            (&["--seed", "x"], "invalid digit"),
            (&["--frobnicate"], "unexpected argument"),
            (&["--stores", "floppy"], "the stores are file, redis"),
            (&["--stores", "file", "--url", "file:///x/y"], "cannot be used with"),
            (&["--peers", "nobody"], "kubert, or NAME=PROGRAM"),
            (&["--peers", "=x"], "NAME=PROGRAM"),
            (&["--peers", "a/b=x"], "letters, digits"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(why), "{arguments:?}: {error}");
        }
    }
}
