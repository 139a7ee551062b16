//! Who worked beside whom, and because of whom.

use std::{fmt, time::Duration};

use leasehold_testkit::Violation;

use super::{
    fleet::LEASE,
    shown::State,
    told::{Term, Told, history},
};

/// What is heard of the Lease comes that much later at most than it is written.
const HEARD: Duration = Duration::from_millis(250);
/// A leader whose Lease was taken from it is told by its watch: long before it would renew.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Two at work at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overlap<'a> {
    pub(crate) earlier: &'a Term,
    pub(crate) later: &'a Term,
    pub(crate) by: Duration,
}

/// All that happened, to be judged.
pub(crate) struct Verdict<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) states: &'a [State],
    /// client-go's own.
    pub(crate) overlaps: Vec<Overlap<'a>>,
    /// Those whose Lease client-go has blanked while they were at work.
    pub(crate) blanked: Vec<&'a Term>,
}

impl<'a> Verdict<'a> {
    /// What ours may never do it has not done.
    ///
    /// # Panics
    /// If it has.
    pub(crate) fn of(told: &[Told], terms: &'a [Term], states: &'a [State]) -> Self {
        let ours = history(told, terms.iter().filter(|term| term.who.ours), |term| {
            term.token.expect("ours have one")
        });
        let violations = ours.check();
        assert!(violations.is_empty(), "{violations:?}\n{ours}");

        let mut verdict = Self { terms, states, overlaps: Vec::new(), blanked: Vec::new() };
        verdict.blanked = terms.iter().filter(|term| verdict.blanked_at(term).is_some()).collect();
        verdict.overlaps = overlaps(told, terms);
        for overlap in &verdict.overlaps {
            verdict.assert_not_ours(overlap);
        }
        for term in terms.iter().filter(|term| term.who.ours) {
            verdict.assert_may_lead(term);
        }
        verdict.assert_ours_blank_nothing();
        verdict
    }

    /// When client-go has blanked the Lease of a term that was at work, if it has.
    fn blanked_at(&self, term: &Term) -> Option<u64> {
        let last = term.last.unwrap_or(term.start);
        let blanked = self.states.windows(2).find(|two| {
            let (before, after) = (&two[0], &two[1]);
            before.name() == term.who.name
                && (term.start..last).contains(&before.at)
                && after.holder.is_empty()
                && !after.is_ours(before)
                && after.at < last + HEARD.as_nanos() as u64
        });
        let at = blanked?[1].at;
        // Its own release comes after its work.
        (term.who.ours || at < last).then_some(at)
    }

    /// Nobody of ours is the cause that two worked at once.
    fn assert_not_ours(&self, Overlap { earlier, later, by }: &Overlap<'_>) {
        let caused_by_client_go = match (earlier.who.ours, later.who.ours) {
            // Looked at by itself.
            (false, _) => true,
            // It was robbed, and stopped when it was told.
            (true, false) => self.blanked_at(earlier).is_some() && *by < AT_ONCE,
            (true, true) => false,
        };
        assert!(caused_by_client_go, "by {by:?}\n{earlier:?}\n{later:?}\n{}", self.around(later));
    }

    /// Ours has taken what had lapsed, or was given back: not what was alive, nor what was blanked under
    /// a living leader of ours.
    fn assert_may_lead(&self, term: &Term) {
        let of = |state: &State| state.token() == term.token && state.name() == term.who.name;
        let won = self.states.windows(2).find(|two| of(&two[1]) && !of(&two[0]));
        let [before, won] = won.expect("it is shown") else { unreachable!("two") };
        let earlier = self.terms.iter().rev().find(|earlier| {
            earlier.start < term.start && earlier.who.name == self.holder_before(before)
        });
        let Some(earlier) = earlier else {
            assert!(self.holder_before(before).is_empty(), "whose term was it? {before:?}");
            return;
        };
        let waited = |since: u64| Duration::from_nanos(term.sent.saturating_sub(since));
        if !before.holder.is_empty() {
            // Its own record it need not wait out.
            let own = earlier.who == term.who && !earlier.killed;
            let waited = waited(earlier.confirmed);
            assert!(own || waited >= LEASE, "{waited:?}: {term:?}\n{}", self.around(term));
        } else if let Some(blanked) = self.blanked_at(earlier).filter(|_| earlier.who.ours) {
            let waited = waited(blanked) + HEARD;
            assert!(waited >= LEASE, "{waited:?}: {term:?}\n{}", self.around(term));
        }
        assert!(won.holder.starts_with(term.who.name));
    }

    /// Who was named last.
    fn holder_before(&self, state: &State) -> &str {
        let until =
            self.states.iter().position(|one| std::ptr::eq(one, state)).expect("one of them");
        let named = self.states[..=until].iter().rev().find(|state| !state.holder.is_empty());
        named.map_or("", State::name)
    }

    /// Ours have released their own, after their work.
    fn assert_ours_blank_nothing(&self) {
        for two in self.states.windows(2) {
            let (before, after) = (&two[0], &two[1]);
            if !after.holder.is_empty() || before.holder.is_empty() || !after.is_ours(before) {
                continue;
            }
            let mut at_work = self.terms.iter().filter(|term| {
                let last = term.last.unwrap_or(term.start);
                term.who.name == before.name() && (term.start..last).contains(&before.at)
            });
            let wronged = at_work.find(|term| term.last.is_some_and(|last| last > after.at));
            assert!(wronged.is_none(), "{wronged:?}\n{before:?}\n{after:?}");
        }
    }

    fn around(&self, term: &Term) -> String {
        let near = |at: u64| at.abs_diff(term.start) < 12_000_000_000;
        let states = self.states.iter().filter(|state| near(state.at));
        let terms = self.terms.iter().filter(|term| near(term.start));
        let terms = terms.map(|term| format!("{term:?}\n"));
        states.map(|state| format!("{state:?}\n")).chain(terms).collect()
    }
}

fn overlaps<'a>(told: &[Told], terms: &'a [Term]) -> Vec<Overlap<'a>> {
    let number = |term: &Term| {
        let before = |other: &&Term| other.start < term.start;
        terms.iter().filter(before).count() as u64
    };
    let mut overlaps = Vec::new();
    for violation in history(told, terms.iter(), number).check() {
        match violation {
            Violation::Overlap { old, new, by } | Violation::LateEnd { old, new, by } => {
                let (earlier, later) = (&terms[old.1 as usize], &terms[new.1 as usize]);
                overlaps.push(Overlap { earlier, later, by });
            }
            other => panic!("{other}"),
        }
    }
    overlaps
}

impl fmt::Display for Overlap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} beside {} for {:?}", self.earlier.who.name, self.later.who.name, self.by)
    }
}
