use std::{
    io::{IsTerminal, stderr},
    sync::Arc,
};

use leasehold_bench::Voice;
use serde_json::{Map, Value, json};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::filter_fn,
    layer::{Context, SubscriberExt},
    util::SubscriberInitExt,
};

/// What the elector tells of its requests.
const TARGET: &str = "leasehold::term";

/// Sends logs to standard error (`RUST_LOG` says which; warnings, if it does not), and the
/// requests of the elector to the voice.
pub(crate) fn install(voice: Option<Arc<Voice>>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_filter(filter);
    let requests = voice.map(|voice| {
        Requests { voice }.with_filter(filter_fn(|metadata| {
            metadata.target() == TARGET && *metadata.level() == Level::TRACE
        }))
    });
    Registry::default().with(logs).with(requests).init();
}

/// Turns the elector's traces into lines.
struct Requests {
    voice: Arc<Voice>,
}

impl<S: Subscriber> Layer<S> for Requests {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let number = |name: &str| fields.numbers.get(name).and_then(Value::as_u64);
        match fields.message.as_str() {
            "sending" => {
                if let Some(at) = number("at") {
                    self.voice.say_at(at, "sending", json!({}));
                }
            }
            "renewed" => {
                let (sent, until) = (number("sent"), number("until"));
                self.voice.say("renewed", json!({"sent": sent, "until": until}));
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    numbers: Map<String, Value>,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.numbers.insert(field.name().to_owned(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
