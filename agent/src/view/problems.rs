//! What could not be had, and why: problems that differ only in a number share a line.

use std::collections::BTreeMap;

use libhw::inventory::Inventory;
use libhw::survey::{Problem, Reason};

use crate::table::{Cell, Column, Page, Paint, Table};

/// Shows the problems, if there are any.
pub(super) fn view(inventory: &Inventory, detail: bool, page: &mut Page) {
    if inventory.problems.is_empty() {
        return;
    }
    page.title("Problems");
    let mut table = Table::new(&[
        Column::Left("class"),
        Column::Wrap("path"),
        Column::Wrap("why"),
    ]);
    for (problem, more) in grouped(&inventory.problems, detail) {
        let path = match more {
            0 => problem.path.clone(),
            more => format!("{} and {more} like it", problem.path),
        };
        table.row([
            problem.class.as_str().into(),
            path.into(),
            Cell::new(why(problem), paint(&problem.reason)),
        ]);
    }
    page.table(&table);
}

/// The first of each group of problems with how many more it has, in the order of the first ones.
fn grouped(problems: &[Problem], detail: bool) -> Vec<(&Problem, usize)> {
    let mut places: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    let mut groups: Vec<(&Problem, usize)> = Vec::new();
    for problem in problems {
        let shape = if detail {
            problem.path.clone()
        } else {
            numberless(&problem.path)
        };
        let place = *places
            .entry((&problem.class, shape, why(problem)))
            .or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, more)) => *more += 1,
            None => groups.push((problem, 0)),
        }
    }
    groups
}

/// A path without its numbers: `/sys/devices/system/cpu/cpu#/topology/core_id`. The digits of an address
/// are hexadecimal, so a part that has a colon in it goes as a whole.
fn numberless(path: &str) -> String {
    let mut shape = String::with_capacity(path.len());
    for part in path.split_inclusive('/') {
        if part.contains(':') {
            shape.push_str("#/");
            continue;
        }
        let mut was_digit = false;
        for c in part.chars() {
            if !c.is_ascii_digit() {
                shape.push(c);
            } else if !was_digit {
                shape.push('#');
            }
            was_digit = c.is_ascii_digit();
        }
    }
    shape
}

fn why(problem: &Problem) -> String {
    let text = problem.to_string();
    let why = text
        .strip_prefix(&problem.path)
        .and_then(|text| text.strip_prefix(": "));
    why.unwrap_or(&text).to_owned()
}

const fn paint(reason: &Reason) -> Paint {
    match reason {
        Reason::Denied | Reason::Unsupported => Paint::Faint,
        _ => Paint::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Style;

    fn problem(path: &str, reason: Reason) -> Problem {
        Problem {
            class: "cpu".into(),
            path: path.into(),
            reason,
        }
    }

    #[test]
    fn problems_that_differ_in_a_number_share_a_line() {
        let inventory = Inventory {
            problems: vec![
                problem("/sys/cpu0/a", Reason::Denied),
                problem("/sys/cpu0/b", Reason::Denied),
                problem("/sys/cpu1/a", Reason::Denied),
                problem("/sys/cpu12/a", Reason::TimedOut { limit_ms: 9 }),
            ],
            ..Inventory::default()
        };
        let text = |detail| {
            let mut page = Page::new();
            view(&inventory, detail, &mut page);
            page.into_text(Style::default())
        };
        assert_eq!(
            text(false),
            concat!(
                "Problems\n",
                "  class  path                       why\n",
                "  cpu    /sys/cpu0/a and 1 like it  permission denied\n",
                "  cpu    /sys/cpu0/b                permission denied\n",
                "  cpu    /sys/cpu12/a               no answer within 9 ms\n",
            )
        );
        assert_eq!(text(true).lines().count(), 6);
    }

    #[test]
    fn an_address_is_a_number_too() {
        assert_eq!(
            numberless("/sys/bus/pci/devices/0000:3b:00.0/vendor"),
            numberless("/sys/bus/pci/devices/0001:00:1f.3/vendor")
        );
        assert_ne!(numberless("/sys/a1/b"), numberless("/sys/a1/c"));
    }
}
