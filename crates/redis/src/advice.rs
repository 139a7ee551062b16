//! What can be done about what a server, or the way to it, refuses.

use std::borrow::Cow;

use leasehold_core::ErrorKind;
use leasehold_endpoint::{advice::of_tls, cause};
use redis::{ErrorKind as Cause, RedisError, ServerErrorKind as Server};

use crate::trouble::Trouble;

type Advice = (ErrorKind, Cow<'static, str>);

const RIGHTS: &str = "~leasehold:* &leasehold:* +eval +evalsha +info +time +exists +hmget +hset \
                      +publish +subscribe +unsubscribe, +select for another database than 0, and \
                      +asking in a cluster";

pub(crate) fn advice(error: &RedisError) -> Advice {
    of_a_script(error)
        .or_else(|| found_here(error))
        .or_else(|| of_a_server(error))
        .or_else(|| {
            let (kind, advice) = of_tls(cause(error)?, "redis://", "rediss://");
            Some((kind, advice.into()))
        })
        .unwrap_or_else(|| of_the_way(error))
}

/// What the scripts say themselves.
fn of_a_script(error: &RedisError) -> Option<Advice> {
    let command = error.detail().unwrap_or("a command");
    Some(match error.code()? {
        "LEASEHOLD-NOPERM" => (
            ErrorKind::Denied,
            format!(
                "this user may not use {command} (on the lease's key and channel): give it {RIGHTS}"
            )
            .into(),
        ),
        "LEASEHOLD-UNKNOWN" => (
            ErrorKind::Invalid,
            format!("scripts need {command}, which this server does not know: see rename-command")
                .into(),
        ),
        "LEASEHOLD-OLD" => (
            ErrorKind::Invalid,
            "this server is too old, or lacks what Redis 7 and Valkey have: update it".into(),
        ),
        "LEASEHOLD-CLOCK" => (
            ErrorKind::Unexpected,
            "the server's clock, or the lease's version, is beyond the year 2112: set the clock, \
             and delete the lease's key (redis-cli DEL leasehold:NAME)"
                .into(),
        ),
        _ => return None,
    })
}

/// What nobody said.
fn found_here(error: &RedisError) -> Option<Advice> {
    Some(match cause(error)? {
        Trouble::Unresolved(_) => (
            if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unreachable },
            "this name does not resolve: see how it is written, and what this host finds names by \
             (/etc/hosts, DNS)"
                .into(),
        ),
        Trouble::NoCluster => (
            ErrorKind::Invalid,
            "this server belongs to no cluster: use redis:// (over TLS, rediss://) for a server \
             alone, or turn on its cluster-enabled"
                .into(),
        ),
    })
}

fn of_a_server(error: &RedisError) -> Option<Advice> {
    let code = error.code().unwrap_or_default();
    let said = error.detail().unwrap_or_default();
    let (kind, advice) = match (error.kind(), code) {
        (Cause::Server(Server::NoPerm), _) => return Some(of_missing_rights()),
        // What it says to SELECT comes without its code.
        _ if said.contains("no permissions to run") => return Some(of_missing_rights()),
        _ if said.contains("DB index is out of range") => {
            (ErrorKind::Invalid, "this server has no such database: see its `databases`")
        }
        _ if said.contains("unknown command 'SENTINEL'") => {
            (ErrorKind::Invalid, "this is no sentinel: use redis:// for a server")
        }
        (Cause::Server(Server::ResponseError), _) if said.contains("unknown command") => (
            ErrorKind::Invalid,
            "Lua scripts are the atomic step, and this server has none (EVAL and EVALSHA): turn \
             them on, or use another server; if it is a sentinel, use redis+sentinel://",
        ),
        _ if said.contains("max number of clients") => {
            (ErrorKind::Unreachable, "raise maxclients, or see who has so many connections")
        }
        (_, "NOAUTH") => (
            ErrorKind::Denied,
            "this server wants a password: none was given (a sentinel has its own)",
        ),
        (Cause::AuthenticationFailed, _) | (_, "WRONGPASS") => {
            (ErrorKind::Denied, "check the user and the password (a sentinel has its own)")
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
        (Cause::RESP3NotSupported, _) => {
            (ErrorKind::Invalid, "this server is too old: use Redis 7, Valkey, or newer")
        }
        _ => return None,
    };
    Some((kind, advice.into()))
}

fn of_missing_rights() -> Advice {
    (ErrorKind::Denied, format!("give this user {RIGHTS}").into())
}

fn of_the_way(error: &RedisError) -> Advice {
    let (kind, advice) = match error.kind() {
        Cause::Io if error.is_timeout() => (
            ErrorKind::Timeout,
            "see whether it is overloaded, whether the network drops packets, and, with rediss://, \
             whether it speaks TLS",
        ),
        Cause::Io if error.is_connection_refusal() => {
            (ErrorKind::Unreachable, "see whether it runs, and listens there")
        }
        Cause::Io => (
            ErrorKind::Unreachable,
            "see whether it runs, and whether it speaks TLS: with it use rediss://, else redis://",
        ),
        Cause::InvalidClientConfig => (ErrorKind::Invalid, "correct the URL"),
        _ => (
            ErrorKind::Unexpected,
            "see whether this is a Redis or Valkey server, and, with redis://, whether it speaks \
             TLS",
        ),
    };
    (kind, advice.into())
}
