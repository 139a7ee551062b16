use std::time::Duration;

use super::{
    event::{Event, What},
    terms::Term,
    violation::Violation,
};

/// Everything that is wrong with events in the order of their time.
pub(super) fn check(events: &[Event]) -> Vec<Violation> {
    let terms = Term::all(events);
    let mut violations = Vec::new();
    overlaps(&terms, &mut violations);
    tokens(&terms, &mut violations);
    strays(events, &terms, &mut violations);
    fences(events, &mut violations);
    leaders(events, &terms, &mut violations);
    violations
}

/// Each pair of terms is reported once, by its last and so by its worst moment.
fn overlaps(terms: &[Term<'_>], violations: &mut Vec<Violation>) {
    for (i, new) in terms.iter().enumerate() {
        let after = |moment: Option<(Duration, usize)>| {
            moment.filter(|(_, event)| *event > new.began.1).map(|(at, _)| at - new.began.0)
        };
        for old in &terms[..i] {
            let (old_name, new_name) = (old.name(), new.name());
            if let Some(by) = after(old.worked) {
                violations.push(Violation::Overlap { old: old_name, new: new_name, by });
            } else if !old.froze {
                // Work that is never seen to stop is not known to: histories may be cut off.
                if let Some(by) = after(old.stopped).filter(|by| !by.is_zero()) {
                    violations.push(Violation::LateEnd { old: old_name, new: new_name, by });
                }
            }
        }
    }
}

fn tokens(terms: &[Term<'_>], violations: &mut Vec<Violation>) {
    let mut highest: Option<&Term<'_>> = None;
    for new in terms {
        match highest {
            Some(old) if new.token <= old.token => {
                violations.push(Violation::TokenNotGrown { old: old.name(), new: new.name() });
            }
            _ => highest = Some(new),
        }
    }
}

fn strays(events: &[Event], terms: &[Term<'_>], violations: &mut Vec<Violation>) {
    for (i, Event { at, candidate, what }) in events.iter().enumerate() {
        if let What::Worked { token } = what {
            let within = terms.iter().any(|term| {
                term.candidate == candidate
                    && term.token == *token
                    && term.began.1 < i
                    && term.stopped.is_none_or(|(_, stopped)| i < stopped)
            });
            if !within {
                let term = (candidate.clone(), *token);
                violations.push(Violation::WorkOutsideTerm { term, at: *at });
            }
        }
    }
}

fn fences(events: &[Event], violations: &mut Vec<Violation>) {
    let mut newest = 0;
    for Event { at, candidate, what } in events {
        match what {
            What::Admitted { token } if *token < newest => {
                let term = (candidate.clone(), *token);
                violations.push(Violation::StaleAdmitted { term, newest, at: *at });
            }
            What::Admitted { token } => newest = *token,
            What::Refused { token } if *token >= newest => {
                let term = (candidate.clone(), *token);
                violations.push(Violation::FreshRefused { term, at: *at });
            }
            _ => {}
        }
    }
}

fn leaders(events: &[Event], terms: &[Term<'_>], violations: &mut Vec<Violation>) {
    for event in events {
        if let What::Calm { within } = event.what {
            let then = event.at + within;
            let led = terms.iter().any(|term| {
                term.began.0 <= then && term.stopped.is_none_or(|(stopped, _)| stopped > then)
            });
            if !led {
                violations.push(Violation::NobodyLeads { since: event.at, within });
            }
        }
    }
}
