//! The store's atomic step: a PUT that names the uid and the resourceVersion of what it replaces.
//! What a review of this backend's safety must read is here and in [`judge`](crate::judge).
//!
//! * With the resourceVersion alone, a PUT on a Lease that was deleted would create it again. With
//!   the uid it is refused.
//! * Where nothing is, nothing but a vacant record is ever created: what gives the lease to somebody
//!   is written over that, by a PUT that knows its uid.
//! * That nothing is there, and that a write was refused, is believed of the apiserver alone, in its
//!   own words about a Lease. All else is an error: unknown.

use k8s_openapi::{
    api::coordination::v1::Lease,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api,
    api::PostParams,
    core::{ApiResource, DynamicObject, Status},
};
use leasehold_core::{Observation, Record, Tenure};
use serde_json::{Map, Value, json};

use crate::judge::{self, ANNOTATION, Agreement, Fields, PREFERRED, identity, rounded_up};

/// Who sets the fields of a Lease, as the apiserver keeps it.
const MANAGER: &str = "leasehold";

/// A time that is further in the future than this is nobody's clock that was set back: it is not
/// gone on from.
const LONGEST_STEP_BACK: SignedDuration = SignedDuration::from_hours(24);

/// So fine are the times of a Lease.
const MICROSECOND: SignedDuration = SignedDuration::from_micros(1);

/// Leases, read as they are: what this version does not know of a Lease it leaves alone.
pub(crate) fn leases() -> ApiResource {
    ApiResource::erase::<Lease>(&())
}

/// Which Lease.
pub(crate) struct Name<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) lease: &'a str,
}

/// What the apiserver decided.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
pub(crate) enum Step {
    Written(DynamicObject),
    /// Something else than what was named is there. Nothing was written.
    Refused,
}

