use anyhow::{Context, Result, ensure};

use super::{kind::Host, without_secret};

/// A store that somebody else has started.
#[derive(Debug)]
pub(super) struct Given {
    url: String,
}

impl Given {
    /// The store, and the scheme of its URL.
    pub(super) fn new(url: &str) -> Result<(Self, String)> {
        let (scheme, _) = url.split_once(':').with_context(|| {
            format!("--url {url:?} has no scheme; file:///directory/NAME, for example")
        })?;
        ensure!(scheme != "memory", "--url {url:?}: a memory lease cannot be shared by processes");
        Ok((Self { url: url.to_owned() }, scheme.to_owned()))
    }
}

impl Host for Given {
    fn url(&self, lease: &str) -> Result<String> {
        if self.url.contains("{}") {
            return Ok(self.url.replace("{}", lease));
        }
        // A name that is a fragment is the URL's end; one that is a path ends where a query begins.
        Ok(match self.url.split_once('?') {
            Some((path, query)) if !self.url.contains('#') => format!("{path}-{lease}?{query}"),
            _ => format!("{}-{lease}", self.url),
        })
    }

    fn describe(&self) -> String {
        without_secret(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lease_has_a_name_of_its_own() {
        for (url, lease) in [
            ("file:///run/jobs", "file:///run/jobs-a"),
            ("file:///run/{}/lease", "file:///run/a/lease"),
            ("redis://u:secret@h:1/2#jobs", "redis://u:secret@h:1/2#jobs-a"),
            ("rediss://h:1?ca=/ca.pem#jobs", "rediss://h:1?ca=/ca.pem#jobs-a"),
            ("kubernetes://ns/jobs?mixed_fleet=true", "kubernetes://ns/jobs-a?mixed_fleet=true"),
        ] {
            let (given, _) = Given::new(url).unwrap();
            assert_eq!(given.url("a").unwrap(), lease);
        }
    }

    #[test]
    fn a_url_that_cannot_work_says_why() {
        assert!(Given::new("nonsense").unwrap_err().to_string().contains("no scheme"));
        assert!(Given::new("memory:x").unwrap_err().to_string().contains("processes"));
    }
}
