//! `gnomon man`: manual pages, made from the same words as `--help`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use clap_mangen::Man;

use crate::command::{self, Error, Outcome};

pub(crate) const HELP: &str = "\
Examples:
  gnomon man | man -l -                  read gnomon(1)
  gnomon man inventory device | man -l - read gnomon-inventory-device(1)
  gnomon man -o /usr/share/man/man1      install every page";

/// The arguments of `gnomon man`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ManArguments {
    /// The command whose page to print; none is the whole program's
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write every page into DIR, as gnomon.1, gnomon-inventory.1, ...
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(conflicts_with = "command")]
    output: Option<PathBuf>,
}

/// Prints one page or writes them all; `program` is the whole command line.
pub(crate) fn run(arguments: &ManArguments, program: clap::Command) -> Result<Outcome, Error> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    if let Some(directory) = &arguments.output {
        write_all(&program, directory)?;
    } else {
        let page = page(named(&program, &arguments.command)?);
        let page = page.map_err(Error::Stdout)?;
        command::write_text(&String::from_utf8_lossy(&page))?;
    }
    Ok(Outcome::Done)
}

fn named<'a>(program: &'a clap::Command, names: &[String]) -> Result<&'a clap::Command, Error> {
    names.iter().try_fold(program, |command, name| {
        command.find_subcommand(name).ok_or_else(|| {
            let words: Vec<_> = command
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .map(clap::Command::get_name)
                .collect();
            let known = if words.is_empty() {
                "it has no commands".to_owned()
            } else {
                format!("it has {}", words.join(", "))
            };
            Error::Usage(format!(
                "{} has no command {name:?}: {known}",
                command.get_name()
            ))
        })
    })
}

fn write_all(program: &clap::Command, directory: &Path) -> Result<(), Error> {
    let mut left = vec![program];
    while let Some(command) = left.pop() {
        let path = directory.join(format!("{}.1", display_name(command)));
        page(command)
            .and_then(|page| std::fs::write(&path, page))
            .map_err(|source| Error::Write { path, source })?;
        let shown = |command: &&clap::Command| !command.is_hide_set();
        left.extend(command.get_subcommands().filter(shown));
    }
    Ok(())
}

/// `gnomon-inventory-device`, which clap makes of the names of a command and those above it.
fn display_name(command: &clap::Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

/// One page: what clap knows, and a section for each titled paragraph below the help.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).manual("Gnomon");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let help = command.get_after_help().map(ToString::to_string);
    page.extend(sections(&help.unwrap_or_default()).into_bytes());
    Ok(page)
}

/// ```text
/// Examples:
///   gnomon man
/// ```
/// as roff, its lines kept as they are.
fn sections(help: &str) -> String {
    let mut roff = String::new();
    for paragraph in help.split("\n\n") {
        let Some((title, body)) = paragraph.split_once(":\n") else {
            continue;
        };
        roff.push_str(&format!(".SH \"{}\"\n.nf\n", title.to_uppercase()));
        for line in body.lines() {
            let line = line.strip_prefix("  ").unwrap_or(line);
            // A dot or quote in front would be a request to roff, a minus would become a hyphen.
            roff.push_str("\\&");
            roff.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
            roff.push('\n');
        }
        roff.push_str(".fi\n");
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titled_paragraphs_become_sections() {
        assert_eq!(
            sections("Examples:\n  a -b\n  .c\\d\n\nExit status:\n  0  done"),
            ".SH \"EXAMPLES\"\n.nf\n\\&a \\-b\n\\&.c\\ed\n.fi\n\
             .SH \"EXIT STATUS\"\n.nf\n\\&0  done\n.fi\n"
        );
    }
}