/// What is there, or that nothing is.
///
/// # Errors
/// It is unknown.
pub(crate) async fn look(
    api: &Api<DynamicObject>,
    name: &str,
) -> kube::Result<Option<DynamicObject>> {
    match api.get(name).await {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if is_absence(&status) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Only the apiserver's own word that there is no such Lease: a path that is not served, or a proxy,
/// answers with the same number.
fn is_absence(status: &Status) -> bool {
    status.code == 404
        && status.reason == "NotFound"
        && status
            .details
            .as_ref()
            .is_some_and(|details| details.kind == "leases" && !details.name.is_empty())
}

/// Replaces exactly what was expected. A refusal does not show what is there: that is another
/// request, and whoever gives up waiting for its answer must not forget that this one was refused.
///
/// # Errors
/// It is unknown whether it was replaced.
pub(crate) async fn swap(
    api: &Api<DynamicObject>,
    name: &Name<'_>,
    expected: &Observation,
    record: &Record,
    mixed_fleet: bool,
) -> kube::Result<Step> {
    let replaced = async |expected: &Observation, record: &Record| match replacement(
        expected,
        record,
        mixed_fleet,
    ) {
        Some(object) => replace(api, &object, false).await,
        // Nothing that this backend has shown can be there.
        None => Ok(Step::Refused),
    };
    if expected.record.is_some() {
        return replaced(expected, record).await;
    }
    let created = match create(api, &vacant(name, record), false).await? {
        Step::Written(created) if record.tenure != Tenure::Vacant => created,
        step => return Ok(step),
    };
    // What cannot be shown cannot be written over: of this record nothing was sent.
    let Ok(created) = judge::shown(created) else { return Ok(Step::Refused) };
    let record = Record { era: created.observation.era.clone(), ..record.clone() };
    replaced(&created.observation, &record).await
}

/// Asks whether an election could write over what was seen, without doing it.
///
/// # Errors
/// It could not.
pub(crate) async fn rehearse(
    api: &Api<DynamicObject>,
    name: &Name<'_>,
    seen: &Observation,
) -> kube::Result<()> {
    match &seen.record {
        Some(record) => {
            if let Some(object) = replacement(seen, record, false) {
                replace(api, &object, true).await?;
            }
        }
        None => {
            create(api, &vacant(name, &Record::unreadable(seen.era.clone())), true).await?;
        }
    }
    Ok(())
}

/// Creates a Lease that is not there. It names nobody: see above.
///
/// # Errors
/// It is unknown whether it was created.
async fn create(api: &Api<DynamicObject>, object: &DynamicObject, dry: bool) -> kube::Result<Step> {
    let how = PostParams { dry_run: dry, field_manager: Some(MANAGER.to_owned()) };
    decided(api.create(&how, object).await)
}

/// Replaces exactly the Lease whose uid and resourceVersion the object bears.
///
/// # Errors
/// It is unknown whether it was replaced.
async fn replace(
    api: &Api<DynamicObject>,
    object: &DynamicObject,
    dry: bool,
) -> kube::Result<Step> {
    let how = PostParams { dry_run: dry, field_manager: Some(MANAGER.to_owned()) };
    let name = object.metadata.name.as_deref().unwrap_or_default();
    decided(api.replace(name, &how, object).await)
}

/// Only the apiserver's own words are a refusal: a proxy on the way has its numbers, too.
fn decided(answer: kube::Result<DynamicObject>) -> kube::Result<Step> {
    match answer {
        Ok(object) => Ok(Step::Written(object)),
        Err(kube::Error::Api(status)) => {
            let about_a_lease =
                status.details.as_ref().is_some_and(|details| details.kind == "leases");
            let refused = matches!(
                (status.code, status.reason.as_str()),
                (409, "Conflict" | "AlreadyExists") | (404, "NotFound")
            );
            match refused && about_a_lease {
                true => Ok(Step::Refused),
                false => Err(kube::Error::Api(status)),
            }
        }
        Err(error) => Err(error),
    }
}

/// What is to be created where nothing is, for a record of no uid.
fn vacant(name: &Name<'_>, record: &Record) -> DynamicObject {
    let record = Record { tenure: Tenure::Vacant, ..record.clone() };
    let mut object = DynamicObject::new(name.lease, &leases()).within(name.namespace);
    write(&mut object, None, &record, now());
    object
}

/// The Lease that replaces the expected one: it, with the record in the place of its own. None
/// where that is nothing which this backend has shown.
fn replacement(
    expected: &Observation,
    record: &Record,
    mixed_fleet: bool,
) -> Option<DynamicObject> {
    let mut object: DynamicObject = serde_json::from_str(expected.version.witness()?).ok()?;
    object.metadata.uid = Some(expected.era.to_string());
    object.metadata.resource_version = Some(expected.version.number().to_string());
    let spec = object.data.get("spec").unwrap_or(&Value::Null);
    let renews = expected.record.as_ref().is_some_and(|replaced| same_term(replaced, record));
    let now = later(Fields(spec).text("renewTime"), now(), mixed_fleet && renews);
    write(&mut object, Some(expected), record, now);
    Some(object)
}

/// Writes a record into the fields that everybody understands, and whole into the annotation.
fn write(
    object: &mut DynamicObject,
    expected: Option<&Observation>,
    record: &Record,
    now: Timestamp,
) {
    if !object.data["spec"].is_object() {
        object.data["spec"] = json!({});
    }
    let spec = &mut object.data["spec"];
    let held = matches!(record.tenure, Tenure::Held { .. });
    let replaced = expected.and_then(|expected| expected.record.as_ref());
    let begins = held && !replaced.is_some_and(|replaced| same_term(replaced, record));
    if begins {
        let before = Fields(spec).transitions().clamp(0, i64::from(i32::MAX) - 1);
        spec["leaseTransitions"] = json!(before + 1);
        spec["acquireTime"] = json!(written(now));
    }
    // A wish is for one term: who leads now was preferred, or nobody better was there.
    let fulfilled = record.holder().zip(record.stamp).is_some_and(|(name, stamp)| {
        expected.is_some_and(|expected| expected.prefers(name, stamp.author))
    });
    if (begins || fulfilled)
        && let Some(spec) = spec.as_object_mut()
    {
        spec.remove(PREFERRED);
    }
    spec["holderIdentity"] = json!(identity(record));
    spec["leaseDurationSeconds"] = json!(rounded_up(record.lease_duration));
    spec["renewTime"] = json!(written(now));
    let annotation = annotation(record, &Fields(spec).agreement());
    object.metadata.annotations.get_or_insert_default().insert(ANNOTATION.to_owned(), annotation);
}

fn same_term(replaced: &Record, record: &Record) -> bool {
    let author = |record: &Record| record.stamp.map(|stamp| stamp.author);
    matches!(replaced.tenure, Tenure::Held { .. })
        && replaced.token == record.token
        && author(replaced) == author(record)
        && identity(replaced) == identity(record)
}

/// The wall clock, for people to read, to the microsecond: so much is kept.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// A time as the apiserver wants and shows it, always with six digits behind the point.
fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// Now, or a moment later than what is written already: no two writes are alike. client-go reads whole
/// seconds, and compares what it reads with its last look alone. So for it each renewal is of a second
/// that its term has never shown before, also while the wall clock is set back. (It knows a new term by
/// its holder and its `leaseTransitions`, so that handovers in one second need not run ahead of it.)
fn later(renewed: &str, now: Timestamp, whole_seconds: bool) -> Timestamp {
    let Ok(renewed) = renewed.parse::<Timestamp>() else { return now };
    let (next, ahead) = match whole_seconds {
        true => (Timestamp::from_second(renewed.as_second() + 1), LONGEST_STEP_BACK),
        false => (renewed.checked_add(MICROSECOND), MICROSECOND),
    };
    match next {
        Ok(next) if next > now && next.duration_since(now) <= ahead => next,
        _ => now,
    }
}

/// The record in its written form, with what its fields are to agree with.
fn annotation(record: &Record, agreement: &Agreement) -> String {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let mut all = object(&record.to_json());
    // Numbers only: there is nothing that could fail.
    all.extend(object(&serde_json::to_string(agreement).unwrap_or_default()));
    Value::Object(all).to_string()
}
