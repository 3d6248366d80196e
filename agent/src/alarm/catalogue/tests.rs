use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn with(text: &str) -> Result<Catalogue, Error> {
    Catalogue::embedded()
        .unwrap()
        .with(toml::from_str(text).unwrap())
}

const DOOR: &str = "
['site.door.open']
title = 'The door is open'
severity = 'minor'
event_type = 'environmental'
probable_cause = 'enclosure-door-open'
meaning = 'Somebody may be inside.'
";

#[test]
fn every_alarm_of_ours_says_all_that_an_operator_needs() {
    let catalogue = Catalogue::embedded().unwrap();
    assert!(catalogue.definitions().len() >= 90);
    for definition in catalogue.definitions() {
        let Definition {
            id,
            title,
            meaning,
            evidence,
            repair,
            entity,
            ..
        } = definition;
        for (what, text, least) in [
            ("title", title, 12),
            ("meaning", meaning, 40),
            ("evidence", evidence, 20),
            ("repair", repair, 18),
        ] {
            assert!(text.as_str().len() >= least, "{id}: {what}: {text}");
            let ends = text.as_str().ends_with('.');
            assert_eq!(ends, what != "title", "{id}: {what}: {text}");
        }
        assert!(
            entity.as_str().split('.').next() == Some("host"),
            "{id}: {entity}"
        );
        assert!(!definition.custom);
        let names = &definition.names;
        let number = names
            .snmp
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let numbers: Vec<u32> = number
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert_eq!(numbers.len(), 2, "{id}: {number}");
        let condition = names
            .kubernetes
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            condition.starts_with(char::is_uppercase)
                && condition.bytes().all(|c| c.is_ascii_alphanumeric()),
            "{id}"
        );
        // A float in many a parser: it has three decimals, and no more.
        let fault_manager = names
            .starlingx
            .as_ref()
            .map_or("200.007", |name| name.as_str());
        let shape = fault_manager.split('.').map(str::len);
        assert!(
            shape.eq([3, 3])
                && fault_manager
                    .bytes()
                    .all(|c| c == b'.' || c.is_ascii_digit()),
            "{id}"
        );
        assert!(
            names
                .oran
                .as_ref()
                .is_none_or(|address| address.as_str().starts_with("/sync/")),
            "{id}"
        );
    }
}

#[test]
fn what_the_engine_says_of_itself_is_in_the_catalogue() {
    let catalogue = Catalogue::embedded().unwrap();
    for id in ["agent.alarm.storm", "agent.alarm.refused"] {
        let definition = catalogue.find_text(id).unwrap();
        assert_eq!(definition.settings.flap, None, "{id}");
    }
}

#[test]
fn a_cause_and_its_symptom_have_entities_that_can_be_related_so() {
    let catalogue = Catalogue::embedded().unwrap();
    for definition in catalogue.definitions() {
        for (id, related) in &definition.causes {
            let cause = catalogue.find(id).unwrap();
            let (inner, outer) = match related {
                Related::SameEntity => (definition, definition),
                Related::Within => (definition, cause),
                Related::Around => (cause, definition),
                Related::SameHost => continue,
            };
            let (inner, outer) = (inner.entity.as_str(), outer.entity.as_str());
            assert!(
                format!("{inner}.").starts_with(&format!("{outer}.")),
                "{}: {id}",
                definition.id
            );
            if *related == Related::SameEntity {
                assert_eq!(definition.entity, cause.entity, "{}: {id}", definition.id);
            }
        }
    }
}

#[test]
fn a_user_may_define_alarms() {
    let catalogue = with(&format!(
        "{DOOR}causes = [{{ alarm = 'hw.chassis.intrusion', related = 'same-host' }}]\n"
    ))
    .unwrap();
    let door = catalogue.find_text("site.door.open").unwrap();
    assert!(door.custom && door.settings == Settings::of(Severity::Minor));
    let cause = catalogue
        .kind(&AlarmId::of("hw.chassis.intrusion"))
        .unwrap();
    let symptoms = catalogue.symptoms(cause);
    assert_eq!(
        symptoms,
        [(catalogue.kind(&door.id).unwrap(), Related::SameHost)]
    );
    // Kinds moved when it was sorted in: what ours are causes of has to move with them.
    let mca = catalogue
        .kind(&AlarmId::of("hw.memory.uncorrected"))
        .unwrap();
    let poisoned = catalogue.kind(&AlarmId::of("hw.memory.poisoned")).unwrap();
    assert_eq!(catalogue.symptoms(mca), [(poisoned, Related::SameHost)]);
}

