use std::time::Duration;

use leasehold_core::{Timing, kernel::Bounds};

/// One tick of the slowest clock, in nanoseconds: a second, so that durations read well.
pub(crate) const TICK: u64 = 1_000_000_000;

/// What may happen in an exploration, and how often: each number is a bound of its space, and
/// what is not named does not happen.
///
/// Without `slow_wire` a call is answered in the instant in which it is made. What is unbounded
/// costs nothing: ticks of the clocks (moments are relative), frozen candidates (no event is ever
/// due), reads, hints and what users do.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) candidates: usize,
    pub(crate) bounds: Bounds,
    /// In each tick of real time one of these happens: how far each candidate's clock advances.
    pub(crate) rates: Vec<Vec<u64>>,
    /// What the store holds first: a lease that was made free, or nothing at all.
    pub(crate) created: bool,
    /// Swaps that reach the store or are given up, by all candidates together.
    pub(crate) swaps: u8,
    /// Requests and replies are on their way for as long as it pleases.
    pub(crate) slow_wire: bool,
    /// Calls that are given up by their caller, lost or duplicated. A swap that is given up stays
    /// in flight, to be applied at any time, or never.
    pub(crate) losses: u8,
    /// Whatever the store has ever shown may be pushed to anybody, at any time, or never.
    pub(crate) hints: bool,
    /// Standbys look for themselves, at any time.
    pub(crate) polls: bool,
    pub(crate) resigns: bool,
    pub(crate) withdraws: bool,
    /// Candidates that die for ever.
    pub(crate) deaths: u8,
    /// The store proves that the dead are dead.
    pub(crate) proofs: bool,
    /// What befalls the store, so many times in all.
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) store_faults: u8,
    pub(crate) numbering: Numbering,
    /// What a swap compares.
    pub(crate) exactness: Exactness,
    /// The age of the record is counted apart, on every clock, to judge who takes it too early.
    pub(crate) judges_waits: bool,
    /// From every state it is tried whether somebody comes to lead without further faults.
    pub(crate) judges_liveness: bool,
    /// Whether there may be one leader only: not where a store went back unseen.
    pub(crate) judges_exclusion: bool,
    /// Whether tokens have to grow: not where a store may forget what nobody else has seen.
    pub(crate) judges_tokens: bool,
}

/// What can befall a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The record is deleted.
    Delete,
    /// Somebody touches the record: its version grows, and no more.
    Relabel,
    /// Somebody wishes that the second candidate led, until the next term begins.
    Prefer,
    /// It shows an older record again, in the same era, though every candidate has seen a newer.
    GoBackSeen,
    /// It shows an older record again, in the same era.
    GoBackUnseen,
    /// It shows an older record again, in the same era and with a version above all that it ever
    /// had, though every candidate has seen a later term.
    GoBackRenumbered,
    /// The record is deleted, and one that is free is created in another era, though every candidate
    /// has seen who led.
    Recreate,
    /// Its era changes, and nothing else.
    Promote,
    /// Its era changes, and it shows an older record again.
    PromoteLagging,
}

/// How a store numbers its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// Above all that it ever wrote, whatever it forgot: Redis, by the server's time.
    Time,
    /// One more than the present: a store that goes back uses numbers again.
    Counter,
}

/// What a store compares before it swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exactness {
    /// Era, version and what is written.
    Whole,
    /// Era and version.
    Version,
    /// Version and what is written: a transaction that cannot name its cluster.
    AnyEra,
}

impl Scope {
    /// Two candidates whose clocks agree, a quick and faultless wire, and nothing that happens to
    /// the store.
    pub(crate) fn quiet(swaps: u8) -> Self {
        Self {
            candidates: 2,
            bounds: bounds(2, 0.001),
            rates: vec![vec![1, 1]],
            created: true,
            swaps,
            slow_wire: false,
            losses: 0,
            hints: false,
            polls: true,
            resigns: true,
            withdraws: false,
            deaths: 0,
            proofs: false,
            troubles: Vec::new(),
            store_faults: 0,
            numbering: Numbering::Counter,
            exactness: Exactness::Whole,
            judges_waits: false,
            judges_liveness: false,
            judges_exclusion: true,
            judges_tokens: true,
        }
    }

    /// Clocks that drift as far as is allowed, a third: in each tick one of two advances by 1 and
    /// the other by 2, whichever it pleases. A lease is 4 ticks, and is believed in for 2.
    pub(crate) fn drifting(self) -> Self {
        Self { bounds: bounds(4, 1.0 / 3.0), rates: vec![vec![1, 2], vec![2, 1]], ..self }
    }

    /// Requests and replies take their time, and so many of them are lost.
    pub(crate) fn lossy(self, losses: u8) -> Self {
        Self { slow_wire: true, losses, ..self }
    }

    /// This befalls the store, so many times in all.
    pub(crate) fn troubled(self, troubles: &[Trouble], store_faults: u8) -> Self {
        Self { troubles: troubles.to_vec(), store_faults, ..self }
    }

    /// The watch shows anything that was ever true, at any time.
    pub(crate) fn watched(self) -> Self {
        Self { hints: true, ..self }
    }

    /// Whether anything could show what the store held before.
    pub(crate) fn remembers(&self) -> bool {
        let older = |trouble: &Trouble| {
            !matches!(trouble, Trouble::Delete | Trouble::Relabel | Trouble::Prefer)
        };
        self.hints || self.troubles.iter().any(older)
    }
}

/// The bounds that the library itself makes of a timing. In ticks: the lease as given, a renew
/// deadline of 2, a pause of 1, and as much to drain. What is left of the lease for its holder
/// follows from the drift.
pub(crate) fn bounds(lease: u64, drift: f64) -> Bounds {
    let millis = Duration::from_millis;
    let timing = Timing::new(Duration::from_secs(lease), millis(1500), millis(700))
        .and_then(|timing| timing.with_drift(drift))
        .expect("a coherent timing");
    Bounds { spread: 0, ..Bounds::new(&timing, Duration::from_nanos(TICK)) }
}
