//! What a Lease says: which of its words are believed, and what a candidate is shown.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use kube::core::DynamicObject;
use leasehold_core::{
    Era, FencingToken, Observation, RandomPart, Record, Stamp, Tenure, Version,
    wire::{self, Unreadable},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a record of ours is kept whole, beside the fields that everybody understands.
pub(crate) const ANNOTATION: &str = "leasehold.dev/record";

/// Whom the cluster would rather have lead. It is for the leader to step down, and for the next term
/// to forget.
pub(crate) const PREFERRED: &str = "preferredHolder";

/// The holder of a vacant Lease, for those who know no other way of saying that it has to be waited
/// out: to them an empty one is free.
const VACANT: &str = "(vacant)";

/// The era of what is not there. What is, has a uid.
pub(crate) const NOWHERE: &str = "none";

/// The longest annotation that is parsed: a record, and what it agrees with.
const LONGEST: usize = wire::LONGEST + 256;

/// The longest name of somebody else's holder that is shown, in characters.
const LONGEST_NAME: usize = 253;

/// What else the annotation says, for the fields to agree with.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreement {
    /// `acquireTime`, as it is written there.
    acquired: String,
    /// `leaseTransitions`.
    transitions: i64,
}

/// The fields of a Lease that everybody understands. Not all that one may hold is sensible, nor known
/// to the client library: a time close to the year 10000 must lock nobody out.
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl Fields<'_> {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.0.get(field).and_then(Value::as_i64)
    }

    pub(crate) fn transitions(&self) -> i64 {
        self.number("leaseTransitions").unwrap_or(0)
    }

    pub(crate) fn agreement(&self) -> Agreement {
        let acquired = self.text("acquireTime").to_owned();
        Agreement { acquired, transitions: self.transitions() }
    }
}

/// What a candidate is shown of a Lease.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) observation: Observation,
    /// Why it is not believed, where it is not.
    pub(crate) flaw: Option<String>,
    /// Somebody holds it who is none of ours.
    pub(crate) foreign: bool,
}

/// Why nothing can be shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unshowable {
    #[error("it is {0}")]
    Newer(Unreadable),
    #[error("the apiserver shows a Lease {0}; see what stands between")]
    Nonsense(&'static str),
}

/// Nothing is there.
pub(crate) fn absent() -> Observation {
    Observation::absent(Era::new(NOWHERE), Version::ABSENT)
}

/// What the apiserver shows, as an observation. Its witness is the whole object, so that a swap
/// replaces nothing that it does not mean to: labels, owners, other people's annotations.
///
/// # Errors
/// It is of a newer format, or no Lease that a real apiserver shows.
pub(crate) fn shown(mut object: DynamicObject) -> Result<Shown, Unshowable> {
    // Who set which field is large, and of no use to anybody here.
    object.metadata.managed_fields = None;
    let witness = serde_json::to_string(&object)
        .map_err(|_| Unshowable::Nonsense("that cannot be written down again"))?;
    let DynamicObject { metadata, data, .. } = object;
    let uid = metadata.uid.filter(|uid| !uid.is_empty() && uid != NOWHERE);
    let era = Era::new(uid.ok_or(Unshowable::Nonsense("without a uid"))?);
    let number = metadata.resource_version.and_then(|version| version.parse().ok());
    let version = number
        .filter(|number| *number != 0)
        .and_then(Version::new)
        .ok_or(Unshowable::Nonsense("without a resourceVersion that is a number"))?;
    let fields = Fields(data.get("spec").unwrap_or(&Value::Null));
    let annotation = metadata.annotations.unwrap_or_default().remove(ANNOTATION);
    let preferred = Some(fields.text(PREFERRED)).filter(|name| !name.is_empty()).map(plain);
    let seen = Observation::absent(era.clone(), version.with_witness(witness));
    let seen = Observation { preferred, ..seen };
    let version = seen.version.number();

    let mut flaw = None;
    let mut released = annotation.is_none();
    if let Some(text) = &annotation {
        match believed(text, &fields, &era, version) {
            Ok(record) => {
                let observation = Observation { record: Some(record), ..seen };
                return Ok(Shown { observation, flaw: None, foreign: false });
            }
            Err(Doubt::Newer(newer)) => return Err(Unshowable::Newer(newer)),
            Err(Doubt::Superseded { released: ours }) => released = ours,
            Err(Doubt::Because(why)) => flaw = Some(why),
        }
    }
    let stamp = Some(fingerprint(&fields, annotation.as_deref()));
    let (tenure, lease_duration, why) = of_fields(&fields, released);
    let foreign = flaw.is_none() && matches!(tenure, Tenure::Held { .. });
    // Whatever others wrote since, one of ours may live and believe in what it wrote itself.
    let promised = annotation.as_deref().filter(|_| !released).map_or(Duration::ZERO, promised);
    let lease_duration = lease_duration.max(promised);
    let record = Record { era, token: FencingToken::ZERO, lease_duration, stamp, tenure };
    let observation = Observation { record: Some(record), ..seen };
    Ok(Shown { observation, flaw: why.or(flaw), foreign })
}

