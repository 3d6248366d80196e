//! `gnomon topology`: a picture of the machine.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use libhw::inventory::{self, Scope};

use crate::command::{self, Error, Outcome, Place};
use crate::table::Style;
use crate::topology;

pub(crate) const HELP: &str = "\
Examples:
  gnomon topology                        as text, in the terminal
  gnomon topology --svg node7.svg        as a picture for a browser
  gnomon topology --svg - | rsvg-convert -o node7.png
  gnomon topology --root node7.tar.gz    of a captured machine";

/// The arguments of `gnomon topology`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopologyArguments {
    /// Draw SVG into FILE; - is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "text")]
    svg: Option<PathBuf>,
    /// Draw text on standard output, which is the default
    #[arg(long)]
    text: bool,
    #[command(flatten)]
    place: Place,
}

/// How wide a text picture is that goes to no terminal.
const WIDTH: usize = 100;

/// Draws the picture.
pub(crate) fn run(arguments: &TopologyArguments) -> Result<Outcome, Error> {
    let inventory = inventory::discover(&arguments.place.open()?, &Scope::default());
    match &arguments.svg {
        Some(path) if command::is_standard(path) => {
            command::write_text(&topology::svg(&inventory))?;
        }
        Some(path) => {
            std::fs::write(path, topology::svg(&inventory)).map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })?;
        }
        None => {
            let Style { width, color } = Style::of_stdout();
            let width = width.unwrap_or(WIDTH);
            let style = topology::Style { width, color };
            command::write_text(&topology::text(&inventory, style))?;
        }
    }
    Ok(Outcome::of(&inventory))
}
