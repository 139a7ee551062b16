//! The store's atomic step: a PUT that names the uid and the resourceVersion of what it replaces.
//! What a review of this backend's safety must read is here and in [`judge`](crate::judge).
//!
//! * With the resourceVersion alone, a PUT on a Lease that was deleted would create it again. With
//!   the uid it is refused.
//! * Where nothing is, nothing but a vacant record is ever created: what gives the lease to somebody
//!   is written over that, by a PUT that knows its uid.

use k8s_openapi::{
    api::coordination::v1::Lease,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api,
    api::PostParams,
    core::{ApiResource, DynamicObject},
};
use leasehold_core::{Observation, Record, Tenure};
use serde_json::{Map, Value, json};

use crate::judge::{ANNOTATION, Agreement, Fields, PREFERRED, identity, rounded_up};

/// Who sets the fields of a Lease, as the apiserver keeps it.
const MANAGER: &str = "leasehold";

/// How much of a written time tells the second: `2026-11-23T13:33:45`.
const SECONDS: usize = 19;

/// Leases, read as they are: what this version does not know of a Lease it leaves alone.
pub(crate) fn leases() -> ApiResource {
    ApiResource::erase::<Lease>(&())
}

/// What the apiserver decided.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
pub(crate) enum Step {
    Written(DynamicObject),
    /// Something else than what was named is there. Nothing was written.
    Refused,
}

/// Creates a Lease that is not there. It names nobody: see above.
///
/// # Errors
/// It is unknown whether it was created.
pub(crate) async fn create(
    api: &Api<DynamicObject>,
    object: &DynamicObject,
    dry: bool,
) -> kube::Result<Step> {
    let how = PostParams { dry_run: dry, field_manager: Some(MANAGER.to_owned()) };
    decided(api.create(&how, object).await)
}

/// Replaces exactly the Lease whose uid and resourceVersion the object bears.
///
/// # Errors
/// It is unknown whether it was replaced.
pub(crate) async fn replace(
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
pub(crate) fn vacant(namespace: &str, name: &str, record: &Record) -> DynamicObject {
    let record = Record { tenure: Tenure::Vacant, ..record.clone() };
    let mut object = DynamicObject::new(name, &leases()).within(namespace);
    write(&mut object, None, &record, now());
    object
}

/// The Lease that replaces the expected one: it, with the record in the place of its own. None
/// where that is nothing which this backend has shown.
pub(crate) fn replacement(
    expected: &Observation,
    record: &Record,
    mixed_fleet: bool,
) -> Option<DynamicObject> {
    let mut object: DynamicObject = serde_json::from_str(expected.version.witness()?).ok()?;
    object.metadata.uid = Some(expected.era.to_string());
    object.metadata.resource_version = Some(expected.version.number().to_string());
    let spec = object.data.get("spec").unwrap_or(&Value::Null);
    let now = later(Fields(spec).text("renewTime"), now(), mixed_fleet);
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

/// Now, or a moment later where that is what is written already: no two renewals are alike. client-go
/// reads whole seconds, and sees no renewal within the one of the last.
fn later(renewed: &str, now: Timestamp, mixed_fleet: bool) -> Timestamp {
    let pause = match written(now) {
        text if mixed_fleet && renewed.get(..SECONDS) == text.get(..SECONDS) => {
            SignedDuration::from_secs(1)
        }
        text if renewed == text => SignedDuration::from_micros(1),
        _ => SignedDuration::ZERO,
    };
    now.saturating_add(pause).unwrap_or(now)
}

/// The record in its written form, with what its fields are to agree with.
fn annotation(record: &Record, agreement: &Agreement) -> String {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
    let mut all = object(&record.to_json());
    // Numbers only: there is nothing that could fail.
    all.extend(object(&serde_json::to_string(agreement).unwrap_or_default()));
    Value::Object(all).to_string()
}
