use leasehold_core::{Error, ErrorKind};
use rustix::io::Errno;

/// What the system refused, as an error that says what was being done, and what to do about it.
pub(crate) fn failed(operation: impl Into<String>, step: &str, errno: Errno) -> Error {
    let (kind, advice) = advice(errno);
    Error::new(kind, operation.into(), format!("{step}: {errno}; {advice}"))
        .with_source(std::io::Error::from(errno))
}

fn advice(errno: Errno) -> (ErrorKind, &'static str) {
    match errno {
        Errno::NOENT => (
            ErrorKind::Unreachable,
            "create the directory, or see who removes it or the files in it",
        ),
        Errno::NOTDIR => (ErrorKind::Invalid, "name a directory"),
        Errno::NAMETOOLONG => (ErrorKind::Invalid, "choose a shorter name"),
        Errno::ACCESS | Errno::PERM => {
            (ErrorKind::Denied, "let this user read, write and search the directory")
        }
        Errno::ROFS => (ErrorKind::Denied, "remount the file system writable"),
        Errno::NOSPC | Errno::DQUOT => {
            (ErrorKind::Denied, "free space or inodes, or raise the quota")
        }
        Errno::MLINK => (ErrorKind::Denied, "use a file system that has hard links"),
        Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOLCK => {
            (ErrorKind::Unreachable, "raise the limit of open files, of memory, or of inotify")
        }
        Errno::IO | Errno::STALE => (ErrorKind::Unreachable, "check the disk"),
        _ => (ErrorKind::Unexpected, "the directory may be on a file system that cannot do this"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_system_says_what_where_and_what_to_do() {
        let error = failed("replace file lease \"jobs\" in /x", "linking jobs.7", Errno::NOSPC);
        assert_eq!(error.kind(), ErrorKind::Denied);
        let said = error.to_string();
        assert!(said.contains("/x") && said.contains("jobs.7"), "{said}");
        assert!(said.contains("No space") && said.contains("free space"), "{said}");
        assert_eq!(failed("", "", Errno::ROFS).kind(), ErrorKind::Denied);
        assert_eq!(failed("", "", Errno::ACCESS).kind(), ErrorKind::Denied);
        assert_eq!(failed("", "", Errno::IO).kind(), ErrorKind::Unreachable);
        assert_eq!(failed("", "", Errno::NOTDIR).kind(), ErrorKind::Invalid);
    }
}
