use std::{fs, sync::Arc};

use anyhow::Result;
use leasehold::etcd::{Etcd, EtcdConfig};
use leasehold_bench::Etcd as Servers;
use leasehold_core::{LeaseLock, LeaseName};

use crate::store::{Spent, Store};

/// An etcd that is started for this, and one client of it.
struct Site {
    servers: Servers,
    client: Etcd,
}

pub(crate) fn start(members: usize) -> Result<Box<dyn Store>> {
    let servers = if members == 1 { Servers::single()? } else { Servers::cluster()? };
    let (config, _) = EtcdConfig::from_url(&servers.url("any"))?;
    Ok(Box::new(Site { servers, client: Etcd::new(config) }))
}

impl Store for Site {
    fn lock(&self, name: LeaseName) -> Arc<dyn LeaseLock> {
        Arc::new(self.client.lock(name))
    }

    fn spent(&self) -> Option<Spent> {
        let members = self.servers.members();
        let received =
            members.iter().map(|member| member.metric("grpc_server_msg_received_total", &[]));
        let cpu = members.iter().map(|member| member.pid().and_then(cpu_of));
        Some(Spent { requests: received.sum(), cpu: cpu.sum() })
    }
}

/// The seconds of processors that a process has used.
fn cpu_of(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name is in brackets, and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<f64>().ok());
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Some(ticks.sum::<Option<f64>>()? / per_second)
}
