/// Which way the bytes of a connection go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From those who connect to the server.
    Requests,
    /// From the server to those who have connected.
    Replies,
    /// Both ways.
    Both,
}

impl Direction {
    /// Whether this is, or includes, the other.
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Both || self == other
    }
}
