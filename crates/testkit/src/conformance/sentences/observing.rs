//! What was written is what is read.

use std::time::Duration;

use leasehold_core::{FencingToken, Observation, RandomPart, Record, Stamp};
use tokio::time;

use crate::conformance::{fixture::Fixture, writer::Writer};

/// Names that quoting, escaping, splitting and trimming get wrong.
const ODD_NAMES: [&str; 14] = [
    "Ωμέγα-節点-🦀",
    "e\u{301}galite\u{301}",
    "\u{202e}right to left",
    "\u{feff}byte order mark",
    " spaces around ",
    r#"quotes " ' ` and \ backslashes \n \u0000"#,
    "a,b;c=d&e|f:g/h?i#j%20k@l",
    "null",
    "0",
    "-",
    r#"{"leasehold":1}"#,
    "<b>&amp;</b>",
    "../../etc/passwd",
    "$(reboot) && ${HOME}",
];

/// Era, token, duration, stamp, holder: nothing is lost, and nothing is rounded.
pub async fn what_is_written_is_observed_whole(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let vacant = writer.create().await;
    let held = round_trip(&writer, &vacant, writer.held(&vacant, 7)).await;
    let free = round_trip(&writer, &held, writer.free(&held, 7)).await;
    let vacant = round_trip(&writer, &free, writer.vacant(&free, 8)).await;
    round_trip(&writer, &vacant, writer.held(&vacant, 9)).await;
}

/// Unicode, quotes, separators, and the longest name there is.
pub async fn odd_holder_names_are_observed_unchanged(fixture: &dyn Fixture) {
    let longest = "n".repeat(253);
    let (writer, mut seen) = Writer::holding(fixture).await;
    for (token, name) in (2..).zip(ODD_NAMES.into_iter().chain([longest.as_str()])) {
        let record = writer.held_by(name, &seen, token);
        seen = round_trip(&writer, &seen, record).await;
    }
}

/// A duration that is rounded down is a lease that is robbed.
pub async fn short_and_long_durations_are_observed_to_the_nanosecond(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let durations = [
        Duration::from_nanos(1),
        Duration::from_millis(100),
        Duration::new(1, 234_567_891),
        Duration::from_secs(15),
        Record::LONGEST_LEASE,
    ];
    for (token, lease_duration) in (2..).zip(durations) {
        for record in [writer.held(&seen, token), writer.vacant(&seen, token)] {
            seen = round_trip(&writer, &seen, Record { lease_duration, ..record }).await;
        }
    }
}

/// Numbers beyond what a double holds, as far as tokens and stamps can get there.
pub async fn great_tokens_and_stamps_are_observed_unchanged(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    // Tokens follow versions: a store whose versions end at 2^52 never meets greater ones.
    let great = [2, 1 << 32, (1 << 51) + 1];
    let above = fixture.believes_tokens_above_versions();
    for token in great.map(|token| if above { token } else { token.min(seen.version.number()) }) {
        let token = FencingToken::new(token).expect("a token that is believed");
        for author in [0, 1, u64::MAX] {
            for attempt in [0, (1 << 53) + 1, u64::MAX] {
                let stamp = Some(Stamp { author: RandomPart::new(author), attempt });
                let record = Record { token, stamp, ..writer.held(&seen, 0) };
                seen = round_trip(&writer, &seen, record).await;
            }
        }
    }
}

/// Nobody is named as the author of what no elector wrote.
pub async fn a_record_without_a_stamp_is_observed_without_one(fixture: &dyn Fixture) {
    let (writer, seen) = Writer::holding(fixture).await;
    let record = Record { stamp: None, ..writer.vacant(&seen, 2) };
    round_trip(&writer, &seen, record).await;
}

/// It is the store that is shown, not what a handle did itself.
pub async fn every_handle_observes_the_same(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    for reader in Writer::several(fixture, 3).await {
        assert_eq!(reader.look().await, held, "another handle observes something else");
    }
    let renewed = writer.write(&held, &writer.held(&held, 1)).await;
    for reader in Writer::several(fixture, 3).await {
        assert_eq!(reader.look().await, renewed, "another handle observes something else");
    }
}

/// A candidate may look as often as it likes.
pub async fn observing_changes_nothing(fixture: &dyn Fixture) {
    let writer = Writer::of(fixture).await;
    let absent = writer.look().await;
    let again = writer.look().await;
    assert_eq!((again.era, again.record), (absent.era, None), "looking changed what is there");
    let held = writer.create().await;
    for _ in 0..10 {
        assert_eq!(writer.look().await, held, "looking changed what is there");
    }
}

/// The read is linearizable: it is never answered from the past, by whichever handle.
pub async fn a_read_that_begins_after_a_write_was_answered_shows_it(fixture: &dyn Fixture) {
    let (writer, mut seen) = Writer::holding(fixture).await;
    let readers = Writer::several(fixture, 2).await;
    for token in 2..40 {
        seen = writer.write(&seen, &writer.held(&seen, token)).await;
        for reader in &readers {
            assert_eq!(reader.look().await, seen, "a read was answered from the past");
        }
    }
}

/// A record outlives its lease duration: who may take it is decided by those who watch it.
pub async fn nothing_expires(fixture: &dyn Fixture) {
    let (writer, seen) = Writer::holding(fixture).await;
    let lease_duration = Duration::from_millis(10);
    let record = Record { lease_duration, ..writer.held(&seen, 2) };
    let held = writer.write(&seen, &record).await;
    // The store's clock: a store that counts whole seconds needs two of them to expire a record.
    time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(writer.look().await, held, "a record is gone, or changed, after its duration");
}

/// Each lease has its record and its versions.
pub async fn leases_of_other_names_do_not_disturb_each_other(fixture: &dyn Fixture) {
    let (writer, held) = Writer::holding(fixture).await;
    let other = Writer::over(fixture.other_lock().await);
    let absent = other.look().await;
    assert_eq!(absent.record, None, "a record is shown under another name, too");
    let others = other.create().await;
    let others = other.write(&others, &other.free(&others, 1)).await;
    assert_eq!(writer.look().await, held, "a write of another lease changed this one");
    let held = writer.write(&held, &writer.held(&held, 2)).await;
    assert_eq!(other.look().await, others, "a write of this lease changed another");
    fixture.delete().await;
    assert_eq!(other.look().await, others, "the deletion of this lease changed another");
    assert_ne!(writer.look().await, held, "the record was not deleted");
}

/// Writes a record, and compares what is returned and what is read with it.
async fn round_trip(writer: &Writer, expected: &Observation, record: Record) -> Observation {
    let written = writer.write(expected, &record).await;
    assert_eq!(written.record.as_ref(), Some(&record), "what was written is returned changed");
    let read = writer.look().await;
    assert_eq!(read.record.as_ref(), Some(&record), "what was written is read changed");
    assert_eq!(read, written, "the swap returned something else than is read");
    written
}