#[test]
fn what_a_user_defines_wrongly_is_refused_by_name() {
    let two = DOOR.replace("site.door.open", "site.a.b")
        + "causes = [{ alarm = 'site.door.open', related = 'within' }]\n";
    for (more, says) in [
        (
            "raise_for = '5 minutes'".to_owned(),
            "site.door.open: raise_for = \"5 minutes\": expected a time",
        ),
        ("raise_for = '99999999999d'".to_owned(), "raise_for"),
        ("over = '-1s'".to_owned(), "over"),
        (
            "flap = { transitions = 1, within = '1m', quiet = '1m' }".to_owned(),
            "flap.transitions = \"1\": expected 2 to 32",
        ),
        (
            "flap = { transitions = 3, within = '0s', quiet = '1m' }".to_owned(),
            "flap.within = \"0s\": expected a time longer than 0",
        ),
        (
            "storm = { burst = 0, every = '1s' }".to_owned(),
            "storm.burst",
        ),
        (
            "causes = [{ alarm = 'site.no.such', related = 'within' }]".to_owned(),
            "its cause site.no.such is no alarm",
        ),
        (
            "causes = [{ alarm = 'site.door.open', related = 'within' }]".to_owned(),
            "its own cause",
        ),
        (
            format!("causes = [{{ alarm = 'site.a.b', related = 'within' }}]{two}"),
            "its own cause",
        ),
        ("snmp = '1.1'".to_owned(), "the same SNMP number"),
        ("repair = \"\\u0007\"".to_owned(), "site.door.open: repair"),
        (
            format!("repair = '{}'", "x".repeat(2000)),
            "site.door.open: repair",
        ),
        ("unit = ''".to_owned(), "site.door.open: unit is empty"),
    ] {
        let error = with(&format!("{DOOR}{more}\n")).unwrap_err().to_string();
        assert!(error.contains(says), "{more}: {error}");
    }
    for (id, says) in [
        ("hw.sensor.fan", "alarm hw.sensor.fan is defined already"),
        ("door", "a definition of an alarm"),
    ] {
        let error = with(&DOOR.replace("site.door.open", id))
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn an_unknown_key_or_word_is_an_error() {
    for (from, to) in [
        ("title", "titel"),
        ("'minor'", "'bad'"),
        ("'environmental'", "'weather'"),
        ("'enclosure-door-open'", "'door'"),
    ] {
        let text = DOOR.replace(from, to);
        assert!(Catalogue::parse(&text).is_err(), "{text}");
    }
    let bands = format!("{DOOR}bands = [{{ severity = 'major', raise = 5, clear = 5 }}]\n");
    let error = Catalogue::parse(&bands).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("a major band from 5 to 5"), "{source}");
}

#[test]
fn the_configuration_may_judge_otherwise() {
    let mut catalogue = Catalogue::embedded().unwrap();
    let fan = AlarmId::of("hw.sensor.fan");
    catalogue
        .set(&fan, Settings::of(Severity::Critical))
        .unwrap();
    assert_eq!(catalogue.find(&fan).unwrap().severity(), Severity::Critical);
    let unknown = AlarmId::of("hw.no.such");
    assert_eq!(
        catalogue.set(&unknown, Settings::of(Severity::Minor)),
        Err(unknown)
    );
}

#[test]
fn an_alarm_is_explained_in_lines_that_fit_a_terminal() {
    let catalogue = Catalogue::embedded().unwrap();
    for definition in catalogue.definitions() {
        let text = definition.explain();
        assert!(text.starts_with(&format!("{}: {}\n\n", definition.id, definition.title)));
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
    let text = catalogue.find_text("host.memory.usage").unwrap().explain();
    for says in [
        "Severity: minor, affects service\n",
        "Type: quality-of-service, out-of-memory\n",
        "critical at 97 % or more, until 94 % or less",
        "raised after 30 s; cleared after 30 s",
        "until it rests for 10 min",
        "StarlingX: 100.103\n",
    ] {
        assert!(text.contains(says), "{text}");
    }
}

/// `UPDATE_GOLDEN=1` writes the page anew.
#[test]
fn the_page_says_what_the_catalogue_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/alarms.md");
    support::golden(&path, &Catalogue::embedded().unwrap().page());
}

#[test]
fn groups_have_one_condition_each() {
    let catalogue = Catalogue::embedded().unwrap();
    let pairs: BTreeSet<(String, String)> = catalogue
        .definitions()
        .iter()
        .filter(|one| one.group().starts_with("hw."))
        .map(|one| {
            (
                one.group().to_owned(),
                one.names.kubernetes.as_ref().unwrap().to_string(),
            )
        })
        .collect();
    let groups: BTreeSet<&String> = pairs.iter().map(|(group, _)| group).collect();
    assert_eq!(groups.len(), pairs.len(), "{pairs:?}");
}
