use crate::{FencingToken, Moment, Observation, RandomPart, Record, Tenure};

/// What the store was last seen to hold, since when, and what was learnt before: all that a
/// standby's right to take the lease rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    me: RandomPart,
    known: Option<Known>,
    /// The highest version seen in the present era: below it a hint is stale, and an answer shows
    /// a store that went back.
    highest: u64,
    /// The highest token seen, in any era.
    floor: FencingToken,
    /// The longest lease duration seen, one's own included: what somebody unseen may believe in.
    longest: u64,
    /// Whether anybody was ever seen to lead, in any era.
    led: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Known {
    seen: Observation,
    /// When this very record was first seen in this very era.
    since: Moment,
    /// The token of the last term that was seen in this era.
    term: FencingToken,
    /// When the store was found to have gone back, until somebody of the lost line must be done.
    back: Option<Moment>,
}

/// What may be done about what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing is known: observe.
    Look,
    /// Nothing is written, which proves nothing: write `Vacant`, so that its wait can begin.
    Mark,
    /// To be waited for so many nanoseconds more.
    Wait(u64),
    /// Waited out, but written in another era or in a line that went back: write `Free`, so that
    /// the token rests on a version of the present one.
    Clear,
    /// May be acquired, with this token.
    Claim(FencingToken),
    /// May be acquired, but there is no greater token: somebody wrote the greatest.
    Exhausted,
}

/// What a hint was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Hinted {
    /// Nothing: it is stale, or known.
    Stale,
    /// It is the newest that is known.
    Taken,
    /// A hint is no ground to believe this: observe.
    Odd,
}

impl Evidence {
    pub(super) const fn new(me: RandomPart, lease: u64) -> Self {
        Self { me, known: None, highest: 0, floor: FencingToken::ZERO, longest: lease, led: false }
    }

    /// What the store was last seen to hold.
    pub fn seen(&self) -> Option<&Observation> {
        self.known.as_ref().map(|known| &known.seen)
    }

    /// The record that was last seen.
    pub fn record(&self) -> Option<&Record> {
        self.seen().and_then(|seen| seen.record.as_ref())
    }

    /// The longest lease duration seen, in nanoseconds.
    pub const fn longest(&self) -> u64 {
        self.longest
    }

