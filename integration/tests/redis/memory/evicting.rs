use leasehold_testkit::redis::{RedisOptions, RedisServer, Value};

/// A server with little memory, that forgets whatever key it likes when there is no more.
pub(crate) fn server(policy: &str) -> RedisServer {
    let options = RedisOptions::new()
        .config_line("maxmemory 4mb")
        .config_line(format!("maxmemory-policy {policy}"));
    options.start().unwrap_or_else(|error| panic!("{error}"))
}

/// Writes other keys until this one is gone, and says so at once: its leader does not know yet.
pub(crate) fn evict(server: &RedisServer, key: &str) {
    let value = "x".repeat(1000);
    let mut fillers = 0;
    while server.command(&["EXISTS", key]) == Value::Int(1) {
        assert!(fillers < 1_000_000, "the server does not forget {key}");
        let mut write = vec!["MSET".to_owned()];
        for _ in 0..100 {
            fillers += 1;
            write.extend([format!("filler:{fillers}"), value.clone()]);
        }
        server.command(&write);
    }
}
