use std::time::Duration;

use clap::Args;

use crate::Durations;

/// What every program is told that is measured, as the harness says it.
#[derive(Args, Clone, Debug)]
pub struct ContenderOptions {
    /// The lease: file:///directory/NAME, for example
    #[arg(long)]
    pub url: String,
    /// What this candidate is called
    #[arg(long)]
    pub id: String,
    /// LEASE/DEADLINE/RETRY, such as 1s/700ms/150ms
    #[arg(long)]
    pub timing: Durations,
    /// Also tell of each request that acquires or renews
    #[arg(long)]
    pub trace: bool,
    /// How often the work asks whether it may go on
    #[arg(long, default_value = "1ms", value_parser = humantime::parse_duration)]
    pub work_every: Duration,
}
