use std::{fmt, str::FromStr, time::Duration};

use anyhow::{Context, Error, ensure};
use serde::{Serialize, Serializer};

/// `LEASE/DEADLINE/RETRY`, as it is written on the command line of a contender: `1s/700ms/150ms`.
///
/// Whether the three go together is the contender's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Durations {
    /// How long others wait for a holder that they do not hear of.
    pub lease: Duration,
    /// How long after its last confirmed renewal a holder gives up.
    pub deadline: Duration,
    /// The pause between two renewals.
    pub retry: Duration,
}

impl FromStr for Durations {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<_> = text.split('/').collect();
        let [lease, deadline, retry] = parts[..] else {
            anyhow::bail!(
                "{text:?} has {} parts; LEASE/DEADLINE/RETRY is needed, such as 1s/700ms/150ms",
                parts.len()
            );
        };
        let part = |name, text: &str| {
            let duration = humantime::parse_duration(text.trim())
                .with_context(|| format!("the {name} {text:?} is no duration such as 700ms"))?;
            ensure!(!duration.is_zero(), "the {name} is 0; it must be above");
            ensure!(duration <= Duration::from_secs(3600), "the {name} {text} is above an hour");
            Ok(duration)
        };
        Ok(Self {
            lease: part("lease duration", lease)?,
            deadline: part("renew deadline", deadline)?,
            retry: part("retry interval", retry)?,
        })
    }
}

impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lease, deadline, retry } = *self;
        // Humantime puts blanks between units, which a command line would split.
        let text = |duration| humantime::format_duration(duration).to_string().replace(' ', "");
        write!(f, "{}/{}/{}", text(lease), text(deadline), text(retry))
    }
}

impl Serialize for Durations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["1s/700ms/150ms", "15s/10s/2s", "1s 500ms/1s/200ms"] {
            let durations: Durations = text.parse().unwrap();
            assert_eq!(durations.to_string().parse::<Durations>().unwrap(), durations, "{text}");
            assert!(!durations.to_string().contains(' '));
        }
    }

    #[test]
    fn what_is_no_timing_says_what_is_wrong_with_it() {
        for (text, why) in [
            ("1s", "has 1 parts"),
            ("1s/2s/3s/4s", "has 4 parts"),
            ("1s/fast/150ms", "the renew deadline \"fast\""),
            ("0s/1s/1s", "the lease duration is 0"),
            ("1s/1s/9999days", "above an hour"),
            ("", "has 1 parts"),
        ] {
            let error = text.parse::<Durations>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
