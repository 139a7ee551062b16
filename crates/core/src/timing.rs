use std::{fmt, time::Duration};

use crate::Record;

/// What a holder keeps for itself at the end of its lease, besides the drift: time for a warden to
/// wake up and for work to be dropped.
const MARGIN: Duration = Duration::from_millis(30);

/// Below this two whole attempts cannot be told from a slow scheduler.
const SHORTEST_CALL: Duration = Duration::from_millis(5);

/// The three durations of an election, and the drift of clocks that it allows for.
///
/// It cannot exist incoherent. The default is that of client-go: a lease of 15 s, renewed every
/// 2 s, given up by its holder after 10 s without an answer.
///
/// | profile | lease | renew deadline | retry | a crashed leader is followed within, where changes are pushed |
/// |---|--:|--:|--:|--:|
/// | [`fast`](Self::fast) | 1 s | 700 ms | 150 ms | 1.2 s |
/// | [`default`](Self::default) | 15 s | 10 s | 2 s | 18 s |
/// | [`patient`](Self::patient) | 60 s | 40 s | 8 s | 72 s |
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::Timing;
///
/// let error = Timing::new(
///     Duration::from_secs(11), Duration::from_secs(10), Duration::from_secs(2),
/// ).unwrap_err();
/// assert!(error.to_string().contains("must be below 8.97s"), "{error}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease: Duration,
    deadline: Duration,
    retry: Duration,
    drift_ppm: u32,
}

/// Why durations do not go together: the inequality, with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncoherentTiming(String);

impl fmt::Display for IncoherentTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IncoherentTiming {}

impl Timing {
    /// Durations that go together, for clocks that may be wrong by 10 %: chrony may slew a clock
    /// by 8.3 %.
    ///
    /// * `lease`: how long others wait for a holder that they do not hear of;
    /// * `deadline`: how long after its last confirmed renewal a holder tells its work to stop;
    /// * `retry`: how long it pauses between two renewals, and between two attempts.
    ///
    /// # Errors
    /// Says which inequality does not hold, with its numbers:
    /// two attempts and their pauses must fit into the deadline, and the deadline must lie before
    /// the end of what the holder believes in.
    pub fn new(
        lease: Duration,
        deadline: Duration,
        retry: Duration,
    ) -> Result<Self, IncoherentTiming> {
        Self { lease, deadline, retry, drift_ppm: 100_000 }.checked()
    }

    /// A lease of a second.
    pub const fn fast() -> Self {
        Self {
            lease: Duration::from_secs(1),
            deadline: Duration::from_millis(700),
            retry: Duration::from_millis(150),
            drift_ppm: 100_000,
        }
    }

    /// A lease of a minute, for stores and networks with long pauses.
    pub const fn patient() -> Self {
        Self {
            lease: Duration::from_secs(60),
            deadline: Duration::from_secs(40),
            retry: Duration::from_secs(8),
            drift_ppm: 100_000,
        }
    }

    /// Allows for clocks whose rate is wrong by this share: 0.1 is ten per cent.
    ///
    /// # Errors
    /// Below 0.001 or not below 0.5, or where the deadline then lies too late.
    pub fn with_drift(self, share: f64) -> Result<Self, IncoherentTiming> {
        if !(0.001..0.5).contains(&share) {
            return Err(IncoherentTiming(format!(
                "a drift of {share} was asked for; it must be from 0.001 to below 0.5"
            )));
        }
        // Within range: at most 500 000.
        Self { drift_ppm: (share * 1e6).round() as u32, ..self }.checked()
    }

    /// How long others wait for a holder that they do not hear of.
    pub const fn lease_duration(&self) -> Duration {
        self.lease
    }

    /// How long after its last confirmed renewal was sent a holder tells its work to stop.
    pub const fn renew_deadline(&self) -> Duration {
        self.deadline
    }

    /// The pause between two renewals, and between two attempts.
    pub const fn retry_interval(&self) -> Duration {
        self.retry
    }

    /// How long after sending its last confirmed renewal a holder believes in its term:
    /// `lease * (1 - drift) / (1 + drift) - 30 ms`, so that a slow clock of the holder and a fast
    /// one of a standby still agree.
    pub fn holder_duration(&self) -> Duration {
        let drift = f64::from(self.drift_ppm) / 1e6;
        self.lease.mul_f64((1.0 - drift) / (1.0 + drift)).saturating_sub(MARGIN)
    }

    /// The drift that is allowed for, in parts per million.
    pub(crate) const fn drift_ppm(&self) -> u32 {
        self.drift_ppm
    }

    /// The limit of each call to the store: two whole ones and their pauses fit into the deadline.
    pub const fn call_timeout(&self) -> Duration {
        match self.deadline.checked_sub(self.retry.saturating_mul(2)) {
            Some(rest) => Duration::from_nanos(rest.as_nanos() as u64 / 2),
            None => Duration::ZERO,
        }
    }

    /// A leader that dies without a word is followed within this, while the store answers and pushes
    /// changes: the lease, and one call. Where a standby polls, it sees the last renewal later by up
    /// to one and a half retry intervals and a call.
    pub const fn failover_bound(&self) -> Duration {
        self.lease.saturating_add(self.call_timeout())
    }

    fn checked(self) -> Result<Self, IncoherentTiming> {
        let Self { lease, deadline, retry, .. } = self;
        let refuse = |why| Err(IncoherentTiming(why));
        if lease > Record::LONGEST_LEASE {
            return refuse(format!(
                "the lease duration {lease:?} must be at most {:?}",
                Record::LONGEST_LEASE
            ));
        }
        if retry.is_zero() {
            return refuse("the retry interval is 0; it must be longer".into());
        }
        if self.call_timeout() < SHORTEST_CALL {
            return refuse(format!(
                "the renew deadline {deadline:?} must be at least twice the retry interval \
                 {retry:?} and {:?} more, so that two whole attempts fit into it",
                SHORTEST_CALL * 2
            ));
        }
        let holder = self.holder_duration();
        if deadline >= holder {
            return refuse(format!(
                "the renew deadline {deadline:?} must be below {:?}: a lease of {lease:?}, less a \
                 drift of {} % of both clocks and {MARGIN:?}",
                Duration::from_millis(holder.as_millis() as u64),
                f64::from(self.drift_ppm) / 1e4,
            ));
        }
        Ok(self)
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
            drift_ppm: 100_000,
        }
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}/{:?}", self.lease, self.deadline, self.retry)
    }
}
