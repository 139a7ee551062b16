use serde::{Serialize, Serializer, ser::SerializeStruct};

/// What was measured, in nanoseconds, in order. May be negative: an excess is, where the successor
/// need not wait for the lease to end.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    sorted: Vec<i64>,
}

impl Distribution {
    /// Below this many samples there is no 99th percentile to speak of.
    pub const ENOUGH_FOR_P99: usize = 100;

    /// How many there are.
    pub fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The samples, the smallest first.
    pub fn samples(&self) -> &[i64] {
        &self.sorted
    }

    /// The smallest sample that at least this share of all samples does not exceed (the nearest
    /// rank: always a value that was measured). None where nothing was measured.
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let rank = (share * self.n() as f64).ceil() as usize;
        self.sorted.get(rank.max(1) - 1).copied()
    }

    /// The median.
    pub fn p50(&self) -> Option<i64> {
        self.quantile(0.5)
    }

    /// The 90th percentile.
    pub fn p90(&self) -> Option<i64> {
        self.quantile(0.9)
    }

    /// The 99th percentile, only of enough samples.
    pub fn p99(&self) -> Option<i64> {
        (self.n() >= Self::ENOUGH_FOR_P99).then(|| self.quantile(0.99)).flatten()
    }

    /// The smallest.
    pub fn min(&self) -> Option<i64> {
        self.sorted.first().copied()
    }

    /// The greatest.
    pub fn max(&self) -> Option<i64> {
        self.sorted.last().copied()
    }
}

/// What is shown of it, and all samples.
impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("Distribution", 6)?;
        shown.serialize_field("n", &self.n())?;
        shown.serialize_field("p50", &self.p50())?;
        shown.serialize_field("p90", &self.p90())?;
        shown.serialize_field("p99", &self.p99())?;
        shown.serialize_field("max", &self.max())?;
        shown.serialize_field("samples", &self.sorted)?;
        shown.end()
    }
}

impl FromIterator<i64> for Distribution {
    fn from_iter<I: IntoIterator<Item = i64>>(samples: I) -> Self {
        let mut sorted: Vec<_> = samples.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_of_the_nearest_rank() {
        let hundred: Distribution = (1..=100).rev().collect();
        assert_eq!(hundred.p50(), Some(50));
        assert_eq!(hundred.p90(), Some(90));
        assert_eq!(hundred.p99(), Some(99));
        assert_eq!(hundred.max(), Some(100));
        let three: Distribution = [30, -10, 20].into_iter().collect();
        assert_eq!(three.p50(), Some(20));
        assert_eq!(three.p90(), Some(30));
        assert_eq!(three.quantile(0.0), Some(-10));
    }

    #[test]
    fn there_is_no_p99_of_fewer_than_a_hundred() {
        let almost: Distribution = (1..=99).collect();
        assert_eq!(almost.p99(), None);
        assert_eq!(almost.max(), Some(99));
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        let nothing = Distribution::default();
        assert_eq!(
            (nothing.p50(), nothing.p99(), nothing.max(), nothing.n()),
            (None, None, None, 0)
        );
    }
}
