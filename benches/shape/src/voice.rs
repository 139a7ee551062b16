use std::io::Write;

use serde_json::{Value, json};

use crate::monotonic;

/// What a contender says on standard output, one JSON object a line.
#[derive(Debug)]
pub struct Voice {
    id: String,
}

impl Voice {
    /// The voice of the contender that is called so.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned() }
    }

    /// Says that something happens now.
    pub fn say(&self, event: &str, fields: Value) {
        self.say_at(monotonic(), event, fields);
    }

    /// Says that something happened at an instant.
    ///
    /// # Panics
    /// If the fields are no JSON object.
    pub fn say_at(&self, t: u64, event: &str, mut fields: Value) {
        fields["event"] = json!(event);
        fields["id"] = json!(self.id);
        fields["t"] = json!(t);
        // One write, so that a line is either there or not. Who does not listen any more has
        // ended, and standard input says so too.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(format!("{fields}\n").as_bytes()).and_then(|()| out.flush());
    }
}
