//! What a URL names, and what is said of one that names nothing.

use std::{fmt, time::Duration};

use leasehold_core::{Error, ErrorKind};
use leasehold_redis::{RedisConfig, Tls};

/// No error, and nothing that is shown, may have this or a half of it.
const PASSWORD: &str = "hunter2";

fn refused(url: &str) -> Error {
    RedisConfig::from_url(url).expect_err(url)
}

/// Everything that a log can show of it.
fn shown(what: &(impl fmt::Debug + ?Sized)) -> String {
    format!("{what:?} {what:#?}")
}

#[test]
fn each_form_names_its_server_and_the_lease() {
    let single = RedisConfig::single;
    let unix = || RedisConfig::unix("/run/my redis.sock");
    let sentinel =
        |hosts: &[(&str, u16)]| RedisConfig::sentinel(hosts.iter().copied(), "mymaster").unwrap();
    let cluster = |hosts: &[(&str, u16)]| RedisConfig::cluster(hosts.iter().copied()).unwrap();
    for (url, config) in [
        ("redis://h#jobs", single("h", 6379)),
        ("redis://h/#jobs", single("h", 6379)),
        ("REDIS://h#jobs", single("h", 6379)),
        ("redis://h:7000/#jobs", single("h", 7000)),
        ("redis://10.0.0.5:7000/0#jobs", single("10.0.0.5", 7000)),
        ("redis://my_redis-1.example.#jobs", single("my_redis-1.example.", 6379)),
        ("redis://[::1]#jobs", single("::1", 6379)),
        ("redis://[::0:1]:7000/15#jobs", single("::1", 7000).with_database(15).unwrap()),
        ("redis://:p@h#jobs", single("h", 6379).with_credentials(None, "p")),
        ("redis://u:p@h:1/2#jobs", {
            single("h", 1).with_credentials(Some("u"), "p").with_database(2).unwrap()
        }),
        ("redis://u:a:b,[c]@h#jobs", single("h", 6379).with_credentials(Some("u"), "a:b,[c]")),
        ("redis://%75%40:%2F%3f%23%40%25%C3%A9+%0a@h#jobs", {
            single("h", 6379).with_credentials(Some("u@"), "/?#@%é+\n")
        }),
        ("rediss://h#jobs", single("h", 6379).with_tls(Tls::new())),
        ("rediss://:p@[::1]:7/3?#jobs", {
            let config = single("::1", 7).with_tls(Tls::new()).with_credentials(None, "p");
            config.with_database(3).unwrap()
        }),
        ("redis+unix:///run/my%20redis.sock#jobs", unix()),
        ("redis+unix:///run/my%20redis.sock?db=3#jobs", unix().with_database(3).unwrap()),
        ("redis+unix:///run/my%20redis.sock?password=p%26+%C3%A9#jobs", {
            unix().with_credentials(None, "p&+é")
        }),
        ("redis+unix:///run/my%20redis.sock?password=p&db=1&user=u#jobs", {
            unix().with_credentials(Some("u"), "p").with_database(1).unwrap()
        }),
        ("redis+sentinel://a/mymaster#jobs", sentinel(&[("a", 26379)])),
        ("redis+sentinel://a,b:7,[::1],[::2]:8/my%6daster/4#jobs", {
            let hosts = [("a", 26379), ("b", 7), ("::1", 26379), ("::2", 8)];
            sentinel(&hosts).with_database(4).unwrap()
        }),
        ("redis+sentinel://u:p@a,b/mymaster?sentinel_user=s&sentinel_password=q#jobs", {
            sentinel(&[("a", 26379), ("b", 26379)])
                .with_credentials(Some("u"), "p")
                .with_sentinel_credentials(Some("s"), "q")
        }),
        ("rediss+sentinel://a/mymaster?sentinel_password=q#jobs", {
            sentinel(&[("a", 26379)]).with_tls(Tls::new()).with_sentinel_credentials(None, "q")
        }),
        ("redis+cluster://a#jobs", cluster(&[("a", 6379)])),
        ("redis+cluster://u:p@a,b:7/#jobs", {
            cluster(&[("a", 6379), ("b", 7)]).with_credentials(Some("u"), "p")
        }),
        ("rediss+cluster://a:1,b:2/0#jobs", cluster(&[("a", 1), ("b", 2)]).with_tls(Tls::new())),
    ] {
        let (found, name) = RedisConfig::from_url(url).expect(url);
        assert_eq!(found, config, "{url}");
        assert_eq!(name.as_str(), "jobs", "{url}");
    }
}

