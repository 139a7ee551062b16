use clap::Parser;

use super::*;

fn plan(url: &str, arguments: &[&str]) -> Plan {
    plan_of(url, arguments, vec![program("leasehold", false)])
}

fn plan_of(url: &str, arguments: &[&str], programs: Vec<Arc<Program>>) -> Plan {
    let options = Options::parse_from([&["failover"], arguments].concat());
    Plan::new(&options, &Store::given(url).unwrap(), programs).unwrap()
}

fn program(name: &str, is_peer: bool) -> Arc<Program> {
    Arc::new(Program {
        name: name.into(),
        path: name.into(),
        is_peer,
        arguments: &[],
        about: "",
        below_a_second: None,
        least_lease: if is_peer { Duration::from_secs(2) } else { Duration::ZERO },
        waits_out: false,
        keeps_lease: false,
        defaults: is_peer.then(|| "30s/25s/25s".parse().unwrap()),
    })
}

/// The leases of each phase in which leaders meet faults.
fn faults(plan: &Plan) -> Vec<&[PlannedLease]> {
    plan.phases
        .iter()
        .filter_map(|phase| match &phase.act {
            Act::Faults(leases) => Some(leases.as_slice()),
            _ => None,
        })
        .collect()
}

#[test]
fn every_round_is_planned_once() {
    let plan =
        plan("redis://127.0.0.1:1/#jobs", &["--rounds", "101", "--timing", "1s/700ms/150ms"]);
    for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::StoreRestart) {
        let leases = faults(&plan).concat();
        let rounds = leases.iter().filter(|lease| lease.fault == fault).map(|lease| lease.rounds);
        assert_eq!(rounds.sum::<usize>(), 101, "{fault}");
    }
    assert_eq!(plan.phases.iter().map(Phase::rounds).sum::<usize>(), 7 * 101);
    assert!(plan.forecast() < Duration::from_secs(120), "{:?}", plan.forecast());
}

#[test]
fn faults_of_the_link_are_measured_apart_and_by_way_of_a_proxy() {
    let plan = plan("redis://127.0.0.1:1/#jobs", &["--quick"]);
    let [direct, linked] = faults(&plan)[..] else { panic!("{plan:?}") };
    assert!(direct.iter().all(|lease| !lease.fault.cuts() && lease.cast.link.is_none()));
    assert!(linked.iter().all(|lease| lease.fault.cuts() && lease.cast.link.is_some()));
}

#[test]
fn what_cannot_be_done_to_a_store_is_left_out_and_it_says_why() {
    let some = plan("file:///run/jobs", &["--faults", "crash,partition,partition-replies"]);
    assert!(
        faults(&some).iter().all(|phase| phase.iter().all(|lease| lease.fault == Fault::Crash))
    );
    let left_out = some.left_out().unwrap();
    assert!(left_out.starts_with("file: no partition, partition-replies: "), "{left_out}");
    assert_eq!(left_out.matches("file").count(), 1, "once, whatever the timings: {left_out}");
    let none = plan("file:///run/jobs", &["--faults", "partition,store-restart"]);
    assert!(none.phases.is_empty() && none.floors.is_empty());
    assert!(none.left_out().unwrap().contains("no store-restart: it is somebody's"));
}

#[test]
fn peers_meet_the_same_faults_side_by_side_with_ours() {
    let programs = || vec![program("leasehold", false), program("other", true)];
    let timing = ["--timing", "1s/700ms/150ms"];
    let arguments = [&timing[..], &["--rounds", "101"]].concat();
    let plan = plan_of("redis://127.0.0.1:1/#jobs", &arguments, programs());
    for phase in faults(&plan) {
        for (is_peer, wanted) in [(false, 101), (true, 30)] {
            for fault in phase.iter().map(|lease| lease.fault) {
                let these = phase
                    .iter()
                    .filter(|lease| (lease.fault, lease.cast.program.is_peer) == (fault, is_peer));
                let wait = Duration::from_secs(if is_peer { 2 } else { 1 });
                assert!(these.clone().all(|lease| lease.cast.wait == wait));
                assert!(these.clone().count() <= Plan::SIDE_BY_SIDE / 2);
                assert_eq!(these.map(|lease| lease.rounds).sum::<usize>(), wanted, "{fault}");
            }
        }
    }
    let leases = faults(&plan).concat();
    let mut names: Vec<_> = leases.iter().map(|lease| &lease.cast.url).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), leases.len(), "no two share a lease");
    let arguments = [&timing[..], &["--rounds", "101", "--peer-rounds", "101"]].concat();
    let plan = plan_of("redis://127.0.0.1:1/#jobs", &arguments, programs());
    assert_eq!(faults(&plan).concat().iter().map(|lease| lease.rounds).sum::<usize>(), 2 * 7 * 101);
}

#[test]
fn a_peers_own_defaults_are_measured_too_unless_something_else_was_asked_for() {
    let programs = || vec![program("leasehold", false), program("other", true)];
    let usual = plan_of("redis://127.0.0.1:1/#jobs", &[], programs());
    let leases = faults(&usual).concat();
    let defaults: Vec<_> = leases.iter().filter(|lease| lease.defaults).collect();
    assert!(defaults.iter().all(|lease| lease.cast.program.name == "other"));
    assert_eq!(defaults.iter().map(|lease| lease.rounds).sum::<usize>(), 3 * 5);
    assert!(defaults.iter().all(|lease| lease.cast.timing.lease == Duration::from_secs(30)));
    for asked in [&["--quick"][..], &["--timing", "3s/2s/500ms"]] {
        let plan = plan_of("redis://127.0.0.1:1/#jobs", asked, programs());
        assert!(faults(&plan).concat().iter().all(|lease| !lease.defaults), "{asked:?}");
    }
}

#[test]
fn a_fault_is_in_one_phase_and_no_phase_has_more_than_the_store_takes() {
    let mut programs = vec![program("leasehold", false)];
    programs.extend(["a", "b", "c", "d", "e", "f"].map(|name| program(name, true)));
    let plan = plan_of("kubernetes://shop/jobs", &[], programs);
    let phases = faults(&plan);
    for fault in [Fault::Resign, Fault::Crash, Fault::Freeze] {
        let lease = Duration::from_secs(1);
        let has = |phase: &&&[PlannedLease]| {
            phase.iter().any(|at| at.fault == fault && at.cast.timing.lease == lease)
        };
        assert_eq!(phases.iter().filter(has).count(), 1, "{fault}");
    }
    for phase in &phases {
        let alone = phase.iter().all(|lease| lease.fault == phase[0].fault);
        assert!(alone || load(phase) <= 10.0, "{}", load(phase));
    }
    assert!(plan.forecast() < Duration::from_secs(20 * 60), "{:?}", plan.forecast());
}

#[test]
fn who_is_in_a_hurry_need_not_wait_long() {
    let plan = plan("redis://127.0.0.1:1/#jobs", &["--quick"]);
    assert!(plan.forecast() < Duration::from_secs(25), "{:?}", plan.forecast());
}
