//! The command line: arguments to a command, and how it ended to an exit status and at most one line.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{Error as ArgumentError, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::command::agent::AgentArguments;
use crate::command::alarms::AlarmsArguments;
use crate::command::capture::CaptureArguments;
use crate::command::completions::CompletionsArguments;
use crate::command::diff::DiffArguments;
use crate::command::inventory::InventoryArguments;
use crate::command::man::ManArguments;
use crate::command::topology::TopologyArguments;
use crate::command::tune::TuneArguments;
use crate::command::{self, Error, Outcome};
use crate::table;

const HELP: &str = "\
Examples:
  gnomon inventory                      what this host is made of, as tables
  gnomon inventory cpu numa --json      two device classes, for a program
  gnomon topology                       the same as a picture
  gnomon capture -o node7.tar.gz        save what was read, to be looked at elsewhere
  gnomon inventory --root node7.tar.gz  look at it there
  gnomon diff node7.tar.gz live         what is different here
  gnomon tune hugepages --size 2M --count 512
                                        change a setting, and see what came of it
  gnomon agent                          keep watching this host, and serve what is known

Exit status:
  0  done
  1  what was asked for failed
  2  the arguments are wrong
  3  partly done: the rest is there, but some values could not be read (what this user may not
     read, or a driver does not offer, does not count)
  4  unknown: the kernel took a setting and did not answer in time (tune)

Environment:
  NO_COLOR  when set, no colours; there are none either where the output is no terminal";

/// What hardware this node has, how it fares, and the time: inventory, topology, captures, and a daemon
#[derive(Debug, Parser)]
#[command(name = "gnomon", bin_name = "gnomon", version, max_term_width = 100)]
#[command(arg_required_else_help = true, after_help = HELP)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what this host is made of
    #[command(after_help = command::inventory::HELP, disable_help_subcommand = true)]
    Inventory(InventoryArguments),
    /// Draw packages, caches, cores, memory nodes, and the devices near them
    #[command(after_help = command::topology::HELP)]
    Topology(TopologyArguments),
    /// Save all that the inventory is made from, so that it can be read again elsewhere
    #[command(after_help = command::capture::HELP)]
    Capture(CaptureArguments),
    /// Print what changed between two inventories
    #[command(after_help = command::diff::HELP)]
    Diff(DiffArguments),
    /// Change a setting of this host: huge pages, virtual functions, governors
    #[command(after_help = command::tune::HELP, disable_help_subcommand = true)]
    Tune(TuneArguments),
    /// Run the per-node daemon: watch the hardware, remember changes, serve both over HTTP
    #[command(after_help = command::agent::HELP)]
    Agent(AgentArguments),
    /// List the alarms that there can be, and say what each means
    #[command(after_help = command::alarms::HELP, disable_help_subcommand = true)]
    Alarms(AlarmsArguments),
    /// Answer what the agent asks on standard input; it starts this itself
    #[command(hide = true)]
    Answer,
    /// Print a script that lets a shell complete our arguments
    #[command(after_help = command::completions::HELP)]
    Completions(CompletionsArguments),
    /// Print a manual page, or write them all
    #[command(after_help = command::man::HELP)]
    Man(ManArguments),
}

/// Runs the command that `arguments` ask for.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let line = match Line::try_parse_from(&arguments) {
        Ok(line) => line,
        Err(error) => return refuse(&error, &arguments),
    };
    match dispatch(line.command) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Differs | Outcome::Refused) => ExitCode::from(1),
        Ok(Outcome::Partly) => ExitCode::from(3),
        Ok(Outcome::Unknown) => ExitCode::from(4),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            say(&chain(&error));
            ExitCode::from(if matches!(error, Error::Usage(_)) {
                2
            } else {
                1
            })
        }
    }
}

