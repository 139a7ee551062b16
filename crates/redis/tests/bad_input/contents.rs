//! What somebody else has put in the lease's place: shown as vacant, never as free or held.

use futures::StreamExt as _;
use leasehold_core::{ErrorKind, LeaseLock, Observation, Record, Swap, Tenure};
use leasehold_redis::RedisLock;
use leasehold_testkit::redis::{RedisServer, Value};

use super::{absent, assert_says, held, kept, key, lock, refused};

const GREATEST: u64 = 1 << 52;

fn server() -> &'static RedisServer {
    RedisServer::shared()
}

/// Puts these fields in the place of a lease that nobody has used.
fn put(lease: &str, fields: &[(&[u8], &[u8])]) -> RedisLock {
    server().command(&["DEL", &key(lease)]);
    let mut words: Vec<Vec<u8>> = vec![b"HSET".to_vec(), key(lease).into_bytes()];
    words.extend(fields.iter().flat_map(|(name, value)| [name.to_vec(), value.to_vec()]));
    server().command(&words);
    lock(&server().url(lease))
}

/// A record that could be taken at once, were it believed.
fn free() -> String {
    Record { lease_duration: std::time::Duration::from_secs(1), ..Record::free(absent().era) }
        .to_json()
}

/// Shown as vacant, to who looks and who watches; replaced by a swap that names it, for else the
/// lease would be lost for ever; and not by one that does not.
async fn is_vacant_and_replaced(lock: &RedisLock, what: &str) -> Observation {
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.record, Some(Record::unreadable(seen.era.clone())), "{what}");
    assert!(!seen.holder_gone, "{what}");
    assert_eq!(lock.watch().next().await.unwrap().unwrap(), seen, "{what}");
    let nothing = Observation::absent(seen.era.clone(), leasehold_core::Version::ABSENT);
    let refused = lock.swap(&nothing, &held(&nothing)).await.unwrap();
    assert_eq!(refused, Swap::Refused(Some(seen.clone())), "{what}");

    let record = held(&seen);
    let Swap::Written(written) = lock.swap(&seen, &record).await.unwrap() else {
        panic!("refused: {what}")
    };
    assert_eq!(written.record, Some(record), "{what}");
    assert!(written.version.number() > seen.version.number(), "{what}");
    assert_eq!(lock.observe().await.unwrap(), written, "{what}");
    let late = lock.swap(&seen, &held(&seen)).await.unwrap();
    assert_eq!(late, Swap::Refused(Some(written.clone())), "{what}");
    written
}

#[tokio::test]
async fn a_key_of_another_type_is_an_error_that_names_it_and_is_left_alone() {
    let ways: [(&str, &[&str]); 6] = [
        ("string", &["SET", "KEY", "somebody's"]),
        ("list", &["RPUSH", "KEY", "somebody's"]),
        ("set", &["SADD", "KEY", "somebody's"]),
        ("sorted-set", &["ZADD", "KEY", "1", "somebody's"]),
        ("stream", &["XADD", "KEY", "1-1", "whose", "somebody's"]),
        ("bits", &["SETBIT", "KEY", "7", "1"]),
    ];
    for (lease, command) in ways {
        let key = key(lease);
        server().command(&["DEL", &key]);
        let words: Vec<_> =
            command.iter().map(|word| if *word == "KEY" { &key[..] } else { word }).collect();
        server().command(&words);
        let before = kept(server(), lease);
        let error = refused(&server().url(lease), ErrorKind::Invalid).await;
        assert_says(
            &error,
            &[&format!("\"{lease}\""), "WRONGTYPE", "leasehold:NAME", "another name"],
            &[],
        );
        assert_eq!(kept(server(), lease), before, "{lease}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_record_are_vacant() {
    let free = free();
    let torn = &free[..free.len() / 2];
    let deep = "[".repeat(4096);
    let deep_inside = free.replace("\"free\"", &"{\"a\":".repeat(600));
    let huge = " ".repeat(1 << 20) + &free;
    let padded = format!("{free}{}", " ".repeat(4097 - free.len()));
    let twice = format!("{free}\n{free}");
    let absurd_token = free.replace("\"token\":0", "\"token\":99999999999999999999");
    let negative_token = free.replace("\"token\":0", "\"token\":-1");
    let other_type = free.replace("\"token\":0", "\"token\":\"0\"");
    let other_format = free.replace("\"leasehold\":1", "\"leasehold\":\"1\"");
    let year = free.replace("\"lease_ns\":1000000000", "\"lease_ns\":31536000000000000");
    let held_by_nobody = free.replace("\"free\"", "\"held\"");
    for record in [
        "",
        "\n",
        "null",
        "{}",
        "\0\0\0\0",
        torn,
        &deep,
        &deep_inside,
        &huge,
        &padded,
        &twice,
        &absurd_token,
        &negative_token,
        &other_type,
        &other_format,
        &year,
        &held_by_nobody,
    ] {
        let lock = put("no-record", &[(b"version", b"1000"), (b"record", record.as_bytes())]);
        let what = &record[..record.len().min(60)];
        assert_eq!(lock.observe().await.unwrap().version.number(), 1000, "{what}");
        is_vacant_and_replaced(&lock, what).await;
    }
    for record in [&b"\xff\xfe\x00\x01"[..], &[0xC3; 5000], b"{\"leasehold\":1,\"era\":\"\xff\"}"] {
        let lock = put("no-text", &[(b"version", b"1000"), (b"record", record)]);
        is_vacant_and_replaced(&lock, "bytes that are no text").await;
    }
}

#[tokio::test]
async fn a_version_that_is_no_number_from_1_to_2_to_the_52nd_is_vacant_whatever_the_record_says() {
    let free = free();
    let (above, far_above) = ((GREATEST + 1).to_string(), u64::MAX.to_string());
    for version in [
        "",
        "0",
        "00",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "1e300",
        "nan",
        "-nan",
        "inf",
        "0x10",
        " 1",
        "1 ",
        "1\n",
        "1\u{0}",
        "one",
        "١",
        "00000000000000001",
        &above,
        &far_above,
        "99999999999999999999999999999999",
        &"9".repeat(1 << 16),
    ] {
        let what = &version[..version.len().min(40)];
        let fields: [(&[u8], &[u8]); 2] =
            [(b"version", version.as_bytes()), (b"record", free.as_bytes())];
        let lock = put("no-version", &fields);
        assert_eq!(lock.observe().await.unwrap().version.number(), 0, "{what}");
        is_vacant_and_replaced(&lock, what).await;
    }
}

#[tokio::test]
async fn a_hash_without_our_fields_is_vacant_and_keeps_its_own() {
    let free = free();
    let cases: [&[(&[u8], &[u8])]; 3] = [
        &[(b"version", b"1000")],
        &[(b"record", free.as_bytes())],
        &[(b"name", b"somebody's"), (b"VERSION", b"7")],
    ];
    for fields in cases {
        let lock = put("without-fields", fields);
        is_vacant_and_replaced(&lock, &format!("{fields:?}")).await;
        for (name, value) in
            fields.iter().filter(|(name, _)| *name != b"version" && *name != b"record")
        {
            let kept = server().command(&[b"HGET", key("without-fields").as_bytes(), name]);
            assert_eq!(kept, Value::BulkString(value.to_vec()));
        }
    }
}

#[tokio::test]
async fn the_greatest_version_leaves_no_room_and_the_error_says_what_to_do() {
    let greatest = GREATEST.to_string();
    let free = free();
    let fields: [(&[u8], &[u8]); 2] =
        [(b"version", greatest.as_bytes()), (b"record", free.as_bytes())];
    let lock = put("greatest", &fields);
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.version.number(), GREATEST);
    assert_eq!(seen.record.as_ref().unwrap().tenure, Tenure::Free);
    let before = kept(server(), "greatest");
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected);
    assert_says(&error, &["\"greatest\"", "clock", "DEL leasehold:NAME"], &[]);
    assert_eq!(kept(server(), "greatest"), before);

    server().command(&["DEL", &key("greatest")]);
    let gone = lock.observe().await.unwrap();
    assert_eq!(gone.record, None);
    assert!(matches!(lock.swap(&gone, &held(&gone)).await.unwrap(), Swap::Written(_)));
}

