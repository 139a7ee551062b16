use std::{collections::HashMap, fmt::Display};

use leasehold_core::{Error, ErrorKind};
use leasehold_endpoint::cause;
use redis::{ParsingError, RedisError};

use crate::{advice::advice, config::Address, trouble::Trouble};

/// What a server, or the way to it, refused: an error that says what to do about it.
///
/// It has no source, which would say the same once more: all that was said is in the message.
pub(crate) fn failed(operation: &str, server: impl Display, error: &RedisError) -> Error {
    let (kind, advice) = advice(error);
    // These are codes, or about commands that nobody has typed: the advice says it in words.
    let coded = match error.code() {
        Some(code) => code.starts_with("LEASEHOLD") || code == "NOAUTH",
        None => matches!(cause(error), Some(Trouble::NoCluster)),
    };
    let said = if coded { String::new() } else { format!("{}; ", said(error)) };
    // One server is named by the operation already; of several, nobody knows which it was.
    let alone = operation.contains(&format!("\" at {server}"));
    let which = if alone { String::new() } else { format!("{server}: ") };
    Error::new(kind, operation.to_owned(), format!("{which}{said}{advice}"))
}

/// The server's own words, or the system's, without what it repeats of ours.
fn said(error: &RedisError) -> String {
    let all = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    };
    let ends = [", with args", " script: ", "\n"].into_iter().filter_map(|end| all.find(end));
    all[..ends.min().unwrap_or(all.len())].to_owned()
}

/// An answer that is none of the scripts'.
pub(crate) fn nonsense(operation: &str, error: &ParsingError) -> Error {
    let message = "the server answered with something else than its script returns; see whether \
                   a proxy stands between";
    Error::new(ErrorKind::Unexpected, operation.to_owned(), message).with_source(error.clone())
}

pub(crate) fn sent_around(operation: &str, times: usize) -> Error {
    Error::new(
        ErrorKind::Unexpected,
        operation.to_owned(),
        format!(
            "sent on from server to server {times} times; see CLUSTER SLOTS on each: they do not \
             agree on who keeps the lease's slot"
        ),
    )
}

pub(crate) fn unknown_master(operation: &str, sentinel: impl Display, master: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        operation.to_owned(),
        format!(
            "the sentinel {sentinel} knows no master {master:?}: see SENTINEL MASTERS for the names"
        ),
    )
}

pub(crate) fn no_majority(
    operation: &str,
    sentinels: usize,
    votes: &HashMap<Address, usize>,
) -> Error {
    let mut said: Vec<_> =
        votes.iter().map(|(master, count)| format!("{count} say {master}")).collect();
    said.sort();
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        format!(
            "of {sentinels} sentinels more than half must agree on the master, and {}; see whether \
             they run, and reach each other",
            if said.is_empty() { "none answered".to_owned() } else { said.join(", ") }
        ),
    )
}