    /// Whether the greatest token there is was seen, so that nobody can have a greater one.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.floor.next().is_none()
    }

    /// The highest token seen.
    pub const fn floor(&self) -> FencingToken {
        self.floor
    }

    /// The token of the last term that was seen in the present era.
    pub fn term(&self) -> FencingToken {
        self.known.as_ref().map_or(FencingToken::ZERO, |known| known.term)
    }

    /// When the record that is known was first seen.
    pub(super) fn since(&self) -> Option<Moment> {
        self.known.as_ref().map(|known| known.since)
    }

    /// Takes the numbers that are true whatever else is believed: that there was such a token, and
    /// such a lease duration.
    pub(super) fn learn(&mut self, seen: &Observation) {
        if let Some(record) = &seen.record {
            self.floor = self.floor.max(record.token);
            self.longest = self.longest.max(nanos(record));
            self.led |= record.holder().is_some();
        }
    }

    /// Takes what the store answered. Only an answer can show an older version than was seen.
    pub(super) fn take(&mut self, now: Moment, mut seen: Observation) {
        let reborn = self.is_reborn(&seen);
        self.learn(&seen);
        let known = self.known.take().filter(|known| known.seen.era == seen.era);
        let older = seen.record.is_some() && seen.version.number() < self.highest;
        let term = known.as_ref().map_or(FencingToken::ZERO, |known| known.term);
        let went_back = known.is_some() && (older || is_before(&seen, term));
        let number = seen.version.number();
        // Nothing has perhaps no version of its own, but if it has, then that was seen.
        let lost = seen.record.is_none() && known.is_some();
        self.highest = if lost { self.highest.max(number) } else { number };
        let mut since = now;
        let mut back = (went_back || reborn).then_some(now);
        if let Some(known) = known {
            back = back.or(known.back);
            if !went_back && same_write(&known.seen, &seen) {
                since = known.since;
                // Who is dead stays dead.
                seen.holder_gone |= known.seen.holder_gone;
            }
        }
        // What names nobody says nothing of terms.
        let term = match &seen.record {
            None => term,
            Some(record) if record.tenure == Tenure::Vacant => term,
            Some(record) => record.token,
        };
        self.known = Some(Known { seen, since, term, back });
    }

    /// Whether what is seen was made free in an era that knows nothing of the terms that were seen in
    /// another: whoever led there may be at work yet. (A Lease that is deleted and created again, free,
    /// by an operator or a deployment's tool.)
    fn is_reborn(&self, seen: &Observation) -> bool {
        let changed = self.known.as_ref().is_some_and(|known| known.seen.era != seen.era);
        let free = seen.record.as_ref().filter(|record| record.tenure == Tenure::Free);
        changed && self.led && free.is_some_and(|record| record.token <= self.floor)
    }

    /// Takes what one's own write left in the store: that line of history is accepted.
    pub(super) fn wrote(&mut self, now: Moment, seen: Observation) {
        self.take(now, seen);
        if let Some(known) = &mut self.known {
            known.back = None;
        }
    }

    /// Takes what the watch showed, as far as a hint can be believed.
    pub(super) fn hint(&mut self, now: Moment, hint: &Observation) -> Hinted {
        let hinted = self.weigh(hint);
        if let (Hinted::Taken, Some(known)) = (hinted, &mut self.known) {
            if hint.version.number() > self.highest {
                self.take(now, hint.clone());
            } else {
                known.seen.holder_gone = true;
            }
        }
        hinted
    }

    /// What a hint would be good for.
    pub(super) fn weigh(&self, hint: &Observation) -> Hinted {
        let Some(known) = &self.known else { return Hinted::Odd };
        if hint.era != known.seen.era {
            return Hinted::Odd;
        }
        if hint.record.is_none() {
            return if known.seen.record.is_none() { Hinted::Stale } else { Hinted::Odd };
        }
        // A death is proven for a write, not for a version: it is true however late it is heard.
        let death = hint.holder_gone && !known.seen.holder_gone && same_write(&known.seen, hint);
        let news = death || hint.version.number() > self.highest;
        if news { Hinted::Taken } else { Hinted::Stale }
    }

    /// Whether what is known is this elector's term of this token, and so its to give back.
    ///
    /// A record that a new era, or a store that went back, shows again says nothing of who led in
    /// the line that was lost: to make that free would give somebody else's lease away.
    pub(super) fn may_release(&self, token: FencingToken) -> bool {
        self.known.as_ref().is_some_and(|Known { seen, back, .. }| {
            back.is_none()
                && seen.record.as_ref().is_some_and(|record| {
                    record.is_held_by(self.me) && record.token == token && record.era == seen.era
                })
        })
    }

    /// What may be done now, by one whose work has ended.
    pub fn verdict(&self, now: Moment) -> Verdict {
        let Some(Known { seen, since, back, .. }) = &self.known else { return Verdict::Look };
        let Some(record) = &seen.record else { return Verdict::Mark };
        let native = record.era == seen.era;
        let needed = match &record.tenure {
            _ if seen.holder_gone => 0,
            Tenure::Free if native => 0,
            // A term of one's own that has ended: nobody else was ever led to work by it.
            Tenure::Held { .. } if native && record.is_held_by(self.me) => 0,
            Tenure::Held { .. } if native => nanos(record),
            // Nothing is proven: somebody unseen may believe in the longest lease there is.
            Tenure::Free | Tenure::Vacant | Tenure::Held { .. } => self.longest,
        };
        let by_record = needed.saturating_sub(now.wait(*since));
        // The lost line had a leader, perhaps, whose last renewal we have seen or not.
        let by_line = back.map_or(0, |back| self.longest.saturating_sub(now.wait(back)));
        match by_record.max(by_line) {
            0 if !native || back.is_some() => Verdict::Clear,
            0 => self
                .floor
                .max(record.token)
                .next()
                .map_or(Verdict::Exhausted, |next| Verdict::Claim(next.at_least(&seen.version))),
            rest => Verdict::Wait(rest),
        }
    }

    pub(super) fn for_each_moment(&mut self, f: &mut dyn FnMut(&mut Moment)) {
        if let Some(known) = &mut self.known {
            f(&mut known.since);
            known.back.iter_mut().for_each(f);
        }
    }
}

/// Whether a record that says who leads, or that nobody does, is of an older term than the last that was
/// seen: then the store went back, whatever its versions say. (A snapshot can be restored with greater
/// ones, and anybody's touch makes one.) Somebody else's holder may have no token.
fn is_before(seen: &Observation, term: FencingToken) -> bool {
    let Some(record) = &seen.record else { return false };
    let tells = match record.tenure {
        Tenure::Free => true,
        Tenure::Held { .. } => record.token > FencingToken::ZERO,
        // Waited out for as long in any case.
        Tenure::Vacant => false,
    };
    tells && record.token < term
}

/// Whether both show the outcome of one and the same write, whatever was touched around it.
///
/// A stamp is never used twice. A record without one could be another that looks the same, so
/// that only its version tells.
fn same_write(one: &Observation, other: &Observation) -> bool {
    one.era == other.era
        && one.record == other.record
        && (one.version == other.version || one.record.as_ref().is_some_and(|r| r.stamp.is_some()))
}

fn nanos(record: &Record) -> u64 {
    u64::try_from(record.lease_duration.as_nanos()).unwrap_or(u64::MAX)
}
