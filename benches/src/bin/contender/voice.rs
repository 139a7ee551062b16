use std::io::Write;

use leasehold_bench::monotonic;
use serde_json::{Value, json};

/// What a contender says, one JSON object a line.
#[derive(Debug)]
pub(crate) struct Voice {
    id: String,
}

impl Voice {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned() }
    }

    /// Says that something happens now.
    pub(crate) fn say(&self, event: &str, fields: Value) {
        self.say_at(monotonic(), event, fields);
    }

    /// Says that something happened at an instant.
    pub(crate) fn say_at(&self, t: u64, event: &str, mut fields: Value) {
        fields["event"] = json!(event);
        fields["id"] = json!(self.id);
        fields["t"] = json!(t);
        // One write, so that a line is either there or not. Who does not listen any more has
        // ended, and standard input says so too.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(format!("{fields}\n").as_bytes()).and_then(|()| out.flush());
    }
}
