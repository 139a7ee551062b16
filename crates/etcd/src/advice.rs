//! What can be done about what etcd, or the way to it, refuses.

use std::{borrow::Cow, error::Error, io};

use leasehold_core::ErrorKind;
use leasehold_endpoint::{advice::of_tls, cause};
use rustls::AlertDescription;
use tonic::Code;

use crate::{EtcdConfig, trouble::Trouble};

type Advice = (ErrorKind, Cow<'static, str>);

pub(crate) fn advice(trouble: &Trouble, config: &EtcdConfig) -> Advice {
    match trouble {
        Trouble::Late(_) => (
            ErrorKind::Timeout,
            "see whether it is overloaded, whether a majority of its members runs, whether the \
             network drops packets, and, with etcds://, whether it speaks TLS"
                .into(),
        ),
        Trouble::OtherCluster(..) => (
            ErrorKind::Invalid,
            "two clusters must not be asked for one lease: name members of one cluster alone; or, if \
             one was restored, stop the members that were not"
                .into(),
        ),
        Trouble::Said(code, words) => of_etcd(*code, words, config),
        Trouble::Broke(_) => (
            ErrorKind::Unreachable,
            "the connection broke, and is opened again; see whether etcd was restarted".into(),
        ),
        Trouble::Way(error) => match cause(&**error) {
            Some(refused) => {
                let (kind, mut advice) = of_tls(refused, "etcd://", "etcds://");
                if *refused == rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) {
                    advice += ", with --cert-file and --key-file; what etcd makes for itself with \
                               --auto-tls is of P-521, and nobody can verify it";
                }
                (kind, advice.into())
            }
            None => of_the_way(&**error, config),
        },
    }
}

fn of_etcd(code: Code, words: &str, config: &EtcdConfig) -> Advice {
    let (kind, advice) = match code {
        Code::PermissionDenied => {
            let advice = format!(
                "grant a role of this user what it needs: etcdctl role grant-permission ROLE \
                 --prefix=true readwrite {:?}",
                config.prefix()
            );
            return (ErrorKind::Denied, advice.into());
        }
        _ if words.contains("user name is empty") => {
            (ErrorKind::Denied, "it wants a user: name one, with the password, in front of the @")
        }
        _ if words.contains("authentication failed") => {
            (ErrorKind::Denied, "check the user and the password")
        }
        _ if words.contains("authentication is not enabled") => (
            ErrorKind::Denied,
            "it asks nobody who he is, and so cannot protect a lease: leave user and password out, \
             or turn it on with etcdctl auth enable",
        ),
        Code::Unauthenticated => {
            (ErrorKind::Denied, "it does not know its own login any more; see whether it restarts")
        }
        _ if words.contains("database space exceeded") => (
            ErrorKind::Denied,
            "etcd is full: compact and defragment it, raise --quota-backend-bytes, then etcdctl \
             alarm disarm",
        ),
        _ if words.contains("too many requests") => {
            (ErrorKind::Unreachable, "etcd is overloaded: see what asks so much, and its disks")
        }
        _ if words.contains("request is too large") => (
            ErrorKind::Invalid,
            "something else is kept under the lease's key: choose another name, or move it away",
        ),
        _ if words.contains("no leader") || words.contains("leader failure") => (
            ErrorKind::Unreachable,
            "wait, or see whether a majority of its members runs, and they reach each other",
        ),
        _ if words.contains("timed out") || code == Code::DeadlineExceeded => {
            (ErrorKind::Timeout, "see whether a majority of its members runs, and their disks")
        }
        _ if words.contains("learner") => {
            (ErrorKind::Unreachable, "this member only learns: name one that votes")
        }
        Code::DataLoss => {
            (ErrorKind::Unreachable, "this member's data is corrupt: see etcdctl alarm list")
        }
        Code::Unavailable => (ErrorKind::Unreachable, "wait, or see what it is busy with"),
        Code::Unimplemented => (
            ErrorKind::Invalid,
            "what answers there is no etcd, or a very old one: use 3.5 or newer",
        ),
        Code::OutOfRange => (
            ErrorKind::Invalid,
            "something very long is kept under the lease's key: choose another name, or move it \
             away",
        ),
        _ => (ErrorKind::Unexpected, "see the log of etcd, and whether a proxy stands between"),
    };
    (kind, advice.into())
}

fn of_the_way(error: &(dyn Error + 'static), config: &EtcdConfig) -> Advice {
    use io::ErrorKind as System;
    let (kind, advice) = match cause::<io::Error>(error).map(io::Error::kind) {
        Some(System::TimedOut) => (ErrorKind::Timeout, "see whether the network drops packets"),
        Some(System::ConnectionRefused) => {
            (ErrorKind::Unreachable, "see whether it runs, and listens there")
        }
        // Somebody was there, and did not understand us, or we him.
        None
        | Some(
            System::ConnectionReset
            | System::ConnectionAborted
            | System::BrokenPipe
            | System::UnexpectedEof
            | System::InvalidData,
        ) => match config.uses_tls() {
            true => (
                ErrorKind::Unreachable,
                "see whether it is the port of an etcd for its clients, and whether it speaks TLS: \
                 without it use etcd:// instead of etcds://",
            ),
            false => (
                ErrorKind::Unreachable,
                "see whether it is the port of an etcd for its clients, and whether it speaks TLS: \
                 with it use etcds:// instead of etcd://",
            ),
        },
        Some(_) => (
            ErrorKind::Unreachable,
            "see whether this is the host's name, whether it runs, and whether it can be reached",
        ),
    };
    (kind, advice.into())
}
