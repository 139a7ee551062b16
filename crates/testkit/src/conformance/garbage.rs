use std::fmt;

/// What may stand where a record is expected.
///
/// Stores that keep plain bytes take [`bytes`](Self::bytes); others find their own equivalent: a
/// key of the wrong type, a missing field, a negative number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbage {
    /// Nothing, where there should be something: an empty value.
    Empty,
    /// The first half of a record.
    Torn,
    /// What another program wrote.
    Foreign,
    /// Bytes that are no text.
    NoText,
    /// The right fields, of wrong types.
    WrongTypes,
    /// Released, it seems, but with half of what belongs to a record missing.
    HalfFree,
    /// Held by a holder without a name.
    Nameless,
    /// Nested deeper than a stack.
    Deep,
    /// A megabyte, or as much as the store takes.
    Huge,
    /// A token above what is believed.
    AbsurdToken,
    /// A lease duration of centuries.
    AbsurdDuration,
    /// A record at a version above what is believed. Only where the version is written as data.
    AbsurdVersion,
    /// A record in format [`Garbage::NEWER`], of which nothing else is known.
    Newer,
}

impl Garbage {
    /// The format of [`Garbage::Newer`].
    pub const NEWER: u64 = 4711;

    /// All that is to be shown as vacant.
    pub const VACANT: [Self; 11] = [
        Self::Empty,
        Self::Torn,
        Self::Foreign,
        Self::NoText,
        Self::WrongTypes,
        Self::HalfFree,
        Self::Nameless,
        Self::Deep,
        Self::Huge,
        Self::AbsurdToken,
        Self::AbsurdDuration,
    ];

    /// For a store that keeps the [written form](leasehold_core::wire) of a record.
    ///
    /// [`Garbage::AbsurdVersion`] is a whole and free record: its version is the store's affair.
    pub fn bytes(self) -> Vec<u8> {
        let text = match self {
            Self::Empty => "",
            Self::Torn => r#"{"leasehold":1,"era":"e","token":7,"lease_ns":150000"#,
            Self::Foreign => r#"{"apiVersion":"v1","kind":"ConfigMap","free":true}"#,
            Self::NoText => return vec![0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28],
            Self::WrongTypes => {
                r#"{"leasehold":1,"era":7,"token":"many","lease_ns":[],"tenure":"free"}"#
            }
            Self::HalfFree => r#"{"leasehold":1,"tenure":"free"}"#,
            Self::Nameless => {
                r#"{"leasehold":1,"era":"e","token":7,"lease_ns":15000000000,"stamp":["00000000000000aa",1],"tenure":"held","holder":""}"#
            }
            Self::Deep => return b"[".repeat(1 << 18),
            Self::Huge => return b"x".repeat(1 << 20),
            Self::AbsurdToken => {
                r#"{"leasehold":1,"era":"e","token":18446744073709551615,"lease_ns":15000000000,"tenure":"free"}"#
            }
            Self::AbsurdDuration => {
                r#"{"leasehold":1,"era":"e","token":7,"lease_ns":18446744073709551615,"tenure":"free"}"#
            }
            Self::AbsurdVersion => {
                r#"{"leasehold":1,"era":"e","token":7,"lease_ns":15000000000,"tenure":"free"}"#
            }
            Self::Newer => r#"{"leasehold":4711,"whose":{"term":"unknown to this version"}}"#,
        };
        text.into()
    }
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