#[test]
fn a_name_is_decoded_and_may_hold_anything_but_control_characters() {
    for (written, name) in [
        ("jobs", "jobs"),
        ("a/b:c", "a/b:c"),
        ("a%20b%2F%23%3F%40%25", "a b/#?@%"),
        ("a b", "a b"),
        ("%C3%A9é", "éé"),
    ] {
        let (_, found) = RedisConfig::from_url(&format!("redis://h#{written}")).unwrap();
        assert_eq!(found.as_str(), name);
    }
}

#[test]
fn what_is_wrong_is_said_with_the_form() {
    const SINGLE: &str = "redis://[user:password@]host[:port][/db]#NAME";
    const UNIX: &str = "redis+unix:///path/to.sock[?db=1&user=…&password=…]#NAME";
    const SENTINEL: &str = "/MASTER[/db][?sentinel_user=…&sentinel_password=…]#NAME";
    const CLUSTER: &str = "redis+cluster://[user:password@]host[:port][,host[:port]…]#NAME";
    for (url, why, form) in [
        // The scheme.
        ("", "redis://", "rediss+cluster://"),
        ("h#jobs", "redis://", "redis+sentinel://"),
        ("redis:h#jobs", "redis://", "redis+unix://"),
        ("redis+tls://h#jobs", "redis://", "rediss://"),
        ("rediss+unix:///x#jobs", "redis://", "redis+unix://"),
        ("http://h#jobs", "redis://", "redis+cluster://"),
        // The name.
        ("redis://h", "the name of the lease is missing", SINGLE),
        ("redis://h#", "the name of the lease is missing", SINGLE),
        ("redis+unix:///x", "the name of the lease is missing", UNIX),
        ("redis+sentinel://h/m", "the name of the lease is missing", SENTINEL),
        ("redis+cluster://h", "the name of the lease is missing", CLUSTER),
        ("redis://h#%FF", "not UTF-8", SINGLE),
        ("redis://h#a#b", "%23", SINGLE),
        ("redis://h#a@b", "%40", SINGLE),
        ("rediss://h#jobs?ca=/x.pem", "?", SINGLE),
        // The host.
        ("redis://#jobs", "a host is missing", SINGLE),
        ("redis:///0#jobs", "a host is missing", SINGLE),
        ("redis://:7000#jobs", "a host is missing", SINGLE),
        ("redis://u:p@#jobs", "a host is missing", SINGLE),
        ("redis://a,b#jobs", "redis+sentinel://", SINGLE),
        ("redis+cluster://a,,b#jobs", "a host is missing", CLUSTER),
        ("redis+cluster://a,#jobs", "a host is missing", CLUSTER),
        ("redis+sentinel:///m#jobs", "a host is missing", SENTINEL),
        ("redis://a b#jobs", "a host is none", SINGLE),
        ("redis://a\\b#jobs", "a host is none", SINGLE),
        ("redis://[::1#jobs", "IPv6", SINGLE),
        ("redis://[::g]#jobs", "a host is none", SINGLE),
        ("redis://[::1]7000#jobs", "a host is none", SINGLE),
        ("redis://::1#jobs", "[::1]", SINGLE),
        ("redis://::1:6379#jobs", "[::1]", SINGLE),
        // The port.
        ("redis://h:#jobs", "no port from 1 to 65535", SINGLE),
        ("redis://h:0#jobs", "no port from 1 to 65535", SINGLE),
        ("redis://h:+1#jobs", "no port from 1 to 65535", SINGLE),
        ("redis://h:-1#jobs", "no port from 1 to 65535", SINGLE),
        ("redis://h:65536#jobs", "no port from 1 to 65535", SINGLE),
        ("redis+sentinel://a,b:x/m#jobs", "no port from 1 to 65535", SENTINEL),
        // The database.
        ("redis://h/x#jobs", "the database is no number", SINGLE),
        ("redis://h/-1#jobs", "the database is no number", SINGLE),
        ("redis://h/+1#jobs", "the database is no number", SINGLE),
        ("redis://h/4294967296#jobs", "the database is no number", SINGLE),
        ("redis://h/1/#jobs", "the database is no number", SINGLE),
        ("redis://h//#jobs", "the database is no number", SINGLE),
        ("redis+unix:///x?db=one#jobs", "the database is no number", UNIX),
        ("redis+cluster://h/1#jobs", "a cluster has only database 0", "leave it out"),
        // The credentials.
        ("redis://@h#jobs", "no password", ":password@"),
        ("redis://:@h#jobs", "no password", ":password@"),
        ("redis://u@h#jobs", "no password", ":password@"),
        ("redis://u:@h#jobs", "no password", ":password@"),
        ("redis://u:%FF@h#jobs", "not UTF-8", SINGLE),
        ("redis://u:p@q@h#jobs", "%40", SINGLE),
        ("redis+unix:///x?user=u#jobs", "\"user\" is there without \"password\"", UNIX),
        ("redis+unix:///x?password=#jobs", "\"password\" has no value", UNIX),
        ("redis+unix:///x?password#jobs", "\"password\" has no value", UNIX),
        ("redis+sentinel://h/m?sentinel_user=u#jobs", "without \"sentinel_password\"", SENTINEL),
        // The path.
        ("redis+unix://x.sock#jobs", "three slashes", UNIX),
        ("redis+unix://h/x.sock#jobs", "three slashes", UNIX),
        ("redis+unix://u:p@/x.sock#jobs", "three slashes", UNIX),
        ("redis+unix:///#jobs", "three slashes", UNIX),
        // The master.
        ("redis+sentinel://h#jobs", "the name of the master is missing", SENTINEL),
        ("redis+sentinel://h/#jobs", "the name of the master is missing", SENTINEL),
        ("redis+sentinel://h//1#jobs", "the name of the master is missing", SENTINEL),
        ("redis+sentinel://h/m/x#jobs", "the database is no number", SENTINEL),
        ("redis+sentinel://h/m/1/2#jobs", "the database is no number", SENTINEL),
        // The parameters.
        ("redis://h?protocol=3#jobs", "\"protocol\" is unknown (none is known here)", SINGLE),
        ("redis://h?ca=/x.pem#jobs", "\"ca\" goes with TLS", SINGLE),
        ("redis+unix:///x?cert=/x.pem#jobs", "\"cert\" goes with TLS", UNIX),
        ("rediss://h?insecure=1#jobs", "\"insecure\" is unknown (known are ca, cert, key)", SINGLE),
        ("rediss://h?CA=/x.pem#jobs", "\"CA\" is unknown", SINGLE),
        ("redis+unix:///x?database=1#jobs", "known are db, user, password", UNIX),
        ("redis+unix:///x?db=1&db=2#jobs", "\"db\" is there twice", UNIX),
        ("redis+sentinel://h/m?db=1#jobs", "known are sentinel_user", SENTINEL),
        ("rediss://h?ca=#jobs", "\"ca\" has no value", SINGLE),
        ("rediss://h?cert=/x.pem#jobs", "go together", SINGLE),
        ("rediss://h?key=/x.pem#jobs", "go together", SINGLE),
    ] {
        let error = refused(url);
        assert_eq!(error.kind(), ErrorKind::Invalid, "{url}: {error}");
        let said = error.to_string();
        assert!(said.contains(why) && said.contains(form), "{url}: {said}");
    }
}

