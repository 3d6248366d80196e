//! The catalogue in words: for `gnomon alarms explain`, and for the page in docs/.

use std::fmt::Write;

use super::settings::{Latched, Settings};
use super::{Catalogue, Definition, row::Related, written};
use crate::alarm::observation::Band;

impl Catalogue {
    /// The page of docs/: Markdown, a table of all, and a section for each.
    pub(crate) fn page(&self) -> String {
        let mut text = String::from(
            "# Alarms\n\n\
             Every alarm that the agent can raise, made of `agent/src/alarm/catalogue.toml`. `gnomon alarms explain ID` prints the \
             same of one. The words for types and causes are those of ITU-T X.733 and X.736. An alarm's entity is a path of \
             pairs, such as `host=n1.dimm=DIMM_A1`; what is given here are its kinds.\n\n\
             | alarm | severity | what it is |\n|---|---|---|\n",
        );
        for definition in self.definitions() {
            let id = &definition.id;
            let anchor: String = id.as_str().chars().filter(|c| *c != '.').collect();
            let _ = writeln!(
                text,
                "| [{id}](#{anchor}) | {} | {} |",
                definition.severity(),
                definition.title
            );
        }
        for definition in self.definitions() {
            let _ = write!(text, "\n## {}\n\n{}\n\n", definition.id, definition.meaning);
            for (name, said) in definition.rows() {
                let _ = writeln!(text, "- {name}: {said}");
            }
        }
        text
    }
}

impl Definition {
    /// What it means, how it is judged and what to do about it, as a text for a terminal.
    pub(crate) fn explain(&self) -> String {
        let mut text = format!("{}: {}\n\n", self.id, self.title);
        fold(&mut text, "", self.meaning.as_str());
        text.push('\n');
        for (name, said) in self.rows() {
            fold(&mut text, &format!("{name}: "), &said);
        }
        text
    }

    /// All but its meaning: a name and what is said of it.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let Settings { latched, .. } = &self.settings;
        let affects = if self.service_affecting {
            "affects service"
        } else {
            "affects no service"
        };
        let mut rows = vec![
            ("Severity", format!("{}, {affects}", self.severity())),
            (
                "Type",
                format!("{}, {}", self.event_type, self.probable_cause),
            ),
            ("Entity", self.entity.to_string()),
            ("Seen by", self.evidence.to_string()),
            ("Repair", self.repair.to_string()),
            ("Judged", self.judgement()),
        ];
        match latched {
            Latched::No => {}
            Latched::Operator => rows.push(("Latched", "until somebody clears it".to_owned())),
            Latched::Boot => rows.push((
                "Latched",
                "until somebody clears it, or the host boots".to_owned(),
            )),
        }
        let causes: Vec<String> = self
            .causes
            .iter()
            .map(|(id, related)| cause(id.as_str(), *related))
            .collect();
        if !causes.is_empty() {
            rows.push(("A symptom of", causes.join("; ")));
        }
        let names = [
            ("StarlingX", &self.names.starlingx),
            ("Kubernetes condition", &self.names.kubernetes),
            ("O-RAN address", &self.names.oran),
            ("SNMP", &self.names.snmp),
        ];
        let known = names
            .iter()
            .filter_map(|(name, text)| Some((*name, text.as_ref()?.to_string())));
        rows.extend(known);
        rows.retain(|(_, said)| !said.is_empty());
        rows
    }

    fn judgement(&self) -> String {
        let settings = &self.settings;
        let unit = self
            .unit
            .as_ref()
            .map(|unit| format!(" {unit}"))
            .unwrap_or_default();
        let mut parts: Vec<String> = settings
            .bands
            .rows()
            .iter()
            .map(|band| limit(band, &unit))
            .collect();
        if let Some(over) = settings.over {
            parts.push(format!("counted over {}", written(over)));
        }
        for (name, time) in [
            ("raised after", settings.raise_for),
            ("cleared after", settings.clear_for),
            ("stays at least", settings.dwell),
        ] {
            if !time.is_zero() {
                parts.push(format!("{name} {}", written(time)));
            }
        }
        match settings.flap {
            Some(flap) => parts.push(format!(
                "flapping at {} transitions in {}, until it rests for {}",
                flap.transitions,
                written(flap.within),
                written(flap.quiet)
            )),
            None => parts.push("never flapping".to_owned()),
        }
        parts.join("; ")
    }
}

fn limit(band: &Band, unit: &str) -> String {
    let (beyond, inside) = if band.is_upper() {
        ("or more", "or less")
    } else {
        ("or less", "or more")
    };
    format!(
        "{} at {}{unit} {beyond}, until {}{unit} {inside}",
        band.severity, band.raise, band.clear
    )
}

fn cause(id: &str, related: Related) -> String {
    match related {
        Related::SameEntity => format!("{id} of the same entity"),
        Related::Within => format!("{id} of what it is part of"),
        Related::Around => format!("{id} of a part of it"),
        Related::SameHost => format!("{id} of the same host"),
    }
}

/// Writes `name` and `text` in lines that fit a terminal.
fn fold(out: &mut String, name: &str, text: &str) {
    const WIDTH: usize = 100;
    let indent = if name.is_empty() { 0 } else { 2 };
    let mut line = name.trim_end().to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = " ".repeat(indent);
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{line}");
}
