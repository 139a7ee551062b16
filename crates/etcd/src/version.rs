use crate::config::Address;

/// The oldest version that its makers still mend, and that is known to keep what is promised here.
const OLDEST: (u64, u64) = (3, 5);

/// Warns of a member that is too old to be trusted with a lease.
pub(crate) fn check(address: &Address, version: &str) {
    if is_too_old(version) {
        tracing::warn!(
            "the etcd at {address} is of version {version}: its makers mend it no more, and nothing \
             is known of how it keeps a lease; use {}.{} or newer",
            OLDEST.0,
            OLDEST.1
        );
    }
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST,
        // Not the words of an etcd that we know: perhaps of one to come.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etcd_below_3_5_is_too_old() {
        for old in ["3.4.23", "3.4.0-rc.1", "2.3.8", "3.0.17"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["3.5.0", "3.5.21", "3.7.3", "3.10.1", "4.0.0-alpha.1", "", "not decided"] {
            assert!(!is_too_old(new), "{new}");
        }
    }
}
