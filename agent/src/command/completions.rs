//! `gnomon completions`: what a shell needs to complete our arguments.

use clap::Args;
use clap_complete::Shell;

use crate::command::{self, Error, Outcome};

pub(crate) const HELP: &str = "\
Examples:
  gnomon completions bash > /usr/share/bash-completion/completions/gnomon
  gnomon completions zsh > \"${fpath[1]}/_gnomon\"
  gnomon completions fish > ~/.config/fish/completions/gnomon.fish";

/// The arguments of `gnomon completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

/// Writes the shell's script; `program` is the whole command line.
pub(crate) fn run(
    arguments: CompletionsArguments,
    mut program: clap::Command,
) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "gnomon", &mut script);
    command::write_text(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
