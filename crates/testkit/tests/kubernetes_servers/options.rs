//! What a server may be asked to be.

use leasehold_testkit::kubernetes::ApiserverOptions;

#[test]
fn an_argument_is_heeded() {
    let server = ApiserverOptions::new().argument("--request-timeout=47s").start().unwrap();
    let flags = server.kubectl(&["get", "--raw=/flagz"]);
    // What it puts between a name and a value differs from time to time, so that nobody reads it.
    let flag = flags.lines().find_map(|line| line.strip_prefix("request-timeout"));
    assert!(flag.is_some_and(|value| value.ends_with("47s")), "{flags}");
}

#[test]
fn an_argument_that_no_server_understands_is_an_error_with_its_words() {
    let error = ApiserverOptions::new().argument("--nonsense=yes").start().unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
}

#[test]
fn what_was_written_is_on_the_disk_where_that_was_asked_for() {
    let syncs = |options: ApiserverOptions| {
        let server = options.own().start().unwrap();
        server.etcd().metric("etcd_disk_wal_fsync_duration_seconds_count", &[])
    };
    let [quick, synced] = [ApiserverOptions::new(), ApiserverOptions::new().synced()].map(syncs);
    // The roles alone that it makes at its start are more.
    assert!(quick < 10.0 && synced > 100.0, "{quick}, {synced}");
}
