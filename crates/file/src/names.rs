use leasehold_core::{Error, ErrorKind, LeaseName, RandomPart, Version};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest encoded name, in bytes. With the longest of our endings, `.` before it and 22 bytes
/// after it, a file name stays far below the 255 bytes that file systems allow.
const LONGEST: usize = 180;

/// What stays as it is. The dot does not, so that the first dot ends the name: the files of `jobs`
/// are never taken for those of `jobs.nightly`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// The names of the files of one lease.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    encoded: String,
}

/// What a file of a lease is, by its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `jobs.17`: a record, of this number.
    Record(u64),
    /// `jobs.9999999999999999999`: a record of a number that leaves no room to grow.
    Unbelievable,
    /// `jobs.00c0ffee00c0ffee.alive`: locked as long as this elector lives.
    Alive(RandomPart),
    /// `.jobs.00c0ffee00c0ffee.alive`: the same file while it is being made. Events about it bear
    /// this name for as long as it is open, because it was opened by it.
    Unborn(RandomPart),
    /// `.jobs.1234567890abcdef.tmp`: a record while it is being written.
    Temporary,
}

impl Names {
    pub(crate) fn new(name: &LeaseName) -> Result<Self, Error> {
        let encoded = utf8_percent_encode(name.as_str(), ENCODED).to_string();
        if encoded.len() > LONGEST {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("name files after lease {name:?}"),
                format!(
                    "the name takes {} bytes in a file name (each byte outside A-Z a-z 0-9 _ - \
                     takes three), at most {LONGEST} are allowed: choose a shorter one",
                    encoded.len()
                ),
            ));
        }
        Ok(Self { encoded })
    }

    /// The lease as file names spell it.
    pub(crate) fn encoded(&self) -> &str {
        &self.encoded
    }

    pub(crate) fn record(&self, number: u64) -> String {
        format!("{}.{number}", self.encoded)
    }

    pub(crate) fn alive(&self, author: RandomPart) -> String {
        format!("{}.{author}.alive", self.encoded)
    }

    pub(crate) fn unborn(&self, author: RandomPart) -> String {
        format!(".{}.{author}.alive", self.encoded)
    }

    /// A name that nobody else chooses.
    pub(crate) fn temporary(&self) -> String {
        format!(".{}.{}.tmp", self.encoded, RandomPart::random())
    }

    /// What the file of this name is, if it is one of this lease.
    pub(crate) fn kind(&self, file: &[u8]) -> Option<Kind> {
        let (lease, ending) = split(file)?;
        (lease == self.encoded.as_bytes()).then(|| kind(file[0] == b'.', ending)).flatten()
    }
}

/// The lease that a file belongs to, as its name spells it, and what its ending says.
pub(crate) fn belongs(file: &[u8]) -> Option<(&str, Kind)> {
    let (lease, ending) = split(file)?;
    Some((str::from_utf8(lease).ok()?, kind(file[0] == b'.', ending)?))
}

fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let shown = file.strip_prefix(b".").unwrap_or(file);
    let dot = shown.iter().position(|byte| *byte == b'.')?;
    Some((&shown[..dot], &shown[dot + 1..]))
}

fn kind(hidden: bool, ending: &[u8]) -> Option<Kind> {
    if let Some(author) = ending.strip_suffix(b".alive") {
        let author = str::from_utf8(author).ok()?.parse().ok()?;
        return Some(if hidden { Kind::Unborn(author) } else { Kind::Alive(author) });
    }
    if hidden {
        return ending.ends_with(b".tmp").then_some(Kind::Temporary);
    }
    // `+7`, `007` and `7a` are not names that we give, whatever a parser would make of them.
    if !ending.iter().all(u8::is_ascii_digit) || (ending.len() > 1 && ending[0] == b'0') {
        return None;
    }
    match str::from_utf8(ending).ok()?.parse() {
        Ok(number) if number <= Version::MAX => Some(Kind::Record(number)),
        Ok(_) => Some(Kind::Unbelievable),
        Err(_) if ending.is_empty() => None,
        Err(_) => Some(Kind::Unbelievable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lease: &str) -> Names {
        Names::new(&LeaseName::new(lease).unwrap()).unwrap()
    }

    #[test]
    fn every_name_is_read_as_what_it_was_written_as() {
        let names = names("jobs/ä.1");
        let author = RandomPart::new(0xc0ffee);
        assert_eq!(names.encoded(), "jobs%2F%C3%A4%2E1");
        let kind = |name: String| names.kind(name.as_bytes());
        assert_eq!(kind(names.record(0)), Some(Kind::Record(0)));
        assert_eq!(kind(names.record(Version::MAX)), Some(Kind::Record(Version::MAX)));
        assert_eq!(kind(names.alive(author)), Some(Kind::Alive(author)));
        assert_eq!(kind(names.unborn(author)), Some(Kind::Unborn(author)));
        assert_eq!(kind(names.temporary()), Some(Kind::Temporary));
        assert_eq!(belongs(names.record(7).as_bytes()), Some((names.encoded(), Kind::Record(7))));
    }

    #[test]
    fn what_we_would_not_write_is_no_record() {
        let names = names("jobs");
        for odd in ["jobs", "jobs.", "jobs.007", "jobs.+7", "jobs.-1", "jobs.7a", "jobs.7.bak"] {
            assert_eq!(names.kind(odd.as_bytes()), None, "{odd}");
        }
        for foreign in ["job.7", "jobsx.7", "jobs%2Enightly.7", ".jobs.7", "", ".", ".."] {
            assert_eq!(names.kind(foreign.as_bytes()), None, "{foreign}");
        }
        for huge in ["jobs.4611686018427387905", "jobs.99999999999999999999999"] {
            assert_eq!(names.kind(huge.as_bytes()), Some(Kind::Unbelievable), "{huge}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_for_a_file_is_refused_with_the_numbers() {
        let error = Names::new(&LeaseName::new("ä".repeat(31)).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("186 bytes"), "{error}");
        assert!(error.to_string().contains("at most 180"), "{error}");
    }
}
