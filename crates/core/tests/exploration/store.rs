use leasehold_core::{
    Era, FencingToken, Observation, RandomPart, Record, Stamp, Swap, Tenure, Version,
};

use crate::scope::{Exactness, Numbering, Scope, Trouble};

/// Who made the lease free before anybody held it.
const OPERATOR: RandomPart = RandomPart::new(99);

/// The store, as a backend has to present it, and what only the explorer knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    pub(crate) era: Era,
    pub(crate) version: u64,
    pub(crate) record: Option<Record>,
    /// Whether the second candidate is preferred.
    preferred: bool,
    /// The highest version that was ever written, in any era.
    clock: u64,
    /// All that it has shown, without repetitions, where anything could show it again.
    pub(crate) history: Vec<Observation>,
    /// The highest token of a record of each candidate that was written as held by it.
    pub(crate) claimed: Vec<FencingToken>,
    /// For how long, on each candidate's clock, the present record has been there.
    pub(crate) ages: Vec<u64>,
}

impl Store {
    pub(crate) fn new(scope: &Scope) -> Self {
        let era = Era::new("e1");
        let free = free(&era);
        let version = u64::from(scope.created);
        let mut store = Self {
            era,
            version,
            record: scope.created.then_some(free),
            preferred: false,
            clock: version,
            history: Vec::new(),
            claimed: vec![FencingToken::ZERO; scope.candidates],
            ages: vec![0; scope.candidates],
        };
        store.changed(scope);
        store
    }

    /// What a read shows. Only the dead can be proven dead.
    pub(crate) fn shows(&self, dead: &dyn Fn(RandomPart) -> bool) -> Observation {
        let version = Version::new(self.version).expect("few versions");
        let mut shown = match &self.record {
            Some(record) => Observation::of(self.era.clone(), version, record.clone()),
            None => Observation::absent(self.era.clone(), version),
        };
        shown.holder_gone = is_gone(&shown, dead);
        shown.preferred = self.preferred.then(|| "b".into());
        shown
    }

    /// Whether a swap that expects this would be made.
    pub(crate) fn is(&self, expected: &Observation, scope: &Scope) -> bool {
        let era = scope.exactness == Exactness::AnyEra || self.era == expected.era;
        let written = match scope.exactness {
            Exactness::Version => self.record.is_some() == expected.record.is_some(),
            Exactness::Whole | Exactness::AnyEra => self.record == expected.record,
        };
        era && written && self.version == expected.version.number()
    }

    pub(crate) fn swap(
        &mut self,
        expected: &Observation,
        record: &Record,
        scope: &Scope,
        dead: &dyn Fn(RandomPart) -> bool,
    ) -> Swap {
        if !self.is(expected, scope) {
            return Swap::Refused(Some(self.shows(dead)));
        }
        let author = record.stamp.map(|stamp| stamp.author.bits() as usize);
        if let (Tenure::Held { .. }, Some(author)) = (&record.tenure, author) {
            self.claimed[author] = self.claimed[author].max(record.token);
            self.preferred &= self.record.as_ref().is_some_and(|old| old.token == record.token);
        }
        self.record = Some(record.clone());
        self.ages.fill(0);
        self.number(scope);
        self.changed(scope);
        Swap::Written(self.shows(dead))
    }

    pub(crate) fn delete(&mut self, scope: &Scope) {
        self.record = None;
        self.changed(scope);
    }

    pub(crate) fn relabel(&mut self, scope: &Scope) {
        self.number(scope);
        self.changed(scope);
    }

    pub(crate) fn prefer(&mut self, scope: &Scope) {
        self.preferred = true;
        self.relabel(scope);
    }

    /// Shows again what it showed before, in the present era or in a new one.
    pub(crate) fn go_back(&mut self, to: Option<usize>, trouble: Trouble, scope: &Scope) {
        if let Some(older) = to.map(|to| self.history[to].clone()) {
            if trouble != Trouble::GoBackRenumbered {
                self.version = older.version.number();
            }
            self.record = older.record;
        }
        if matches!(trouble, Trouble::Promote | Trouble::PromoteLagging) {
            self.begin_an_era();
        }
        if trouble == Trouble::GoBackRenumbered {
            self.number(scope);
        }
        self.ages.fill(0);
        self.changed(scope);
    }

    /// Somebody deletes the record and makes a free one, in another era.
    pub(crate) fn recreate(&mut self, scope: &Scope) {
        self.begin_an_era();
        self.record = Some(free(&self.era));
        self.ages.fill(0);
        self.number(scope);
        self.changed(scope);
    }

    fn begin_an_era(&mut self) {
        self.era = Era::new(if self.era.as_str() == "e1" { "e2" } else { "e3" });
    }

    fn number(&mut self, scope: &Scope) {
        let last = match scope.numbering {
            Numbering::Time => self.clock,
            Numbering::Counter => self.version,
        };
        self.version = last + 1;
        self.clock = self.clock.max(self.version);
    }

    fn changed(&mut self, scope: &Scope) {
        if scope.remembers() {
            let shown = self.shows(&|_| false);
            if !self.history.contains(&shown) {
                self.history.push(shown);
            }
        }
        if scope.numbering == Numbering::Counter {
            self.clock = 0;
        }
    }
}

/// A lease that an operator has made free.
fn free(era: &Era) -> Record {
    Record {
        era: era.clone(),
        token: FencingToken::ZERO,
        lease_duration: std::time::Duration::ZERO,
        stamp: Some(Stamp { author: OPERATOR, attempt: 0 }),
        tenure: Tenure::Free,
    }
}

/// Whether the holder that a record names is dead.
pub(crate) fn is_gone(shown: &Observation, dead: &dyn Fn(RandomPart) -> bool) -> bool {
    shown.record.as_ref().is_some_and(|record| {
        record.holder().is_some() && record.stamp.is_some_and(|stamp| dead(stamp.author))
    })
}
