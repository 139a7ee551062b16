use crate::config::Address;

/// The oldest version that is known to keep what it has answered. Its makers' log of changes says what
/// was mended until then: in 3.5.3 that members differed after a crash, in 3.5.5 that a member which is
/// alone lost what it had answered, in 3.5.6 that members differed after a crash while defragmenting.
const OLDEST: (u64, u64, u64) = (3, 5, 6);

/// Warns of a member that is too old to be trusted with a lease.
pub(crate) fn check(address: &Address, version: &str) {
    if is_too_old(version) {
        tracing::warn!(
            "the etcd at {address} is of version {version}, which may lose in a crash what it has \
             answered, and with it a lease; use {}.{}.{} or newer",
            OLDEST.0,
            OLDEST.1,
            OLDEST.2
        );
    }
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    match (numbers.next(), numbers.next()) {
        // What is no number is of a version before that one: 3.6.0-rc.1.
        (Some(major), Some(minor)) => (major, minor, numbers.next().unwrap_or(0)) < OLDEST,
        // Not the words of an etcd that we know: perhaps of one to come.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etcd_below_3_5_6_is_too_old() {
        for old in ["3.5.5", "3.5.0", "3.5.0-rc.1", "3.4.23", "2.3.8"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in
            ["3.5.6", "3.5.21", "3.6.0-rc.1", "3.7.3", "3.10.1", "4.0.0-alpha.1", "", "not decided"]
        {
            assert!(!is_too_old(new), "{new}");
        }
    }
}
