use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A store of leases that a test can have without a server: who asks (`NAME ID NANOSECONDS`) is
/// given the lease for so long, if it is free or theirs, and told the token; or `no`.
#[derive(Default)]
struct ToyStore {
    leases: HashMap<String, Lease>,
}

struct Lease {
    holder: String,
    until: Instant,
    token: u64,
}

/// Starts one, for as long as the process of the test lives.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let store = Arc::<Mutex<ToyStore>>::default();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, store) = (client.unwrap(), store.clone());
            thread::spawn(move || serve(client, &store));
        }
    });
    address
}

fn serve(mut client: TcpStream, store: &Mutex<ToyStore>) {
    client.set_nodelay(true).unwrap();
    let requests = BufReader::new(client.try_clone().unwrap());
    for request in requests.lines().map_while(Result::ok) {
        let [name, id, nanos] = request.split(' ').collect::<Vec<_>>()[..] else { return };
        let duration = Duration::from_nanos(nanos.parse().unwrap());
        let answer = store.lock().unwrap().ask(name, id, duration);
        // Who has gone need not know.
        let _ = client.write_all(format!("{answer}\n").as_bytes());
    }
}

impl ToyStore {
    fn ask(&mut self, name: &str, id: &str, duration: Duration) -> String {
        let now = Instant::now();
        let token = match self.leases.get(name) {
            Some(lease) if now >= lease.until => lease.token + 1,
            Some(lease) if lease.holder == id => lease.token,
            Some(_) => return "no".into(),
            None => 1,
        };
        let lease = Lease { holder: id.into(), until: now + duration, token };
        self.leases.insert(name.into(), lease);
        token.to_string()
    }
}
