use std::{fs, io};

use super::{RedisOptions, config};
use crate::server::{Launch, Place, Port, Program, Recipe, Version};

pub(super) static PROGRAM: Program = Program {
    store: "Redis",
    url: "LEASEHOLD_REDIS_URL",
    url_form: "redis://[user:password@]host:port[/db]",
    is_url: |url| url.starts_with("redis://") && !url.contains('#'),
    names: &["redis-server", "valkey-server"],
    path: "LEASEHOLD_REDIS_SERVER",
    // Scripts that ask for the server's replication id and publish.
    oldest: Version(7, 0),
    version_after: "v=",
    to_be_had: "Debian: apt-get install redis-server",
    image: "LEASEHOLD_REDIS_IMAGE",
    default_image: "redis:7",
};

impl Recipe for RedisOptions {
    fn ports(&self) -> usize {
        if self.cluster { 2 } else { 1 }
    }

    fn configure(&self, place: &Place<'_>) -> io::Result<()> {
        if let Some(tls) = &self.tls {
            tls.write(place.directory)?;
        }
        let bus = place.ports.get(1).map(Port::number);
        let text = config::text(self, place.ports[0].number(), bus, place.directory);
        fs::write(place.directory.join(config::FILE), text)
    }

    fn launch(&self, _: &Place<'_>) -> Launch {
        let (arguments, ready) = match self.sentinel_of {
            None => (&[config::FILE][..], "Ready to accept connections"),
            Some(_) => (&[config::FILE, "--sentinel"][..], "Sentinel ID is"),
        };
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Launch { arguments, environment: self.environment.clone(), ready }
    }
}