#[tokio::test]
async fn a_newer_format_is_an_error_that_says_so_and_is_not_written_over() {
    let newer = free().replace("\"leasehold\":1", "\"leasehold\":2");
    let fields: [(&[u8], &[u8]); 2] = [(b"version", b"1000"), (b"record", newer.as_bytes())];
    let lock = put("newer", &fields);
    let before = kept(server(), "newer");
    let looked = lock.observe().await.unwrap_err();
    let watched = lock.watch().next().await.unwrap().unwrap_err();
    let connected = RedisLock::connect(&server().url("newer")).await.unwrap_err();
    for error in [looked, watched, connected] {
        assert_eq!(error.kind(), ErrorKind::NewerFormat);
        assert_says(&error, &["\"newer\"", "format 2", "update"], &[]);
    }
    let swap = lock.swap(&absent(), &held(&absent())).await.unwrap();
    assert_eq!(swap, Swap::Refused(None));
    assert_eq!(kept(server(), "newer"), before);
}

#[tokio::test]
async fn what_somebody_else_publishes_is_looked_up_and_what_is_pushed_goes_on() {
    let lock = put("published", &[(b"version", b"1000"), (b"record", free().as_bytes())]);
    let seen = lock.observe().await.unwrap();
    let mut watch = lock.watch();
    assert_eq!(watch.next().await.unwrap().unwrap(), seen);
    let huge = "x".repeat(1 << 20);
    for message in ["", " ", "\n", "hello", "a b c d", "era 18446744073709551616 w r", &huge] {
        server().command(&["PUBLISH", "leasehold:published@0", message]);
        assert_eq!(
            watch.next().await.unwrap().unwrap(),
            seen,
            "{:?}",
            &message[..message.len().min(40)]
        );
    }
    let Swap::Written(written) = lock.swap(&seen, &held(&seen)).await.unwrap() else { panic!() };
    assert_eq!(watch.next().await.unwrap().unwrap(), written);
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_or_makes_expire_is_shown_as_gone_and_never_as_free() {
    let lock = put("deleted", &[(b"version", b"1000"), (b"record", free().as_bytes())]);
    let seen = lock.observe().await.unwrap();
    server().command(&["PEXPIRE", &key("deleted"), "0"]);
    let gone = lock.observe().await.unwrap();
    assert_eq!((gone.record.as_ref(), gone.version.number()), (None, 0));
    let late = lock.swap(&seen, &held(&seen)).await.unwrap();
    assert_eq!(late, Swap::Refused(Some(gone)));
    assert_eq!(server().command(&["EXISTS", &key("deleted")]), Value::Int(0));
}
