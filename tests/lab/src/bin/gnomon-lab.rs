//! Boots a described machine and runs a command in it; shows what a description stands for.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gnomon_lab::machine::{Content, File, Image, Plan, compare};
use gnomon_lab::{Machine, provision};
use serde_json::{Value, json};

/// Virtual machines with the hardware that a laptop lacks.
#[derive(Debug, Parser)]
#[command(name = "gnomon-lab", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
MACHINE is a description in TOML, or the name of one that comes with the lab.

Examples:
  gnomon-lab list
  gnomon-lab show two-socket-server
  gnomon-lab compare two-socket-server inventory.json";

#[derive(Debug, Subcommand)]
enum Command {
    /// Names the machines that come with the lab.
    List,
    /// Downloads Debian's newest kernels of these series, where the cache lacks them.
    Provision {
        /// `6.12`, `6.1`.
        #[arg(default_value = "6.12")]
        series: Vec<String>,
    },
    /// Tells QEMU's command line, and what an inventory of the machine must tell.
    Show {
        /// The description.
        machine: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compares an inventory (`gnomon inventory --json`) with what the machine must tell.
    ///
    /// Exit status: 0 they agree, 1 they do not.
    Compare {
        /// The description.
        machine: String,
        /// The inventory; `-` is standard input.
        inventory: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::List => list(),
        Command::Provision { series } => provision(&series),
        Command::Show { machine, json } => show(&machine, json),
        Command::Compare { machine, inventory } => compared(&machine, &inventory),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "gnomon-lab: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<ExitCode, String>;

/// The machines that come with the lab.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("machines")
}

/// The machine of a file, or of that name among those that come with the lab.
fn machine(name: &str) -> Result<Machine, String> {
    let own = folder().join(format!("{name}.toml"));
    let path = if name.contains(['/', '.']) {
        Path::new(name)
    } else {
        &own
    };
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Machine::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn print(text: &str) -> Done {
    let written = io::stdout().write_all(text.as_bytes());
    written
        .map(|()| ExitCode::SUCCESS)
        .map_err(|error| error.to_string())
}

fn provision(series: &[String]) -> Done {
    let qemu = provision::qemu().map_err(|error| error.to_string())?;
    let mut text = format!("{}\n", qemu.display());
    for series in series {
        let kernel = provision::newest_kernel(series).map_err(|error| error.to_string())?;
        text.push_str(&format!("{}\n", kernel.vmlinux().display()));
    }
    print(&text)
}

fn list() -> Done {
    let entries = fs::read_dir(folder()).map_err(|error| error.to_string())?;
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".toml").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    let mut text = String::new();
    for name in names {
        let about = machine(&name)?.about;
        text.push_str(&format!("{name:<20} {about}\n"));
    }
    print(&text)
}

fn show(name: &str, as_json: bool) -> Done {
    let machine = machine(name)?;
    let plan = machine.plan(Path::new("FOLDER"));
    if as_json {
        let sides: Vec<String> = plan
            .processes
            .iter()
            .map(|side| format!("{} {}", side.program, side.arguments.join(" ")))
            .collect();
        let value = json!({
            "name": machine.name,
            "qemu": plan.arguments,
            "accelerator": machine.accelerator(),
            "kernel": plan.kernel_parameters,
            "compressed": plan.image == Image::Compressed,
            "modules": plan.modules,
            "beside": sides,
            "setup": plan.setup.iter().map(|setting| json!({"path": setting.path, "text": setting.text})).collect::<Vec<_>>(),
            "files": plan.files.iter().map(file).collect::<serde_json::Map<_, _>>(),
            "expected": machine.expected().to_json(),
        });
        return print(&format!("{value:#}\n"));
    }
    let mut text = command_line(&machine, &plan);
    text.push_str("\n# What an inventory of it must tell:\n");
    for fact in machine.expected().facts {
        text.push_str(&format!("{}: {}\n", fact.path, fact.wanted));
    }
    print(&text)
}

/// A file's path, and its bytes in hexadecimal, or how many zeros it is.
fn file(file: &File) -> (String, Value) {
    let content = match &file.content {
        Content::Bytes(bytes) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
        Content::Zeros(size) => (*size).into(),
    };
    (file.path.display().to_string(), content)
}

/// What starts the machine, so that a person can follow it.
fn command_line(machine: &Machine, plan: &Plan) -> String {
    let mut text = format!("# {}: {}\n", machine.name, machine.about);
    for file in &plan.files {
        let what = match &file.content {
            Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Content::Zeros(size) => format!("{size} zeros"),
        };
        text.push_str(&format!("# {}: {what}\n", file.path.display()));
    }
    for side in &plan.processes {
        text.push_str(&format!(
            "{} {} &\n",
            side.program,
            side.arguments.join(" ")
        ));
    }
    let kernel = if plan.image == Image::Compressed {
        "vmlinuz"
    } else {
        "vmlinux"
    };
    text.push_str(&format!(
        "qemu-system-x86_64 -nodefaults -accel {} \\\n",
        machine.accelerator()
    ));
    text.push_str(&format!("  -kernel {kernel} -initrd initramfs.cpio \\\n"));
    let parameters = plan.kernel_parameters.join(" ");
    text.push_str(&format!("  -append '{parameters}' \\\n"));
    for pair in plan.arguments.chunks(2) {
        text.push_str(&format!("  {} \\\n", pair.join(" ")));
    }
    text.push_str(&format!("\n# Modules: {}\n", plan.modules.join(" ")));
    for setting in &plan.setup {
        text.push_str(&format!(
            "# In the guest: echo {} > {}\n",
            setting.text, setting.path
        ));
    }
    text
}

fn compared(name: &str, inventory: &Path) -> Done {
    let machine = machine(name)?;
    let text = match inventory.as_os_str() == "-" {
        true => io::read_to_string(io::stdin()),
        false => fs::read_to_string(inventory),
    };
    let text = text.map_err(|error| format!("{}: {error}", inventory.display()))?;
    let inventory: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let expected = machine.expected();
    let differences = compare(&expected, &inventory);
    let mut text = String::new();
    for difference in &differences {
        text.push_str(&format!("{difference}\n"));
    }
    let count = expected.facts.len();
    text.push_str(&format!(
        "{count} facts, {} differences\n",
        differences.len()
    ));
    print(&text)?;
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
