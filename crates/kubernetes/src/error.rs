use std::time::Duration;

use leasehold_core::{Error, ErrorKind};

use crate::advice::{Advice, advice};

/// What the apiserver, or the way to it, refused: an error that says what to do about it.
pub(crate) fn failed(operation: &str, server: &str, namespace: &str, error: kube::Error) -> Error {
    let Advice { kind, said, advice } = advice(&error, namespace);
    // The operation names the server already, where there is one.
    let which = if operation.contains(server) { String::new() } else { format!("{server}: ") };
    let said = if said.is_empty() { said } else { format!("{said}; ") };
    Error::new(kind, operation.to_owned(), format!("{which}{said}{advice}"))
}

pub(crate) fn too_late(operation: &str, limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        operation.to_owned(),
        format!("no answer in {limit:?}; see whether the apiserver is overloaded or frozen"),
    )
}

pub(crate) fn disconnected(operation: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        "another call on the same connections was not answered; the next one goes another way",
    )
}

pub(crate) fn overtaken(operation: &str, limit: Duration) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        format!("the watch did not begin within {limit:?} of a write; it is begun anew"),
    )
}

pub(crate) fn cut_short(operation: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        operation.to_owned(),
        "the apiserver ended the watch as soon as it had begun; see what stands between",
    )
}
