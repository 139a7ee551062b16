use std::time::Duration;

/// Numbers that look random and follow from a seed.
///
/// The same on every machine and with every version of every library, so that the seed of an old
/// report still shows what it showed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own, for one of several who must not disturb each other's throws.
    #[must_use]
    pub const fn split(&mut self) -> Self {
        Self::new(self.throw())
    }

    /// Any number.
    pub const fn throw(&mut self) -> u64 {
        // SplitMix64, by Sebastiano Vigna: small, and good enough to choose faults by.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where that is 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        // The bias is below limit / 2^64.
        ((self.throw() as u128 * limit as u128) >> 64) as u64
    }

    /// From 0 to below 1.
    pub fn share(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A duration up to `limit`.
    pub fn up_to(&mut self, limit: Duration) -> Duration {
        limit.mul_f64(self.share())
    }

    /// One of several; none where there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_throws() {
        let mut dice = Dice::new(42);
        // Written down once: a change of these numbers makes every reported seed worthless.
        assert_eq!(dice.throw(), 13_679_457_532_755_275_413);
        assert_eq!(dice.throw(), 2_949_826_092_126_892_291);
    }

    #[test]
    fn throws_stay_below_their_limit_and_reach_everything_there() {
        let mut dice = Dice::new(7);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[dice.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
        assert_eq!(dice.below(0), 0);
        assert!(!dice.chance(0.0));
        assert!(dice.chance(1.0));
    }
}
