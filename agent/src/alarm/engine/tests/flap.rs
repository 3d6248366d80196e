use super::*;

const ID: &str = "t.flap.fault";
const N: &str = "host=n1.nic=a";

/// Comes and goes so often, two seconds each time.
fn swing(rig: &mut Rig, times: u64) {
    for _ in 0..times {
        rig.fault(ID, N);
        rig.pass(1);
        rig.absent(ID, N);
        rig.pass(1);
    }
}

#[test]
fn what_comes_and_goes_too_often_is_told_once_and_counted() {
    let mut rig = Rig::new();
    swing(&mut rig, 2);
    assert_eq!(rig.happened(), ["Raised", "Cleared", "Raised", "Flapping"]);
    let instance = rig.instance(ID, N);
    swing(&mut rig, 10);
    assert_eq!(rig.happened(), Vec::<String>::new());
    let alarm = rig.alarm(ID, N).unwrap();
    assert_eq!((alarm.phase, alarm.instance), (Phase::Raised, instance));
    assert_eq!(alarm.flapping.as_ref().unwrap().transitions, 4 + 20);
}

#[test]
fn a_flapping_alarm_that_rests_without_a_fault_is_cleared_with_the_exact_number_folded() {
    let mut rig = Rig::new();
    swing(&mut rig, 2);
    swing(&mut rig, 10);
    rig.happened();
    rig.pass(98);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.pass(2);
    let cleared = rig.events.last().unwrap();
    assert_eq!(cleared.folded, 20);
    assert!(cleared.alarm.flapping.is_none());
    assert_eq!(rig.happened(), ["Cleared"]);
    rig.pass(61);
    assert_eq!(rig.engine.keys(), 0);
}

#[test]
fn a_flapping_alarm_that_rests_with_its_fault_goes_on_as_one() {
    let mut rig = Rig::new();
    swing(&mut rig, 2);
    rig.fault(ID, N);
    rig.happened();
    rig.pass(99);
    assert_eq!(rig.happened(), Vec::<String>::new());
    rig.pass(1);
    assert_eq!(rig.events.last().unwrap().folded, 1);
    assert_eq!(rig.happened(), ["Settled"]);
    rig.absent(ID, N);
    assert_eq!(rig.happened(), ["Cleared"]);
}

#[test]
fn it_may_begin_to_flap_as_it_is_raised() {
    let mut rig = Rig::new();
    // 3 transitions, then a rest that is shorter than the window, and the fourth is a raise.
    rig.fault(ID, N);
    rig.absent(ID, N);
    rig.fault(ID, N);
    rig.pass(30);
    rig.absent(ID, N);
    assert_eq!(rig.happened(), ["Raised", "Cleared", "Raised", "Flapping"]);
    rig.pass(100);
    rig.pass(0);
    rig.fault(ID, N);
    rig.absent(ID, N);
    rig.pass(61);
    rig.happened();
    rig.fault(ID, N);
    rig.pass(50);
    rig.absent(ID, N);
    rig.pass(5);
    rig.fault(ID, N);
    rig.absent(ID, N);
    assert_eq!(rig.happened(), ["Raised", "Cleared", "Raised", "Flapping"]);
}

#[test]
fn what_comes_and_goes_seldom_does_not_flap() {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.fault(ID, N);
        rig.pass(20);
        rig.absent(ID, N);
        rig.pass(21);
    }
    assert!(
        rig.happened()
            .iter()
            .all(|word| word == "Raised" || word == "Cleared")
    );
}

#[test]
fn a_flapping_alarm_whose_probe_dies_does_not_end() {
    let mut rig = Rig::new();
    swing(&mut rig, 2);
    rig.see(ID, N, Seen::Unknown(text("no answer")));
    rig.happened();
    rig.pass(1000);
    assert_eq!(rig.happened(), Vec::<String>::new());
    assert!(rig.alarm(ID, N).unwrap().stale.is_some());
    rig.absent(ID, N);
    assert_eq!(rig.happened(), ["Cleared"]);
}
