use std::time::Duration;

use super::config::ChaosConfig;
use crate::Dice;

/// What becomes of one request. All of it is decided when the request is made, so that the plan
/// does not depend on how the request goes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) before: Duration,
    pub(super) after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    FailBefore,
    FailAfter,
    HangBefore,
    HangAfter,
    /// The second time comes so much later, while the author waits or after it was answered.
    Duplicate {
        later: Duration,
        waited_for: bool,
    },
    Late {
        by: Duration,
        told: bool,
    },
}

impl Plan {
    pub(super) fn throw(dice: &mut Dice, config: &ChaosConfig) -> Self {
        let (sort, later, coin) = (dice.share(), dice.up_to(config.late_by), dice.chance(0.5));
        let (before, after) = (Self::delay(dice, config), Self::delay(dice, config));
        let faults = [
            (config.fail_before, Fault::FailBefore),
            (config.fail_after, Fault::FailAfter),
            (config.hang_before, Fault::HangBefore),
            (config.hang_after, Fault::HangAfter),
            (config.duplicate, Fault::Duplicate { later, waited_for: coin }),
            (config.late, Fault::Late { by: later, told: coin }),
        ];
        let mut below = 0.0;
        let fault = faults.into_iter().find_map(|(probability, fault)| {
            below += probability;
            (sort < below).then_some(fault)
        });
        Self { fault: fault.unwrap_or(Fault::None), before, after }
    }

    fn delay(dice: &mut Dice, config: &ChaosConfig) -> Duration {
        let (delayed, by) = (dice.chance(config.delay), dice.up_to(config.delay_by));
        if delayed { by } else { Duration::ZERO }
    }
}
