use leasehold_core::{
    Record, Version,
    wire::{self, Unreadable},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The longest file that is read, in bytes: a record, and what is around it.
pub(crate) const LONGEST: usize = wire::LONGEST + 256;

/// What a record file says: one line of JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) record: Record,
    /// The version, as in the file's name. The very first file's name does not tell.
    pub(crate) version: u64,
    /// The inode of the file that the holder keeps locked while it lives.
    pub(crate) alive: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    record: &'a RawValue,
    version: u64,
    alive: Option<u64>,
}

impl Content {
    /// The line, or why there can be none: a record that its readers would not believe.
    pub(crate) fn to_line(&self) -> Result<String, String> {
        let record = self.record.to_json();
        match Record::from_json(record.as_bytes()) {
            Ok(same) if same == self.record => {}
            Ok(other) => return Err(format!("it would be read as {other:?}")),
            Err(unreadable) => return Err(format!("it could not be read: {unreadable}")),
        }
        let record = RawValue::from_string(record).map_err(|error| error.to_string())?;
        let written = Written { record: &record, version: self.version, alive: self.alive };
        serde_json::to_string(&written).map(|line| line + "\n").map_err(|error| error.to_string())
    }

    /// What was written in the file of this number.
    pub(crate) fn from_bytes(bytes: &[u8], number: u64) -> Result<Self, Unreadable> {
        if bytes.len() > LONGEST {
            return Err(foreign(format!("it is longer than {LONGEST} bytes")));
        }
        let written: Written<'_> = serde_json::from_slice(bytes)
            .map_err(|error| foreign(format!("it is no record file: {error}")))?;
        let record = Record::from_json(written.record.get().as_bytes())?;
        let version = written.version;
        if number == 0 && (version == 0 || version > Version::MAX) {
            return Err(foreign(format!("its version {version} is not of 1 to {}", Version::MAX)));
        }
        if number != 0 && version != number {
            return Err(foreign(format!("the version in it is {version}: it was copied or moved")));
        }
        Ok(Self { record, version, alive: written.alive })
    }
}

const fn foreign(why: String) -> Unreadable {
    Unreadable::Foreign(why)
}
