//! Changes that are on disk already, so that a start does not record them again.
//!
//! A change is written before the inventory that has it. When the agent is killed in between, the stored
//! inventory is older than the last change, and comparing with it finds that change a second time.

use std::collections::HashMap;

use libhw::diff::{Change, ChangeKind, Field};

use crate::event::Record;

/// The last change of every row, and of every field.
#[derive(Debug, Default)]
pub(super) struct Known {
    rows: HashMap<Row, Change>,
    fields: HashMap<(Row, String), Field>,
}

/// Class, table and id.
type Row = (String, String, String);

impl Known {
    /// Those in `lines` of JSON, oldest first.
    pub(super) fn of(lines: &[String]) -> Self {
        let mut known = Self::default();
        for line in lines {
            let Ok(Record { change, .. }) = serde_json::from_str(line) else {
                continue;
            };
            for field in &change.fields {
                let place = (row(&change), field.field.clone());
                known.fields.insert(place, field.clone());
            }
            known.rows.insert(row(&change), change);
        }
        known
    }

    /// What of `change` is not known yet. A field that is older than its last change goes on from there.
    pub(super) fn news(&self, mut change: Change) -> Option<Change> {
        let row = row(&change);
        if self.rows.get(&row) == Some(&change) {
            return None;
        }
        for field in &mut change.fields {
            let known = self.fields.get(&(row.clone(), field.field.clone()));
            if let Some(known) = known.filter(|known| known.before == field.before) {
                field.before.clone_from(&known.after);
            }
        }
        change.fields.retain(|field| field.before != field.after);
        (change.change != ChangeKind::Changed || !change.fields.is_empty()).then_some(change)
    }
}

fn row(change: &Change) -> Row {
    (
        change.class.clone(),
        change.table.clone(),
        change.id.clone(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(kind: &str, fields: &[(&str, u32, u32)]) -> Change {
        let field = |(field, before, after): &(&str, u32, u32)| json!({ "field": field, "before": before, "after": after });
        let fields: Vec<_> = fields.iter().map(field).collect();
        serde_json::from_value(
            json!({ "class": "c", "table": "t", "id": "i", "change": kind, "fields": fields }),
        )
        .unwrap()
    }

    fn known(changes: &[Change]) -> Known {
        let line = |(change, seq): (&Change, u64)| {
            let record = Record {
                seq,
                time: String::new(),
                boot_id: None,
                cause: "start".into(),
                change: change.clone(),
            };
            serde_json::to_string(&record).unwrap()
        };
        Known::of(&changes.iter().zip(1..).map(line).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_is_not_on_disk_is_new() {
        let recorded = known(&[
            change("changed", &[("a", 1, 2), ("b", 1, 2)]),
            change("changed", &[("b", 2, 3)]),
        ]);
        for (found, news) in [
            // The same again, at once or in steps.
            (&[("b", 2, 3)][..], None),
            (&[("a", 1, 2)], None),
            // It went on.
            (&[("a", 1, 5)], Some(&[("a", 2, 5)][..])),
            (&[("b", 2, 4)], Some(&[("b", 3, 4)])),
            // It went back, or was never seen.
            (&[("a", 2, 1)], Some(&[("a", 2, 1)])),
            (&[("c", 1, 2), ("a", 1, 2)], Some(&[("c", 1, 2)])),
        ] {
            let news = news.map(|fields| change("changed", fields));
            assert_eq!(recorded.news(change("changed", found)), news, "{found:?}");
        }
        let recorded = known(&[change("added", &[])]);
        assert_eq!(recorded.news(change("added", &[])), None);
        assert_eq!(
            recorded.news(change("removed", &[])),
            Some(change("removed", &[]))
        );
    }
}
