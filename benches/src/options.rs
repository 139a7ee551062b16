use std::path::PathBuf;

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

    /// What is done to the leader. A partition needs a store that is reached by plain TCP
    #[arg(long, value_delimiter = ',', default_values_t = Fault::ALL)]
    pub faults: Vec<Fault>,

    /// How often each is done, for each timing [default: 100, with --quick 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rounds: Option<u32>,

    /// LEASE/DEADLINE/RETRY; several may be given
    #[arg(long, value_delimiter = ',', default_value = "1s/700ms/150ms")]
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

    /// What is measured beside Leasehold, in the same run: `all` peers that are known of a store
    /// (etcd: etcd-recipe), `none`, the names of some, or NAME=PROGRAM for one of your own; a folder is
    /// built as a Go module
    #[arg(long, value_delimiter = ',', default_value = Peer::ALL, value_parser = Peer::check)]
    pub peers: Vec<String>,

    /// How often each fault is done to a peer, for each timing [default: as ours, at most 30]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub peer_rounds: Option<u32>,

    /// Does not measure the floor: the bare steps of a handover with no elector
    #[arg(long)]
    pub no_floor: bool,

    /// Cargo says this to every bench
    #[arg(long, hide = true)]
    pub bench: bool,
}

impl Options {
    /// How often each fault is done.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 10 } else { 100 }) as usize
    }

    /// How often each fault is done to a peer.
    pub(crate) fn peer_rounds(&self) -> usize {
        const ENOUGH: usize = 30;
        self.peer_rounds.map_or_else(|| self.rounds().min(ENOUGH), |rounds| rounds as usize)
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
        assert_eq!(options.faults, Fault::ALL);
        assert_eq!(options.timing[0].to_string(), "1s/700ms/150ms");
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
            (&["--peers", "nobody"], "the peers are etcd-recipe, client-go, or NAME=PROGRAM"),
            (&["--peers", "=x"], "NAME=PROGRAM"),
            (&["--peers", "a/b=x"], "letters, digits"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(why), "{arguments:?}: {error}");
        }
    }
}
