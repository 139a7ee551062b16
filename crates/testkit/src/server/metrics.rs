use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(5);

/// What a server publishes for Prometheus.
pub(crate) fn page(address: SocketAddr) -> io::Result<String> {
    let mut connection = TcpStream::connect_timeout(&address, LIMIT)?;
    connection.set_read_timeout(Some(LIMIT))?;
    // As old as that, so that the page ends with the connection and comes in one piece.
    write!(connection, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut page = String::new();
    connection.read_to_string(&mut page)?;
    match page.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains(" 200 ") => Ok(body.to_owned()),
        _ => Err(io::Error::other(page)),
    }
}

/// The sum of all values by this name that have these labels.
pub(crate) fn sum(page: &str, name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |line: &str| {
        labels.iter().all(|(label, value)| line.contains(&format!("{label}=\"{value}\"")))
    };
    page.lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| has(line))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn values_are_added_that_have_the_name_and_the_labels() {
        let page = "# HELP calls 9\ncalls{a=\"x\",b=\"y\"} 1\ncalls{a=\"x\",b=\"z\"} 2e1\ncalls_more 4\nidle 3\n";
        assert_eq!(sum(page, "calls", &[]), 21.0);
        assert_eq!(sum(page, "calls", &[("b", "z"), ("a", "x")]), 20.0);
        assert_eq!(sum(page, "idle", &[]), 3.0);
        assert_eq!(sum(page, "nothing", &[]), 0.0);
    }
}
