//! The store's atomic step: one transaction. All that a review of this backend's safety must read is
//! here.
//!
//! The lease is the value of one key. What is compared is the key's modification revision (the
//! version) and its value as it was read (the witness): where etcd was restored from a snapshot,
//! revisions come again, and the cluster's id (the era) may even stay, but a record never is the
//! same. etcd compares no cluster id; so the answer to a write says in which cluster it was made.

use etcd_client::{
    Compare, CompareOp, GetResponse, KeyValue, ResponseHeader, Txn, TxnOp, TxnOpResponse,
    TxnResponse,
};
use leasehold_core::{
    Era, FencingToken, Observation, Record, Version,
    wire::{self, Unreadable},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// What is encoded in a witness besides what is no ASCII: so that every value has a witness of its
/// own, and that of a record is the record.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// At the end of a witness: the value goes on. No encoded value ends so.
const AND_MORE: char = '…';

/// Writes the record if what is expected is there, and nothing else has been since; else shows what
/// there is. etcd does either whole, with nothing in between.
pub(crate) fn swap(key: &str, expected: &Observation, record: &Record) -> Txn {
    Txn::new()
        .when(is_still(key, expected))
        .and_then([TxnOp::put(key, record.to_json(), None)])
        .or_else([TxnOp::get(key, None)])
}

fn is_still(key: &str, expected: &Observation) -> Vec<Compare> {
    if expected.record.is_none() {
        // Whoever saw nothing replaces nothing, whatever version he names.
        return vec![Compare::create_revision(key, CompareOp::Equal, 0)];
    }
    // No believed version is above it: a record of an impossible one is replaced by nobody.
    let revision = i64::try_from(expected.version.number()).unwrap_or(i64::MAX);
    let mut compares = vec![Compare::mod_revision(key, CompareOp::Equal, revision)];
    let witness = expected.version.witness().unwrap_or_default();
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    match witness.strip_suffix(AND_MORE) {
        None => compares.push(Compare::value(key, CompareOp::Equal, decoded(witness))),
        Some(beginning) => compares.extend(begins_with(key, decoded(beginning))),
    }
    compares
}

/// Holds while the term with this token holds the lease: through all its renewals, and not once it
/// is released, taken over, deleted, or replaced by anything else.
pub(crate) fn is_current(key: &str, token: FencingToken) -> Vec<Compare> {
    begins_with(key, wire::term_beginning(token).into_bytes())
}

/// Holds where the value begins so, and goes on: it is then greater than the beginning, and less
/// than all that is greater than what begins so.
fn begins_with(key: &str, beginning: Vec<u8>) -> Vec<Compare> {
    let mut end = beginning.clone();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    let mut compares = vec![Compare::value(key, CompareOp::Greater, beginning)];
    if let Some(last) = end.last_mut() {
        *last += 1;
        compares.push(Compare::value(key, CompareOp::Less, end));
    }
    compares
}

/// What etcd shows of a lease, not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) cluster: u64,
    /// That of the last write of the lease; where nothing is, that of etcd itself, or of the
    /// deletion.
    pub(crate) revision: i64,
    pub(crate) value: Option<Value>,
}

/// What is kept under a lease's key.
///
/// What is longer than any record is not parsed, and known by its beginning: whatever begins so and
/// goes on is no record either, so that nobody's lease is ever replaced for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    beginning: Vec<u8>,
    length: usize,
}

impl Value {
    pub(crate) fn new(whole: &[u8]) -> Self {
        let beginning = &whole[..whole.len().min(wire::LONGEST)];
        Self { beginning: beginning.to_vec(), length: whole.len() }
    }

    fn witness(&self) -> String {
        let mut witness = percent_encode(&self.beginning, ENCODED).to_string();
        if self.length > self.beginning.len() {
            witness.push(AND_MORE);
        }
        witness
    }

    fn record(&self) -> Result<Record, Unreadable> {
        if self.length > self.beginning.len() {
            let (length, longest) = (self.length, wire::LONGEST);
            let why = format!("{length} bytes long, at most {longest} are read");
            return Err(Unreadable::Foreign(why));
        }
        Record::from_json(&self.beginning)
    }
}

/// How a record is unreadable that is there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    #[error(transparent)]
    Record(#[from] Unreadable),
    #[error("its revision is above 2^62")]
    Version,
}

impl Seen {
    /// The answer to a linearizable read of the key. None: it makes no sense.
    pub(crate) fn observed(answer: &GetResponse) -> Option<Self> {
        Some(Self::shown(answer.header()?, answer.kvs().first()))
    }

    /// The answer to [`swap`]: whether the record was written, and what is there now. None: it
    /// makes no sense.
    pub(crate) fn swapped(answer: &TxnResponse, record: &Record) -> Option<(bool, Self)> {
        let header = answer.header()?;
        if answer.succeeded() {
            // A transaction that writes is one revision, which its answer names.
            let (cluster, revision) = (header.cluster_id(), header.revision());
            let value = Some(Value::new(record.to_json().as_bytes()));
            return Some((true, Self { cluster, revision, value }));
        }
        match answer.op_responses().first()? {
            TxnOpResponse::Get(there) => Some((false, Self::shown(header, there.kvs().first()))),
            _ => None,
        }
    }

    fn shown(header: &ResponseHeader, kept: Option<&KeyValue>) -> Self {
        Self {
            cluster: header.cluster_id(),
            revision: kept.map_or(header.revision(), KeyValue::mod_revision),
            value: kept.map(|kept| Value::new(kept.value())),
        }
    }

    pub(crate) fn era(&self) -> Era {
        Era::new(format!("{:x}", self.cluster))
    }

    /// What a candidate is shown. Something unreadable is vacant, and the flaw says why.
    pub(crate) fn judged(&self) -> (Observation, Option<Flaw>) {
        let era = self.era();
        let number = u64::try_from(self.revision).unwrap_or_default();
        let version = Version::new(number.min(Version::MAX)).unwrap_or(Version::ABSENT);
        let Some(value) = &self.value else {
            return (Observation::absent(era, version), None);
        };
        let version = version.with_witness(value.witness());
        let readable = match value.record() {
            Ok(_) if number > Version::MAX => Err(Flaw::Version),
            Ok(record) => Ok(record),
            Err(unreadable) => Err(Flaw::Record(unreadable)),
        };
        match readable {
            Ok(record) => (Observation::of(era, version, record), None),
            Err(flaw) => {
                (Observation::of(era.clone(), version, Record::unreadable(era)), Some(flaw))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_witness_of_its_own_that_gives_it_back() {
        let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
        let values: [&[u8]; 9] = [
            b"",
            b"%",
            b"%25",
            b"{\"leasehold\":1}",
            "pod-ä…".as_bytes(),
            &[0xff, 0xfe, 0, 0x80, 0xc3, 0x28],
            &all_bytes,
            &[b'x'; wire::LONGEST],
            &[0xff; wire::LONGEST],
        ];
        for value in values {
            let witness = Value::new(value).witness();
            assert!(!witness.ends_with(AND_MORE));
            assert_eq!(percent_decode_str(&witness).collect::<Vec<_>>(), value, "{witness}");
        }
        let long = Value::new(&[b'x'; wire::LONGEST + 1]).witness();
        assert_ne!(long, Value::new(&[b'x'; wire::LONGEST]).witness());
        assert!(long.ends_with(AND_MORE));
    }
}
