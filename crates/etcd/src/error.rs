use leasehold_core::{Error, ErrorKind};

use crate::{EtcdConfig, advice::advice, config::Address, trouble::Trouble};

/// What etcd, or the way to it, refused: an error that says what to do about it.
pub(crate) fn failed(
    operation: &str,
    member: &Address,
    trouble: &Trouble,
    config: &EtcdConfig,
) -> Error {
    let (kind, advice) = advice(trouble, config);
    // A single member is named by the operation already; of several, nobody knows which it was.
    let alone = config.describe().split([',', ' ']).count() == 1;
    let which = if alone { String::new() } else { format!("{member}: ") };
    Error::new(kind, operation.to_owned(), format!("{which}{}; {advice}", said(trouble)))
}

/// etcd's own words, or those of the system: the deepest cause, for what is around it only says
/// that something failed.
fn said(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Late(limit) => format!("not connected within {limit:?}"),
        Trouble::OtherCluster(this, other) => {
            format!("it is of the cluster {this:x}, and other members are of {other:x}")
        }
        Trouble::Said(_, words) => words.to_string(),
        Trouble::Way(error) | Trouble::Broke(error) => {
            let mut deepest: &(dyn std::error::Error + 'static) = &**error;
            while let Some(source) = deepest.source() {
                deepest = source;
            }
            deepest.to_string()
        }
    }
}

/// An answer that is none to what was asked.
pub(crate) fn nonsense(operation: &str) -> Error {
    let message = "etcd answered with something else than it was asked for; see whether a proxy \
                   stands between";
    Error::new(ErrorKind::Unexpected, operation.to_owned(), message)
}