/// Why an annotation of ours is not believed.
enum Doubt {
    Newer(Unreadable),
    /// Somebody has held the lease since who knows nothing of it. Whoever held it of us may live yet,
    /// unless its term was released before.
    Superseded {
        released: bool,
    },
    Because(String),
}

/// The record that an annotation says, if all that everybody can see agrees with it.
///
/// Whoever writes to a Lease and knows nothing of this library leaves the annotation as it is. So it
/// is the truth only where holder, time of acquisition, duration and transitions are still those
/// that were written together with it. Its token is no news either, ever: a term's token is at most
/// the version that was replaced, and so below the version that the apiserver itself vouches for.
/// One that claims more would be believed by every fence, and never be reached again.
fn believed(text: &str, fields: &Fields<'_>, era: &Era, version: u64) -> Result<Record, Doubt> {
    let doubt = |why: &str| Err(Doubt::Because(why.to_owned()));
    if text.len() > LONGEST {
        return doubt("its annotation is longer than any of ours");
    }
    let mut record = match Record::from_json(text.as_bytes()) {
        Ok(record) => record,
        Err(newer @ Unreadable::Newer(_)) => return Err(Doubt::Newer(newer)),
        Err(Unreadable::Foreign(why)) => {
            return Err(Doubt::Because(format!("its annotation: {why}")));
        }
    };
    let Ok(agreement) = serde_json::from_str::<Agreement>(text) else {
        return doubt("its annotation says nothing of when it was acquired");
    };
    let there = fields.agreement();
    if there.transitions > agreement.transitions {
        let released = record.tenure == Tenure::Free && record.era == *era;
        return Err(Doubt::Superseded { released });
    }
    if there != agreement
        || fields.number("leaseDurationSeconds") != rounded_up(record.lease_duration)
        || fields.text("holderIdentity") != identity(&record)
    {
        return doubt(
            "its annotation does not agree with its fields: it was written to by another",
        );
    }
    if record.token.number() >= version {
        return doubt("its annotation claims a token above the Lease's own version");
    }
    if record.era.as_str() == NOWHERE {
        // As it was created, when nobody knew its uid yet: then nothing can have been proven.
        if record.tenure != Tenure::Vacant {
            return doubt("its annotation was written to another Lease");
        }
        record.era = era.clone();
    }
    Ok(record)
}

/// The lease duration that an annotation was written with, whatever became of the Lease.
fn promised(annotation: &str) -> Duration {
    let short = Some(annotation.as_bytes()).filter(|text| text.len() <= LONGEST);
    let record = short.and_then(|text| Record::from_json(text).ok());
    record.map_or(Duration::ZERO, |record| record.lease_duration)
}

/// What the fields alone say. An empty holder is a release only if no leader of ours can be alive
/// under it.
fn of_fields(fields: &Fields<'_>, released: bool) -> (Tenure, Duration, Option<String>) {
    let seconds = fields.number("leaseDurationSeconds");
    let duration = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let duration = duration.map(Duration::from_secs);
    let duration = duration.filter(|it| !it.is_zero() && *it <= Record::LONGEST_LEASE);
    match (fields.text("holderIdentity"), duration) {
        ("", duration) if released => (Tenure::Free, duration.unwrap_or_default(), None),
        ("", _) => {
            let why = "its holder is blank, and nothing shows that it was released";
            (Tenure::Vacant, Duration::ZERO, Some(why.to_owned()))
        }
        (VACANT, _) => (Tenure::Vacant, Duration::ZERO, None),
        (holder, Some(duration)) => (Tenure::Held { holder: plain(holder) }, duration, None),
        (holder, None) => {
            let why = format!("its leaseDurationSeconds is missing or absurd, held by {holder:?}");
            (Tenure::Vacant, Duration::ZERO, Some(why))
        }
    }
}

/// The holder as others see it. The random part keeps two of one name apart for client-go, too.
pub(crate) fn identity(record: &Record) -> String {
    match (&record.tenure, record.stamp) {
        (Tenure::Held { holder }, Some(Stamp { author, .. })) => format!("{holder}_{author}"),
        (Tenure::Held { holder }, None) => holder.to_string(),
        (Tenure::Free, _) => String::new(),
        (Tenure::Vacant, _) => VACANT.to_owned(),
    }
}

/// Whole seconds, never fewer than were meant. None for no duration: zero is not allowed there.
pub(crate) fn rounded_up(duration: Duration) -> Option<i64> {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    (seconds > 0).then(|| seconds.min(i32::MAX as u64) as i64)
}

/// A name that can be shown in a line.
fn plain(holder: &str) -> Arc<str> {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    holder.chars().take(LONGEST_NAME).map(shown).collect::<String>().into()
}

/// Tells one write of somebody who stamps nothing from the next: `renewTime` is of microseconds, and
/// differs in each. So a label that is added restarts nobody's wait.
fn fingerprint(fields: &Fields<'_>, annotation: Option<&str>) -> Stamp {
    let mut hasher = DefaultHasher::new();
    fields.0.to_string().hash(&mut hasher);
    annotation.hash(&mut hasher);
    Stamp { author: RandomPart::new(hasher.finish()), attempt: 0 }
}
