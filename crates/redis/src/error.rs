use std::{fmt::Display, time::Duration};

use leasehold_core::{Error, ErrorKind};
use redis::{ErrorKind as Cause, ParsingError, RedisError, ServerErrorKind as Server};

/// What a server, or the way to it, refused: an error that says what to do about it.
pub(crate) fn failed(operation: &str, server: impl Display, error: &RedisError) -> Error {
    let (kind, advice) = advice(error);
    // What the scripts say is for this place; the advice says it in words.
    let said = match said(error) {
        code if code.starts_with("LEASEHOLD") => String::new(),
        said => format!("{said}; "),
    };
    let server = server.to_string();
    // One server is named by the operation already; of several, one does not know which it was.
    let which = if operation.contains(&server) { String::new() } else { format!("{server}: ") };
    Error::new(kind, operation.to_owned(), format!("{which}{said}{advice}"))
        .with_source(error.clone())
}

fn advice(error: &RedisError) -> (ErrorKind, String) {
    let (kind, advice) = match (error.kind(), error.code().unwrap_or_default()) {
        (_, "LEASEHOLD-NOPERM") => {
            let command = error.detail().unwrap_or("a command").to_owned();
            let advice = format!(
                "this user may not use {command} (on the lease's key and channel): give it \
                 ~leasehold:* &leasehold:* +eval +evalsha +info +time +exists +hmget +hset \
                 +publish +subscribe +unsubscribe"
            );
            return (ErrorKind::Denied, advice);
        }
        (_, "LEASEHOLD-OLD") => (
            ErrorKind::Invalid,
            "this server is too old, or lacks what Redis 7 and Valkey have: update it",
        ),
        (_, "LEASEHOLD-CLOCK") => (
            ErrorKind::Unexpected,
            "the server's clock, or the lease's version, is beyond the year 2112: set the clock, \
             and delete the lease's key",
        ),
        (Cause::Server(Server::NoPerm), _) => (
            ErrorKind::Denied,
            "give this user ~leasehold:* &leasehold:* +eval +evalsha +info +time +exists +hmget \
             +hset +publish +subscribe +unsubscribe",
        ),
        (Cause::AuthenticationFailed, _) | (_, "WRONGPASS" | "NOAUTH") => {
            (ErrorKind::Denied, "check the user and the password")
        }
        (_, "WRONGTYPE") => (
            ErrorKind::Invalid,
            "something else is kept under the lease's key leasehold:NAME: choose another name, or \
             move it away",
        ),
        (Cause::Server(Server::ReadOnly), _) => (
            ErrorKind::Denied,
            "this is a replica, which may lag and takes no writes: name the master, or the \
             sentinels",
        ),
        (Cause::Server(Server::Moved | Server::Ask | Server::CrossSlot), _) => {
            (ErrorKind::Invalid, "this server belongs to a cluster: use redis+cluster://")
        }
        (
            Cause::Server(
                Server::BusyLoading | Server::TryAgain | Server::ClusterDown | Server::MasterDown,
            ),
            _,
        )
        | (_, "BUSY") => (ErrorKind::Unreachable, "wait, or see what it is busy with"),
        (_, "OOM") => (
            ErrorKind::Denied,
            "the server's memory is full: raise maxmemory, or let it evict something else",
        ),
        (_, "NOREPLICAS") => (
            ErrorKind::Unreachable,
            "too few replicas follow it (min-replicas-to-write): bring them back",
        ),
        (_, "MISCONF") => (ErrorKind::Denied, "it cannot save to its disk: free space there"),
        (Cause::Server(Server::ResponseError), _) if said(error).contains("unknown command") => (
            ErrorKind::Invalid,
            "Lua scripts are the atomic step, and this server has none (EVAL and EVALSHA): turn \
             them on, or use another server",
        ),
        (Cause::RESP3NotSupported, _) => {
            (ErrorKind::Invalid, "this server is too old: use Redis 7, Valkey, or newer")
        }
        (Cause::Io, _) if error.is_timeout() => {
            (ErrorKind::Timeout, "see whether it is overloaded, or the network drops packets")
        }
        (Cause::Io, _) if error.is_connection_refusal() => {
            (ErrorKind::Unreachable, "see whether it runs, and listens there")
        }
        (Cause::Io, _) => {
            (ErrorKind::Unreachable, "see whether it runs, and whether it speaks TLS")
        }
        (Cause::InvalidClientConfig, _) => (ErrorKind::Invalid, "correct the URL"),
        _ => (ErrorKind::Unexpected, "see whether this is a Redis or Valkey server"),
    };
    (kind, advice.to_owned())
}

/// The server's own words, or the system's.
fn said(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => error.to_string(),
    }
}

/// An answer that is none of the scripts'.
pub(crate) fn nonsense(operation: &str, error: &ParsingError) -> Error {
    let message = "the server answered with something else than its script returns; see whether \
                   a proxy stands between";
    Error::new(ErrorKind::Unexpected, operation.to_owned(), message).with_source(error.clone())
}

pub(crate) fn too_late(operation: &str, limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        operation.to_owned(),
        format!("no answer in {limit:?}; see whether the server is overloaded or frozen"),
    )
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

pub(crate) fn no_sentinel(operation: &str) -> Error {
    Error::new(ErrorKind::Unreachable, operation.to_owned(), "no sentinel answered: name some")
}

pub(crate) fn disconnected(operation: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        "the connection ended, and with it what was pushed; it will be opened again",
    )
}
