//! The store's atomic step: a PUT that names the uid and the resourceVersion of what it replaces.
//! What a review of this backend's safety must read is here and in [`judge`](crate::judge).
//!
//! * With the resourceVersion alone, a PUT on a Lease that was deleted would create it again. With
//!   the uid it is refused.
//! * Where nothing is, nothing but a vacant record is ever created: what gives the lease to somebody
//!   is written over that, by a PUT that knows its uid.

use k8s_openapi::{
    api::coordination::v1::{Lease as Object, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use leasehold_core::{Observation, Record, Tenure};
use serde_json::{Map, Value};

use crate::judge::{ANNOTATION, Agreement, identity, rounded_up};

/// Who sets the fields of a Lease, as the apiserver keeps it.
const MANAGER: &str = "leasehold";

/// What the apiserver decided.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
pub(crate) enum Step {
    Written(Object),
    /// Something else than what was named is there. Nothing was written.
    Refused,
}

/// Creates a Lease that is not there. It names nobody: see above.
///
/// # Errors
/// It is unknown whether it was created.
pub(crate) async fn create(api: &Api<Object>, object: &Object, dry: bool) -> kube::Result<Step> {
    let how = PostParams { dry_run: dry, field_manager: Some(MANAGER.to_owned()) };
    decided(api.create(&how, object).await)
}

/// Replaces exactly the Lease whose uid and resourceVersion the object bears.
///
/// # Errors
/// It is unknown whether it was replaced.
pub(crate) async fn replace(api: &Api<Object>, object: &Object, dry: bool) -> kube::Result<Step> {
    let how = PostParams { dry_run: dry, field_manager: Some(MANAGER.to_owned()) };
    let name = object.metadata.name.as_deref().unwrap_or_default();
    decided(api.replace(name, &how, object).await)
}

/// Only the apiserver's own words are a refusal: a proxy on the way has its numbers, too.
fn decided(answer: kube::Result<Object>) -> kube::Result<Step> {
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
pub(crate) fn vacant(namespace: &str, name: &str, record: &Record) -> Object {
    let record = Record { tenure: Tenure::Vacant, ..record.clone() };
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ObjectMeta::default()
    };
    let mut object = Object { metadata, spec: None };
    write(&mut object, None, &record, Timestamp::now());
    object
}

/// The Lease that replaces the expected one: it, with the record in the place of its own. None
/// where that is nothing which this backend has shown.
pub(crate) fn replacement(expected: &Observation, record: &Record) -> Option<Object> {
    let mut object: Object = serde_json::from_str(expected.version.witness()?).ok()?;
    object.metadata.uid = Some(expected.era.to_string());
    object.metadata.resource_version = Some(expected.version.number().to_string());
    write(&mut object, expected.record.as_ref(), record, Timestamp::now());
    Some(object)
}

/// Writes a record into the fields that everybody understands, and whole into the annotation.
fn write(object: &mut Object, replaced: Option<&Record>, record: &Record, now: Timestamp) {
    let spec = object.spec.get_or_insert_default();
    let held = matches!(record.tenure, Tenure::Held { .. });
    if held && !replaced.is_some_and(|replaced| same_term(replaced, record)) {
        spec.acquire_time = Some(MicroTime(now));
        let before = spec.lease_transitions.unwrap_or(0).max(0);
        spec.lease_transitions = Some(before.saturating_add(1));
    }
    spec.holder_identity = Some(identity(record));
    spec.lease_duration_seconds = rounded_up(record.lease_duration);
    spec.renew_time = Some(MicroTime(later(spec, now)));

    let agreement = Agreement {
        // The apiserver keeps microseconds.
        acquired: spec.acquire_time.as_ref().map(|time| time.0.as_microsecond()),
        transitions: spec.lease_transitions,
    };
    let annotation = annotation(record, &agreement);
    object.metadata.annotations.get_or_insert_default().insert(ANNOTATION.to_owned(), annotation);
}

fn same_term(replaced: &Record, record: &Record) -> bool {
    let author = |record: &Record| record.stamp.map(|stamp| stamp.author);
    matches!(replaced.tenure, Tenure::Held { .. })
        && replaced.token == record.token
        && author(replaced) == author(record)
        && identity(replaced) == identity(record)
}

/// Now, or a moment later where that is what is written already: no two renewals are alike.
fn later(spec: &LeaseSpec, now: Timestamp) -> Timestamp {
    let micros = |time: Timestamp| time.as_microsecond();
    match &spec.renew_time {
        Some(renewed) if micros(renewed.0) == micros(now) => {
            now.saturating_add(SignedDuration::from_micros(1)).unwrap_or(now)
        }
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
