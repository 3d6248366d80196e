use super::attribute::{Attributes, Request};
use super::message::{Messages, emit};
use super::*;

/// The messages of a datagram as text: type, error.
fn told_of(bytes: &[u8]) -> Vec<(u16, Option<i32>)> {
    Messages::of(bytes)
        .map(|message| (message.kind, message.error()))
        .collect()
}

fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = emit(kind, 0, 7, payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn a_datagram_is_taken_apart_up_to_where_it_is_cut() {
    let two = [message(16, &[1, 2, 3]), message(3, &0_i32.to_ne_bytes())].concat();
    assert_eq!(told_of(&two), [(16, None), (3, None)]);
    assert_eq!(Messages::of(&two).next().unwrap().payload, [1, 2, 3]);
    assert_eq!(told_of(&two[..two.len() - 1]), [(16, None)]);
    assert_eq!(told_of(&two[..15]), []);
    // A length below that of the header, and one beyond the datagram.
    for length in [0_u32, 15, 4096, u32::MAX] {
        let mut bytes = two.clone();
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(told_of(&bytes), [], "{length}");
    }
}

#[test]
fn an_error_is_its_errno_and_an_acknowledgement_is_none() {
    for (code, errno) in [(-95_i32, 95), (0, 0), (i32::MIN, i32::MAX), (12, 0)] {
        assert_eq!(
            told_of(&message(2, &code.to_ne_bytes())),
            [(2, Some(errno))],
            "{code}"
        );
    }
    assert_eq!(told_of(&message(2, &[])), [(2, Some(libc::EBADMSG))]);
    assert_eq!(
        told_of(&message(3, &(-4_i32).to_ne_bytes())),
        [(3, Some(4))]
    );
}

#[test]
fn what_answers_another_question_is_passed_over() {
    let bytes = message(16, &[1]);
    let message = Messages::of(&bytes).next().unwrap();
    let heard = |port, sequence| {
        let mut count = 0;
        let told = told(&message, port, sequence, &mut |_| count += 1);
        assert!(matches!(told, Ok(Told::More)));
        count
    };
    assert_eq!((heard(0, 7), heard(0, 8), heard(1, 7)), (1, 0, 0));
}

#[test]
fn attributes_are_read_as_they_are_written() {
    let inner = Request::default()
        .with_u32(1, 0x0102_0304)
        .with_text(2, "eth0");
    let request = Request::default().with(7, &[9]).with_nested(8, &inner);
    let all: Vec<_> = Attributes::of(request.as_bytes()).collect();
    assert_eq!((all[0].kind, all[0].number()), (7, Some(9)));
    assert_eq!(all[1].kind, 8);
    let nested: Vec<_> = all[1].nested().collect();
    assert_eq!(nested[0].small(), Some(0x0102_0304));
    assert_eq!(nested[1].text().as_deref(), Some("eth0"));
    assert_eq!(
        (nested[1].number(), nested[0].text().is_some()),
        (None, true)
    );
    for cut in 1..4 {
        assert_eq!(Attributes::of(&request.as_bytes()[..cut]).count(), 0);
    }
    assert_eq!(Attributes::of(&[3, 0, 1, 0, 0]).count(), 0);
}

#[test]
fn what_a_kernel_does_not_have_is_absent_and_what_it_denies_is_an_error() {
    let answer = |errno: i32| offered::<()>(Err(io::Error::from_raw_os_error(errno)));
    for errno in [
        libc::EOPNOTSUPP,
        libc::ENOENT,
        libc::EPROTONOSUPPORT,
        libc::ENODEV,
    ] {
        assert!(answer(errno).unwrap().is_none());
    }
    assert!(answer(libc::EPERM).is_err());
    assert!(answer(libc::ETIMEDOUT).is_err());
}

#[test]
fn this_hosts_links_are_asked_for_and_one_of_them_is_the_loopback() {
    let mut socket = Socket::open(SockProtocol::NetlinkRoute).unwrap();
    let rows = socket.list(18, &[0; 16]).unwrap();
    let links: Vec<_> = rows.iter().filter_map(|row| link::parse(row)).collect();
    assert_eq!(links.len(), rows.len());
    assert!(
        links
            .iter()
            .any(|link| link.name == "lo" && link.link_type == 772)
    );
    // A row cut anywhere is one with less in it, or none.
    for row in &rows {
        for length in 0..row.len() {
            let _ = link::parse(&row[..length]);
        }
    }
    let error = socket.get(18, &[0; 16], &mut |_| {}).unwrap_err();
    assert!(error.raw_os_error().is_some());
}

#[test]
fn a_family_that_no_kernel_has_is_absent() {
    assert!(generic::Family::find("nosuchfamily").unwrap().is_none());
    let family = generic::Family::find("nlctrl").unwrap().unwrap();
    assert_eq!(family.group("nosuchgroup"), None);
    assert!(family.group("notify").is_some());
}

#[test]
fn an_offload_is_told_from_a_discipline_in_software() {
    let row = |kind: &str, options: Request| {
        let head = [&[0; 4][..], &7_u32.to_ne_bytes(), &[0; 12]].concat();
        let attributes = Request::default()
            .with_text(1, kind)
            .with_nested(2, &options);
        qdisc::parse(&[&head[..], attributes.as_bytes()].concat())
    };
    let etf =
        |flags: u32| Request::default().with(1, &[&[0; 8][..], &flags.to_ne_bytes()].concat());
    assert_eq!(
        row("etf", etf(2)).map(|qdisc| (qdisc.index, qdisc.offloaded)),
        Some((7, true))
    );
    assert_eq!(row("etf", etf(1)).map(|qdisc| qdisc.offloaded), Some(false));
    let taprio =
        |flags| row("taprio", Request::default().with_u32(10, flags)).map(|qdisc| qdisc.offloaded);
    assert_eq!((taprio(2), taprio(1)), (Some(true), Some(false)));
    let cbs = |byte| {
        row("cbs", Request::default().with(1, &[byte, 0, 0, 0])).map(|qdisc| qdisc.offloaded)
    };
    assert_eq!((cbs(1), cbs(0)), (Some(true), Some(false)));
    assert_eq!(row("pfifo_fast", Request::default()), None);
    assert_eq!(qdisc::parse(&[0; 19]), None);
}
