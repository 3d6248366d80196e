use proptest::prelude::*;

use super::*;

fn entity(text: &str) -> Entity {
    Entity::parse(text).unwrap()
}

#[test]
fn one_sensor_is_not_within_another_whose_name_it_begins_with() {
    let (outer, other) = (
        entity("host=n1.sensor=CPU1_Temp"),
        entity("host=n1.sensor=CPU1_Temp2"),
    );
    assert!(!other.is_within(&outer) && !outer.is_within(&other));
    assert!(!entity("host=compute-10.fan=1").is_within(&entity("host=compute-1")));
    assert!(outer.is_within(&entity("host=n1")) && outer.is_within(&outer));
    assert!(!entity("host=n1").is_within(&outer));
}

#[test]
fn what_would_be_misread_is_escaped() {
    let address = Entity::host("n1").with("nic", "0000:3b:00.0").unwrap();
    assert_eq!(address.to_string(), r"host=n1.nic=0000:3b:00\.0");
    for (value, text) in [
        ("a=b", r"k=a\=b"),
        ("a,b", r"k=a\,b"),
        (r"a\b", r"k=a\\b"),
        ("Inlet Temp", "k=Inlet Temp"),
        ("büro", "k=büro"),
        ("a\u{202e}b", r"k=a\u{202e}b"),
        ("'; DROP TABLE alarm", "k='; DROP TABLE alarm"),
    ] {
        let one = Entity::new([("k", value)]).unwrap();
        assert_eq!(one.to_string(), text);
        assert_eq!(entity(text), one);
    }
}

#[test]
fn arguments_join_pairs_by_commas_and_need_no_escape_for_a_dot() {
    let given = Entity::parse_list("host=n1,address=10.0.0.1").unwrap();
    assert_eq!(given, entity(r"host=n1.address=10\.0\.0\.1"));
}

#[test]
fn what_is_no_entity_is_refused_by_name() {
    let long = format!("host={}", "n".repeat(1 << 20));
    let value = format!("host={}", "n".repeat(256));
    let many = vec!["k=v"; 9].join(".");
    let wide = vec![format!("k={}", "v".repeat(255)); 5].join(".");
    for (text, says) in [
        ("", "without a pair"),
        ("host", "no \"=\" in \"host\""),
        ("host=n1.10", "no \"=\" in \"10\""),
        ("host=", "host= of an entity has no value"),
        ("=n1", "\"\" is no kind"),
        ("Host=n1", "\"Host\" is no kind"),
        ("host=n1..fan=1", "\".fan\" is no kind"),
        ("host=a\nb", "control character (U+000A)"),
        (r"host=\u{1b}", "control character (U+001B)"),
        (r"host=\n", r#""\\n" is no escape"#),
        (r"host=\u{d800}", r#""\\u" is no escape"#),
        (r"host=\u{+41}", r#""\\u" is no escape"#),
        ("host=\\", "is no escape"),
        (&long, "of 1048581 bytes: at most 1024"),
        (&value, "has 256 bytes: at most 255"),
        (&many, "of 9 pairs: at most 8"),
        (&wide, "of 1280 bytes: at most 1024"),
    ] {
        let error = Entity::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(error.len() < 200, "{error}");
    }
}

#[test]
fn a_name_from_hardware_is_never_refused_and_no_two_become_one() {
    let host = Entity::host("n1");
    let of = |name: &str| host.with_lossy("dimm", name).unwrap();
    assert_eq!(of("DIMM_A1").to_string(), "host=n1.dimm=DIMM_A1");
    let odd = [
        "",
        "A\u{1}",
        "A\u{2}",
        &"x".repeat(256),
        &"x".repeat(1 << 20),
    ]
    .map(of);
    for (index, one) in odd.iter().enumerate() {
        assert_eq!(entity(&one.to_string()), *one);
        assert!(odd.iter().skip(index + 1).all(|other| other != one));
    }
    assert_eq!(Entity::host("").pairs().len(), 1);
}

#[test]
fn its_outer_entities_end_at_the_host() {
    let port = entity("host=n1.nic=a.port=0");
    let outer: Vec<String> = std::iter::successors(port.outer(), Entity::outer)
        .map(|outer| outer.to_string())
        .collect();
    assert_eq!(outer, ["host=n1.nic=a", "host=n1"]);
    assert_eq!(port.outermost(), entity("host=n1"));
}

#[test]
fn what_is_within_an_entity_follows_it_in_order() {
    let mut all = [
        "host=n1.a=2",
        "host=n2",
        "host=n1.a=1.b=9",
        "host=n1",
        "host=n1.a=1",
        "host=n10",
    ]
    .map(entity);
    all.sort();
    let all = all.map(|one| one.to_string());
    let expected = [
        "host=n1",
        "host=n1.a=1",
        "host=n1.a=1.b=9",
        "host=n1.a=2",
        "host=n10",
        "host=n2",
    ];
    assert_eq!(all, expected);
}

pub(crate) fn any_entity() -> impl Strategy<Value = Entity> {
    let value = any::<String>().prop_map(|text| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(12)
            .collect::<String>()
    });
    let value = value.prop_filter("a value has bytes", |value| !value.is_empty());
    prop::collection::vec(("[a-z][a-z0-9_-]{0,7}", value), 1..=PAIRS_MAX)
        .prop_map(|pairs| Entity::new(pairs).unwrap())
}

proptest! {
    #[test]
    fn what_is_emitted_is_parsed_to_the_same(one in any_entity()) {
        let text = one.to_string();
        prop_assert!(!text.chars().any(char::is_control));
        prop_assert_eq!(Entity::parse(&text).unwrap(), one.clone());
        let json = serde_json::to_string(&one).unwrap();
        prop_assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), one);
    }

    #[test]
    fn whatever_text_comes_is_refused_or_kept(text in any::<String>()) {
        if let Ok(one) = Entity::parse(&text) {
            prop_assert_eq!(Entity::parse(&one.to_string()).unwrap(), one);
        }
    }

    #[test]
    fn within_is_a_prefix_of_pairs(one in any_entity(), other in any_entity()) {
        let prefix = one.pairs().len() >= other.pairs().len()
            && one.pairs().iter().zip(other.pairs()).all(|(a, b)| a == b);
        prop_assert_eq!(one.is_within(&other), prefix);
    }
}
