use std::time::Duration;

use crate::Timing;

/// What a backend promises beyond the contract of [`LeaseLock`](crate::LeaseLock).
///
/// The table of the project's README is made from these values by a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarantees {
    /// The backend's name: `redis`.
    pub backend: &'static str,
    /// What is left of exclusion and of the tokens' order when the store loses its memory, in a
    /// sentence for people.
    pub memory_loss: &'static str,
    /// Changes are pushed, so that a handover takes milliseconds; else candidates poll.
    pub pushes: bool,
    /// The death of a holder is proven at once, so that a crash is not waited out.
    pub proves_death: bool,
    /// The shortest lease duration that is sensible on this store.
    pub shortest_lease: Duration,
    /// The shortest retry interval that is safe on this store; zero where any is.
    pub shortest_retry: Duration,
    /// The least drift of clocks, in per cent, that a timing must allow for on this store; zero where
    /// any will do.
    pub least_drift_percent: u32,
}

impl Guarantees {
    /// Why this timing is not allowed on this store, if it is not.
    pub fn objection(&self, timing: &Timing) -> Option<String> {
        let Self { shortest_lease, shortest_retry, least_drift_percent, .. } = *self;
        let (lease, retry) = (timing.lease_duration(), timing.retry_interval());
        let drift = f64::from(timing.drift_ppm()) / 1e4;
        if lease < shortest_lease {
            return Some(format!(
                "a lease duration of {lease:?} was asked for; this store allows {shortest_lease:?} or \
                 more"
            ));
        }
        if retry < shortest_retry {
            return Some(format!(
                "a retry interval of {retry:?} was asked for; this store allows {shortest_retry:?} or \
                 more"
            ));
        }
        (drift < f64::from(least_drift_percent)).then(|| {
            format!(
                "a drift of {drift} % was asked for; this store allows {least_drift_percent} % or more"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarantees() -> Guarantees {
        Guarantees {
            backend: "test",
            memory_loss: "",
            pushes: true,
            proves_death: false,
            shortest_lease: Duration::from_secs(3),
            shortest_retry: Duration::from_secs(1),
            least_drift_percent: 9,
        }
    }

    fn timing(lease_ms: u64, deadline_ms: u64, retry_ms: u64, drift: f64) -> Timing {
        let [lease, deadline, retry] = [lease_ms, deadline_ms, retry_ms].map(Duration::from_millis);
        Timing::new(lease, deadline, retry).unwrap().with_drift(drift).unwrap()
    }

    #[test]
    fn a_timing_that_a_store_does_not_allow_is_refused_with_its_numbers() {
        let objection = |timing| guarantees().objection(&timing).unwrap_or_default();
        assert_eq!(objection(timing(4_000, 2_500, 1_000, 0.09)), "");
        let short = objection(timing(2_999, 2_100, 1_000, 0.1));
        assert!(
            short.contains("lease duration of 2.999s") && short.contains("3s or more"),
            "{short}"
        );
        let often = objection(timing(4_000, 2_500, 999, 0.1));
        assert!(often.contains("interval of 999ms") && often.contains("1s or more"), "{often}");
        let exact = objection(timing(4_000, 2_500, 1_000, 0.0899));
        assert!(exact.contains("drift of 8.99 %") && exact.contains("9 % or more"), "{exact}");
    }

    #[test]
    fn a_store_without_limits_allows_every_timing() {
        let none = Guarantees {
            shortest_lease: Duration::ZERO,
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
            ..guarantees()
        };
        assert_eq!(none.objection(&timing(100, 30, 5, 0.001)), None);
    }
}
