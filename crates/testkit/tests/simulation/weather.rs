use std::time::Duration;

use leasehold_core::Timing;
use leasehold_testkit::{ChaosConfig, Dice};

/// What an election has to live with. It follows from the seed alone.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) candidates: u64,
    /// Between which rates the clocks run.
    pub(crate) rates: (f64, f64),
    pub(crate) chaos: ChaosConfig,
    /// How often, at most, something is done to a candidate or to the store; none for never.
    pub(crate) disturbed_every: Option<Duration>,
    /// Nothing is done but that the store goes back, and stays of the same era.
    pub(crate) goes_back: bool,
    /// Whether an operator has made the lease free before.
    pub(crate) prepared: bool,
    /// Whether leaders give up of their own accord now and then.
    pub(crate) fickle: bool,
}

impl Weather {
    /// How long there are faults.
    pub(crate) const LASTS: Duration = Duration::from_secs(10);

    pub(crate) fn timing() -> Timing {
        Timing::fast()
    }

    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x77ea_7e12);
        let lease = Self::timing().lease_duration();
        let percent = [0.0, 1.0, 3.0, 8.0][dice.below(4) as usize];
        let every = [None, Some(2_000), Some(800), Some(300)][dice.below(4) as usize];
        let chaos = ChaosConfig::rough(percent, lease);
        Self {
            candidates: 3 + dice.below(3),
            rates: (0.9, 1.1),
            chaos: if seed % 4 == 3 { chaos } else { chaos.with_watches_that_last() },
            disturbed_every: every.map(Duration::from_millis),
            goes_back: false,
            prepared: dice.chance(0.5),
            fickle: dice.chance(0.5),
        }
    }

    /// No faults, and clocks as different as they may be.
    pub(crate) fn fair() -> Self {
        Self {
            candidates: 3,
            rates: (0.9, 1.1),
            chaos: ChaosConfig::quiet(),
            disturbed_every: None,
            goes_back: false,
            prepared: true,
            fickle: false,
        }
    }

    /// A store that goes back to what it held before, unmarked. That is survived by those who had
    /// seen more: so nobody is new here, nothing is lost or late on the way, and nobody is busy
    /// giving its lease back, which a request that is under way would then do to another's.
    pub(crate) fn going_back(seed: u64) -> Self {
        Self {
            chaos: ChaosConfig {
                delay: 0.2,
                delay_by: Duration::from_millis(80),
                watch_repeat: 0.1,
                ..ChaosConfig::quiet()
            },
            disturbed_every: Some(Duration::from_millis(500)),
            goes_back: true,
            fickle: false,
            ..Self::of(seed)
        }
    }

    pub(crate) fn with_rates(self, slowest: f64, fastest: f64) -> Self {
        Self { rates: (slowest, fastest), ..self }
    }

    /// An elector pauses after the end of a watch for a time that no seed decides.
    pub(crate) fn is_replayed_exactly(&self) -> bool {
        self.chaos.watch_error == 0.0 && self.chaos.watch_end == 0.0
    }

    /// The rate of one candidate's clocks: often one of the extremes, where it is tight.
    pub(crate) fn rate(&self, dice: &mut Dice) -> f64 {
        let (slowest, fastest) = self.rates;
        match dice.below(4) {
            0 => slowest,
            1 => fastest,
            _ => slowest + (fastest - slowest) * dice.share(),
        }
    }
}
