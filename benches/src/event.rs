use serde_json::Value;

/// What a contender says happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Connected, about to campaign.
    Ready,
    /// Leading: the work has begun.
    Start {
        /// The fencing token of the term. None of a peer that has none.
        token: Option<u64>,
    },
    /// A request that acquires or renews is about to leave.
    Sending,
    /// A renewal was confirmed.
    Renewed {
        /// The end of validity that the holder believes in.
        until: u64,
    },
    /// The work has ended.
    Stop {
        /// The last instant at which the work was allowed; none where it never was.
        last: Option<u64>,
        /// `resigned`, `lost`, `lapsed`, or what a peer calls it.
        why: String,
    },
    /// About to end.
    Exit,
}

/// What a line of a contender is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// An event, and its instant.
    Event(u64, Event),
    /// Something that this reader does not know, and need not.
    Unknown,
    /// What is no JSON object, or a known event that lacks what it must have: why.
    Odd(String),
}

impl Parsed {
    /// Reads a line; never fails, whatever the line is.
    pub fn of(line: &str) -> Self {
        let value: Value = match serde_json::from_str(line) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => return Self::odd("no JSON object", line),
            Err(error) => return Self::odd(&format!("no JSON object ({error})"), line),
        };
        let Some(name) = value["event"].as_str() else {
            return Self::odd("no \"event\" in it", line);
        };
        let number = |field: &str| value[field].as_u64();
        let event = match name {
            "ready" => Some(Event::Ready),
            "start" if value["token"].is_null() => Some(Event::Start { token: None }),
            "start" => number("token").map(|token| Event::Start { token: Some(token) }),
            "sending" => Some(Event::Sending),
            "renewed" => number("until").map(|until| Event::Renewed { until }),
            "stop" => Some(Event::Stop {
                last: number("last"),
                why: value["why"].as_str().unwrap_or("unknown").chars().take(40).collect(),
            }),
            "exit" => Some(Event::Exit),
            _ => return Self::Unknown,
        };
        match (number("t"), event) {
            (Some(t), Some(event)) => Self::Event(t, event),
            (None, _) => Self::odd("no whole number \"t\" in it", line),
            (_, None) => Self::odd(&format!("a {name:?} lacks its whole number"), line),
        }
    }

    fn odd(why: &str, line: &str) -> Self {
        let shown: String = line.chars().take(120).collect();
        Self::Odd(format!("{why}: {shown:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_the_contender_is_read() {
        let events = [
            (r#"{"event":"ready","id":"a","t":1}"#, Event::Ready),
            (r#"{"event":"start","id":"a","t":1,"token":7}"#, Event::Start { token: Some(7) }),
            (r#"{"event":"start","id":"a","t":1}"#, Event::Start { token: None }),
            (r#"{"event":"sending","id":"a","t":1}"#, Event::Sending),
            (
                r#"{"event":"renewed","id":"a","t":1,"sent":1,"until":9}"#,
                Event::Renewed { until: 9 },
            ),
            (
                r#"{"event":"stop","id":"a","t":1,"token":7,"last":5,"why":"lost"}"#,
                Event::Stop { last: Some(5), why: "lost".into() },
            ),
            (r#"{"event":"exit","id":"a","t":1}"#, Event::Exit),
        ];
        for (line, event) in events {
            assert_eq!(Parsed::of(line), Parsed::Event(1, event), "{line}");
        }
    }

    #[test]
    fn what_is_not_known_is_ignored() {
        assert_eq!(Parsed::of(r#"{"event":"warmed-up","t":"soon"}"#), Parsed::Unknown);
        assert_eq!(
            Parsed::of(r#"{"colour":{"is":["blue"]},"t":3,"event":"ready"}"#),
            Parsed::Event(3, Event::Ready)
        );
    }

    #[test]
    fn hostile_lines_are_odd_and_nothing_worse() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let hostile = [
            "",
            "null",
            "3",
            "[]",
            "{",
            "}{",
            "\u{0}",
            "panic!",
            deep.as_str(),
            r#"{"t":1}"#,
            r#"{"event":7,"t":1}"#,
            r#"{"event":"ready"}"#,
            r#"{"event":"ready","t":-1}"#,
            r#"{"event":"ready","t":1.5}"#,
            r#"{"event":"ready","t":"1"}"#,
            r#"{"event":"start","t":1,"token":-1}"#,
            r#"{"event":"start","t":1,"token":99999999999999999999999999}"#,
            r#"{"event":"ready","t":1e300}"#,
        ];
        for line in hostile {
            assert!(matches!(Parsed::of(line), Parsed::Odd(_)), "{line:.60}");
        }
    }
}