fn dispatch(command: Command) -> Result<Outcome, Error> {
    match command {
        Command::Inventory(arguments) => command::inventory::run(&arguments),
        Command::Topology(arguments) => command::topology::run(&arguments),
        Command::Capture(arguments) => command::capture::run(&arguments),
        Command::Diff(arguments) => command::diff::run(&arguments),
        Command::Tune(arguments) => command::tune::run(&arguments),
        Command::Agent(arguments) => command::agent::run(&arguments),
        Command::Alarms(arguments) => command::alarms::run(&arguments),
        Command::Answer => command::answer::run(),
        Command::Completions(arguments) => command::completions::run(arguments, Line::command()),
        Command::Man(arguments) => command::man::run(&arguments, Line::command()),
    }
}

/// Help and version go to standard output; what is wrong with the arguments becomes one line.
fn refuse(error: &ArgumentError, arguments: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                say(&chain(&Error::Stdout(source)));
                ExitCode::from(1)
            }
            _ => ExitCode::SUCCESS,
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(2)
        }
        _ => {
            say(&usage(&error.render().to_string(), arguments));
            ExitCode::from(2)
        }
    }
}

/// One line of what the argument parser says in several.
///
/// ```text
/// error: unexpected argument '--rot' found
///
///   tip: a similar argument exists: '--root'
///
/// Usage: gnomon inventory --root <DIR> [CLASS]...
///
/// For more information, try '--help'.
/// ```
fn usage(text: &str, arguments: &[OsString]) -> String {
    let message = text.split("Usage: ").next().unwrap_or_default();
    let message = message
        .split("For more information")
        .next()
        .unwrap_or_default();
    let words: Vec<&str> = message.split_whitespace().collect();
    let message = words.join(" ").replace(" tip: ", "; ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    format!("{message} (see {} --help)", named(arguments))
}

/// The command that the arguments name, as far as they name one: `gnomon inventory device`.
fn named(arguments: &[OsString]) -> String {
    let mut name = "gnomon".to_owned();
    let program = Line::command();
    let mut command = &program;
    for word in arguments.iter().skip(1) {
        let Some(next) = command.find_subcommand(word) else {
            break;
        };
        name = format!("{name} {}", next.get_name());
        command = next;
    }
    name
}

/// An error and all that it comes from, outermost first.
fn chain(error: &Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        // The number of the kernel's error says no more than its words before it.
        let words = text
            .split_once(" (os error")
            .map_or(&*text, |(words, _)| words);
        line = format!("{line}: {words}");
        source = error.source();
    }
    line
}

/// Writes one line to standard error; there is nobody to tell when that fails.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "gnomon: {}", table::printable(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Line::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        let program = Line::command();
        for command in program
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.starts_with("Examples:\n  gnomon ")),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn a_usage_error_becomes_one_line() {
        for (arguments, line) in [
            (
                vec!["inventory", "--rot"],
                "unexpected argument '--rot' found; a similar argument exists: '--root' \
                 (see gnomon inventory --help)",
            ),
            (
                vec!["inventry"],
                "unrecognized subcommand 'inventry'; a similar subcommand exists: 'inventory' \
                 (see gnomon --help)",
            ),
            (
                vec!["inventory", "device", "x"],
                "invalid value 'x' for '<ADDRESS>': expected an address such as 0000:3b:00.0 \
                 (see gnomon inventory device --help)",
            ),
            (
                vec!["capture"],
                "the following required arguments were not provided: --output <FILE> \
                 (see gnomon capture --help)",
            ),
        ] {
            let words = std::iter::once("gnomon").chain(arguments);
            let words: Vec<OsString> = words.map(OsString::from).collect();
            let text = Line::try_parse_from(&words).unwrap_err().render();
            assert_eq!(usage(&text.to_string(), &words), line);
        }
    }

    #[test]
    fn an_error_is_told_with_all_that_it_comes_from() {
        let source = io::Error::from_raw_os_error(2);
        let error = Error::Read {
            path: "/a".into(),
            source,
        };
        assert_eq!(chain(&error), "read /a: No such file or directory");
    }
}