#[test]
fn a_name_that_no_lease_can_have_is_refused_with_the_reason() {
    for (name, why) in [
        ("a%00b", "control character at byte 1"),
        (&"x".repeat(254), "254 bytes"),
        ("\t", "byte 0"),
    ] {
        let error = refused(&format!("redis://h#{name}"));
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_configuration_without_a_url_is_refused_as_one_with_it() {
    let nobody: [(&str, u16); 0] = [];
    let without = RedisConfig::sentinel(nobody, "mymaster").unwrap_err();
    assert_eq!(without.kind(), ErrorKind::Invalid);
    assert!(without.to_string().contains("name at least one"), "{without}");
    let without = RedisConfig::cluster(nobody).unwrap_err();
    assert!(without.to_string().contains("name at least one"), "{without}");
    let second = RedisConfig::cluster([("h", 6379)]).unwrap().with_database(1).unwrap_err();
    assert!(second.to_string().contains("only database 0"), "{second}");
}

/// As the password is, and as it is written in a URL; and where whoever wrote it forgot to encode
/// it, so that it was taken for something else.
#[test]
fn no_password_is_ever_shown() {
    let written = RedisConfig::from_url;
    for config in [
        written("redis://u:hunter2@h#jobs"),
        written("redis://u:%68unter2@h#jobs"),
        written("redis+unix:///x?password=hunter2#jobs"),
        written("redis+sentinel://u:hunter2@h/m?sentinel_user=u&sentinel_password=hunter2#jobs"),
        written("rediss+cluster://:hunter2@h#jobs"),
    ] {
        let said = shown(&config.unwrap().0);
        assert!(!said.contains("hunter2") && !said.contains("%68unter2"), "{said}");
    }
    let built = RedisConfig::single("h", 1)
        .with_credentials(Some("u"), PASSWORD)
        .with_sentinel_credentials(None, PASSWORD)
        .with_connect_timeout(Duration::from_millis(300));
    let said = shown(&built);
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(said.contains("300ms") && said.contains("\"u\""), "{said}");

    for url in [
        "redis+tls://u:hunter2@h#jobs",
        "redis:u:hunter2@h#jobs",
        "redis://u:hunter2@h",
        "redis://u:hunter2@h:x#jobs",
        "redis://u:hunter2@h/x#jobs",
        "redis://u:hunter2@h,g#jobs",
        "redis://u:hunter2@a b#jobs",
        "redis://u:hunter2@h?x=1#jobs",
        "redis://u:%68unter2%FF@h#jobs",
        "redis://hunter2@h#jobs",
        "redis://:hunter2#jobs",
        "redis://u:hunter2#jobs",
        // One of hunter/2, hunter?2, hunter#2 and hunter@2.
        "redis://u:hunter/2@h#jobs",
        "redis://u:6379/hunter@h#jobs",
        "redis://u:hunter?2@h#jobs",
        "redis://u:6379?hunter@h#jobs",
        "redis://u:hunter#2@h#jobs",
        "redis://u:6379#hunter@h#jobs",
        "redis://u:6379#hunter@h",
        "redis://u:hunter@2@h#jobs",
        "redis+cluster://u:hunter/2@a,b#jobs",
        "redis+sentinel://u:hunter/2@a,b/m#jobs",
        "redis+sentinel://a,b/m?sentinel_password=x&hunter2#jobs",
        "redis+sentinel://a,b/m?sentinel_password=x@hunter2#jobs",
        "redis+unix:///x?password=x&hunter2#jobs",
        "redis+unix:///x?password=x&hunter2=y#jobs",
        "redis+unix:///x?password=x#hunter2#jobs",
        "redis+unix:///x?user=hunter2#jobs",
        "redis+unix:///x?hunter2&password=x#jobs",
        "redis+cluster://:hunter2@h/1#jobs",
        "rediss://:hunter2@h?ca=/no/such/file#jobs",
    ] {
        let error = refused(url);
        let said = format!("{error} {}", shown(&error));
        assert!(!said.contains("hunter") && !said.contains("unter2"), "{said}");
    }
}
