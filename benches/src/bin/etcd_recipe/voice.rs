use std::io::Write;

use leasehold_bench::monotonic;
use serde_json::{Value, json};

/// What it says, one JSON object a line.
pub(crate) struct Voice {
    id: String,
    traces: bool,
}

impl Voice {
    pub(crate) fn new(id: &str, traces: bool) -> Self {
        Self { id: id.to_owned(), traces }
    }

    pub(crate) fn say(&self, event: &str, fields: Value) {
        self.say_at(monotonic(), event, fields);
    }

    /// Said only with `--trace`.
    pub(crate) fn trace_at(&self, t: u64, event: &str, fields: Value) {
        if self.traces {
            self.say_at(t, event, fields);
        }
    }

    fn say_at(&self, t: u64, event: &str, mut fields: Value) {
        fields["event"] = json!(event);
        fields["id"] = json!(self.id);
        fields["t"] = json!(t);
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(format!("{fields}\n").as_bytes()).and_then(|()| out.flush());
    }
}
