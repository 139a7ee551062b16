//! Durations, names and written records: what is believed, and what is refused and how.

use std::time::Duration;

use leasehold_core::{
    Candidate, Era, ErrorKind, FencingToken, LeaseName, RandomPart, Record, Stamp, Tenure, Timing,
    Version,
    wire::{self, LONGEST, Unreadable},
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn incoherent_timings_are_refused_with_the_inequality_and_its_numbers() {
    for (lease, deadline, retry, said) in [
        // client-go accepts these, although its own horizon is retry + deadline.
        (11_000, 10_000, 2_000, ["10s must be below 8.97s", "11s", "10 %"].as_slice()),
        (15_000, 4_000, 2_000, &["4s must be at least twice", "2s", "10ms"]),
        (15_000, 10_000, 0, &["retry interval is 0"]),
        (0, 0, 1, &["at least twice"]),
        (86_400_001, 10_000, 2_000, &["86400.001s must be at most 86400s"]),
    ] {
        let error = Timing::new(ms(lease), ms(deadline), ms(retry)).unwrap_err().to_string();
        for said in said {
            assert!(error.contains(said), "{error}");
        }
    }
    assert!(Timing::new(Duration::MAX, Duration::MAX, Duration::MAX).is_err());
    assert!(Timing::new(ms(15_000), Duration::MAX, Duration::MAX).is_err());
}

#[test]
fn a_drift_out_of_range_is_refused() {
    for share in [0.0, 0.0009, 0.5, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Timing::default().with_drift(share).is_err(), "{share}");
    }
    let error = Timing::fast().with_drift(0.4).unwrap_err().to_string();
    assert!(error.contains("must be below 398ms") && error.contains("40 %"), "{error}");
}

#[test]
fn a_holder_believes_in_its_term_for_less_than_others_wait_by_the_drift_of_both_clocks() {
    for timing in [Timing::fast(), Timing::default(), Timing::patient()] {
        let lease = timing.lease_duration();
        assert_eq!(timing.holder_duration(), lease.mul_f64(0.9 / 1.1) - ms(30));
        // A holder whose clock is 10 % slow, a standby whose is 10 % fast.
        assert!(timing.holder_duration().div_f64(0.9) < lease.div_f64(1.1));
        assert_eq!(
            Timing::new(lease, timing.renew_deadline(), timing.retry_interval()),
            Ok(timing)
        );
    }
    let exact = Timing::default().with_drift(0.001).unwrap();
    assert_eq!(exact.holder_duration().as_millis(), 14_940);
}

#[test]
fn two_whole_attempts_with_their_pauses_fit_before_the_deadline() {
    for timing in [Timing::fast(), Timing::default(), Timing::patient()] {
        let two = (timing.call_timeout() + timing.retry_interval()) * 2;
        assert!(two <= timing.renew_deadline(), "{timing}");
    }
}

#[test]
fn empty_oversized_and_control_character_names_are_refused() {
    for (name, why) in
        [("", "empty"), ("a\nb", "byte 1"), ("\u{7f}", "byte 0"), (&"x".repeat(254), "254 bytes")]
    {
        for error in [Candidate::new(name).unwrap_err(), LeaseName::new(name).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
    assert_eq!(Candidate::new("Käthe's pod").unwrap().name(), "Käthe's pod");
}

#[test]
fn impossible_versions_and_tokens_are_not_believed() {
    assert!(Version::new(Version::MAX).is_some());
    assert!(Version::new(Version::MAX + 1).is_none());
    assert!(FencingToken::new(u64::MAX).is_none());
}

/// What a store compares may be a whole object, with what others keep there.
#[test]
fn a_long_witness_is_not_shown_and_two_are_told_apart() {
    let shown = |witness: &str| format!("{:?}", Version::new(5).unwrap().with_witness(witness));
    assert_eq!(shown("inode 12"), "5/inode 12");
    let [one, other] = ["a", "b"].map(|end| shown(&format!("{}{end}", "hunter2 ".repeat(9))));
    assert!(!one.contains("hunter2") && one.starts_with("5/#") && one.len() < 40, "{one}");
    assert_ne!(one, other);
}

fn records() -> Vec<Record> {
    let stamp = Some(Stamp { author: RandomPart::new(7), attempt: 9 });
    [Tenure::Free, Tenure::Vacant, Tenure::Held { holder: "pod \"ä\" \\ {}".into() }]
        .map(|tenure| Record {
            era: Era::new("era \"1\""),
            token: FencingToken::new(41).expect("small"),
            lease_duration: Duration::from_nanos(1_500_000_001),
            stamp,
            tenure,
        })
        .to_vec()
}

#[test]
fn a_written_record_is_read_whole() {
    for record in records() {
        let json = record.to_json();
        assert_eq!(Record::from_json(json.as_bytes()).as_ref(), Ok(&record), "{json}");
    }
}

#[test]
fn what_a_record_begins_with_tells_the_term_that_holds_the_lease() {
    let token = |number| FencingToken::new(number).unwrap();
    let held = Record { token: token(4), ..records().remove(2) };
    assert!(matches!(held.tenure, Tenure::Held { .. }));
    let renewed = Record {
        era: Era::new("another"),
        lease_duration: ms(7),
        stamp: None,
        tenure: Tenure::Held { holder: "\"},{".into() },
        ..held
    };
    for record in [&held, &renewed] {
        assert!(record.to_json().starts_with(&wire::term_beginning(token(4))), "{record:?}");
    }
    for (record, other) in [
        (held.clone(), 42),
        (Record { token: token(42), ..held.clone() }, 4),
        (Record { tenure: Tenure::Free, ..held.clone() }, 4),
        (Record { tenure: Tenure::Vacant, ..held }, 4),
    ] {
        assert!(!record.to_json().starts_with(&wire::term_beginning(token(other))), "{record:?}");
    }
}

#[test]
fn a_record_of_a_newer_format_says_which() {
    for newer in [r#"{"leasehold":2}"#, r#"{"leasehold":99,"everything":"else"}"#] {
        let error = Record::from_json(newer.as_bytes()).unwrap_err();
        assert!(matches!(error, Unreadable::Newer(2 | 99)), "{error}");
        assert!(error.to_string().contains("update this candidate"), "{error}");
    }
}

#[test]
fn a_torn_record_is_foreign_wherever_it_is_cut() {
    for record in records() {
        let json = record.to_json();
        for cut in 0..json.len() {
            let torn = Record::from_json(&json.as_bytes()[..cut]);
            assert!(matches!(torn, Err(Unreadable::Foreign(_))), "{cut}: {torn:?}");
        }
    }
}

#[test]
fn a_hostile_record_is_foreign_and_harms_nobody() {
    let deep = "[".repeat(LONGEST);
    let huge = "x".repeat(LONGEST + 1);
    let held = records()[2].to_json();
    for hostile in [
        "",
        "null",
        "{}",
        "[1]",
        "\u{0}",
        &deep,
        &huge,
        r#"{"leasehold":"1"}"#,
        r#"{"leasehold":-1}"#,
        &held.replace("41", "4611686018427387905"),
        &held.replace("41", "1e400"),
        &held.replace("1500000001", "18446744073709551615"),
        &held.replace("1500000001", "0"),
        &held.replace("held", "free"),
        &held.replace("held", "master"),
        &held.replace("pod ", "pod\\n"),
        &held.replace("0000000000000007", "not hexadecimal"),
        &held.replace(r#""stamp""#, r#""ignored""#),
    ] {
        let read = Record::from_json(hostile.as_bytes());
        assert!(matches!(read, Err(Unreadable::Foreign(_))), "{hostile:.80}: {read:?}");
    }
}
