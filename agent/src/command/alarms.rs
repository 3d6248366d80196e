//! `gnomon alarms`: what alarms there can be, and what each means. Neither needs the daemon.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::alarm::catalogue::{Catalogue, Definition};
use crate::alarm::event_type::EventType;
use crate::alarm::probable_cause::ProbableCause;
use crate::alarm::severity::Severity;
use crate::command::{Error, Form, Outcome};
use crate::table::{Cell, Column, Page, Paint, Style, Table};

pub(crate) const HELP: &str = "\
Examples:
  gnomon alarms list                           every alarm that there can be
  gnomon alarms list ptp                       those whose id begins with ptp
  gnomon alarms explain hw.memory.uncorrected  what it means, and what to do about it";

const LIST_HELP: &str = "\
Examples:
  gnomon alarms list
  gnomon alarms list hw.gpu --json";

const EXPLAIN_HELP: &str = "\
Examples:
  gnomon alarms explain hw.memory.uncorrected
  gnomon alarms explain ptp.holdover --json";

/// The arguments of `gnomon alarms`.
#[derive(Args, Clone, Debug)]
pub(crate) struct AlarmsArguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    form: Form,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// List the alarms that there can be
    #[command(after_help = LIST_HELP)]
    List {
        /// Only those whose id begins with this
        #[arg(value_name = "PREFIX", default_value = "")]
        prefix: String,
    },
    /// Say what an alarm means, how it is judged, and what to do about it
    #[command(after_help = EXPLAIN_HELP)]
    Explain {
        /// The alarm, such as hw.memory.uncorrected
        id: String,
    },
}

/// An alarm of the catalogue, as programs get it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    severity: Severity,
    event_type: EventType,
    probable_cause: ProbableCause,
    service_affecting: bool,
    entity: &'a str,
    meaning: &'a str,
    evidence: &'a str,
    repair: &'a str,
    causes: Vec<&'a str>,
    starlingx: Option<&'a str>,
    kubernetes: Option<&'a str>,
    oran: Option<&'a str>,
    snmp: Option<&'a str>,
}

/// Prints from the catalogue.
pub(crate) fn run(arguments: &AlarmsArguments) -> Result<Outcome, Error> {
    let catalogue = Catalogue::embedded().map_err(Box::new)?;
    match &arguments.what {
        What::List { prefix } => {
            let all = catalogue.definitions().iter();
            let chosen: Vec<&Definition> = all
                .filter(|one| one.id.as_str().starts_with(prefix))
                .collect();
            if chosen.is_empty() {
                return Err(Error::NoAlarm { id: prefix.clone() });
            }
            let rows: Vec<Row<'_>> = chosen.iter().map(|one| Row::of(one)).collect();
            arguments.form.write(&rows, || table(&chosen))?;
        }
        What::Explain { id } => {
            let found = catalogue.find_text(id);
            let definition = found.ok_or_else(|| Error::NoAlarm { id: id.clone() })?;
            arguments
                .form
                .write(&Row::of(definition), || definition.explain())?;
        }
    }
    Ok(Outcome::Done)
}

impl<'a> Row<'a> {
    fn of(definition: &'a Definition) -> Self {
        let names = &definition.names;
        Self {
            id: definition.id.as_str(),
            title: definition.title.as_str(),
            severity: definition.severity(),
            event_type: definition.event_type,
            probable_cause: definition.probable_cause,
            service_affecting: definition.service_affecting,
            entity: definition.entity.as_str(),
            meaning: definition.meaning.as_str(),
            evidence: definition.evidence.as_str(),
            repair: definition.repair.as_str(),
            causes: definition
                .causes
                .iter()
                .map(|(id, _)| id.as_str())
                .collect(),
            starlingx: names.starlingx.as_ref().map(|name| name.as_str()),
            kubernetes: names.kubernetes.as_ref().map(|name| name.as_str()),
            oran: names.oran.as_ref().map(|name| name.as_str()),
            snmp: names.snmp.as_ref().map(|name| name.as_str()),
        }
    }
}

fn table(definitions: &[&Definition]) -> String {
    let mut table = Table::new(&[
        Column::Left("alarm"),
        Column::Left("severity"),
        Column::Wrap("what it is"),
    ]);
    for definition in definitions {
        let severity = definition.severity();
        let paint = match severity {
            Severity::Critical | Severity::Major => Paint::Bad,
            Severity::Minor | Severity::Warning => Paint::Warning,
            Severity::Indeterminate => Paint::Plain,
        };
        table.row([
            Cell::from(definition.id.as_str()),
            Cell::new(severity.word(), paint),
            Cell::from(definition.title.as_str()),
        ]);
    }
    let mut page = Page::new();
    page.table(&table);
    page.into_text(Style::of_stdout())
}
