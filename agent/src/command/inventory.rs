//! `gnomon inventory`: what a host is made of, as tables, JSON or YAML.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use libhw::inventory::{self, Class, Scope};

use crate::command::{Depth, Error, Form, Outcome, Place};
use crate::table::Style;
use crate::view;

mod device;

pub(crate) const HELP: &str = "\
Examples:
  gnomon inventory                       every class, in short
  gnomon inventory cpu                   one class, with all its tables: each CPU, each flag
  gnomon inventory numa hugepages --json for a program; jq .numa.nodes takes it from there
  gnomon inventory --root node7.tar.gz   of a captured machine
  gnomon inventory device 3b:00.0        all that is known about one PCI function

Exit status:
  0 done, 1 failed, 2 wrong arguments, 3 printed, but some values could not be read: they stand
  under Problems, in JSON in `problems` (those alone that this user may not read, or that a
  driver does not offer, leave it 0)";

/// The arguments of `gnomon inventory`.
#[derive(Args, Clone, Debug)]
pub(crate) struct InventoryArguments {
    #[command(subcommand)]
    one: Option<One>,
    /// The device classes; none is every one
    #[arg(value_name = "CLASS", value_parser = class_parser())]
    classes: Vec<Class>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    depth: Depth,
}

#[derive(Clone, Debug, Subcommand)]
enum One {
    /// Print all that is known about one PCI function, and what it is near to
    #[command(after_help = device::HELP)]
    Device(device::DeviceArguments),
}

fn class_parser() -> impl TypedValueParser<Value = Class> {
    let names = Class::ALL.iter().map(|class| class.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Class>())
}

/// Prints the inventory.
pub(crate) fn run(arguments: &InventoryArguments) -> Result<Outcome, Error> {
    if let Some(One::Device(one)) = &arguments.one {
        if !arguments.classes.is_empty() {
            let text = "device takes an address, not classes";
            return Err(Error::Usage(text.to_owned()));
        }
        return device::run(one, arguments.form, &arguments.place, arguments.depth);
    }
    let shown = chosen(&arguments.classes);
    let mut classes = shown.clone();
    // Tables call accelerators by the names of their PCI functions, and tell their links.
    if arguments.form.is_table() && shown.contains(&Class::Gpu) {
        classes.push(Class::Pci);
    }
    let scope = Scope {
        classes: chosen(&classes),
        deep: arguments.depth.deep,
        virtual_functions: arguments.depth.vfs,
    };
    let inventory = inventory::discover(&arguments.place.open()?, &scope);
    let detail = !arguments.classes.is_empty();
    arguments.form.write(&inventory, || {
        view::page(&inventory, detail, &shown).into_text(Style::of_stdout())
    })?;
    Ok(Outcome::of(&inventory))
}

/// The classes in the inventory's order, each once.
fn chosen(classes: &[Class]) -> Vec<Class> {
    let all = Class::ALL.iter().copied();
    all.filter(|class| classes.is_empty() || classes.contains(class))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_read_once_and_in_order() {
        assert_eq!(
            chosen(&[Class::Pci, Class::Cpu, Class::Pci]),
            [Class::Cpu, Class::Pci]
        );
        assert_eq!(chosen(&[]), Class::ALL);
    }
}
