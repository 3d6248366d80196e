//! A file of a FUSE file system that is opened and never answers a read (`include/uapi/linux/fuse.h`). Whoever reads
//! it sleeps uninterruptibly once the question has reached us, and outlives SIGKILL.
//!
//! It is mounted over a file in a mount namespace of its own, so that nobody else meets it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The namespace, and who would answer in it.
pub(crate) struct Silent {
    holder: Child,
    server: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
}

impl Silent {
    /// Mounts it over `file`; the kernel's words where that is not possible here.
    pub(crate) fn over(file: &Path) -> Result<Self, String> {
        let device = File::options()
            .read(true)
            .write(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open("/dev/fuse")
            .map_err(|error| format!("/dev/fuse: {error}"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let reads = Arc::new(AtomicUsize::new(0));
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c"])
            .arg(
                "mount -i -t fuse -o fd=0,rootmode=100444,user_id=0,group_id=0 silent \"$0\" 2>&1 \
                 && echo mounted && exec sleep 1000 </dev/null >/dev/null 2>&1",
            )
            .arg(file)
            .stdin(Stdio::from(device.try_clone().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let server = std::thread::spawn({
            let (stop, reads) = (Arc::clone(&stop), Arc::clone(&reads));
            move || serve(device, &stop, &reads)
        });
        let mut said = String::new();
        holder
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let silent = Self {
            holder,
            server: Some(server),
            stop,
            reads,
        };
        if said.trim() == "mounted" {
            Ok(silent)
        } else {
            Err(format!("a FUSE file cannot be mounted: {}", said.trim()))
        }
    }

    /// A command that runs where the file is silent.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg("--")
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/");
        inside
    }

    /// How often the file was read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Ends the file system: the kernel lets go of all who wait for it.
    pub(crate) fn release(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.release();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

const GETATTR: u32 = 3;
const READ: u32 = 15;
const OPEN: u32 = 14;
const RELEASE: u32 = 18;
const FLUSH: u32 = 25;
const INIT: u32 = 26;

/// `FOPEN_DIRECT_IO`: every read comes to us, whatever the size of the file.
const DIRECT: u32 = 1;

/// Answers all but reads until it is told to stop.
fn serve(mut device: File, stop: &AtomicBool, reads: &AtomicUsize) {
    let mut question = vec![0; 64 << 10];
    while !stop.load(Ordering::SeqCst) {
        let mut fds = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, PollTimeout::from(10_u8));
        let Ok(length) = device.read(&mut question) else {
            continue;
        };
        let question = &question[..length];
        let number = |at: usize| u32::from_ne_bytes(question[at..at + 4].try_into().unwrap());
        let unique = u64::from_ne_bytes(question[8..16].try_into().unwrap());
        let answer = match number(4) {
            INIT => Some(init()),
            GETATTR => Some(attributes()),
            OPEN => Some([[0; 8], (u64::from(DIRECT)).to_ne_bytes()].concat()),
            FLUSH | RELEASE => Some(Vec::new()),
            READ => {
                reads.fetch_add(1, Ordering::SeqCst);
                None
            }
            _ => None,
        };
        if let Some(answer) = answer {
            let length = u32::try_from(16 + answer.len()).unwrap();
            let head = [&length.to_ne_bytes()[..], &[0; 4], &unique.to_ne_bytes()].concat();
            // Who asked may be gone.
            let _ = device.write(&[head, answer].concat());
        }
    }
}

/// `struct fuse_init_out`: version 7.31, and nothing beyond what all must do.
fn init() -> Vec<u8> {
    let mut answer = vec![0; 64];
    answer[..4].copy_from_slice(&7_u32.to_ne_bytes());
    answer[4..8].copy_from_slice(&31_u32.to_ne_bytes());
    answer[20..24].copy_from_slice(&4096_u32.to_ne_bytes());
    answer
}

/// `struct fuse_attr_out`: a regular file that all may read.
fn attributes() -> Vec<u8> {
    let mut answer = vec![0; 104];
    let (inode, size, mode, links) = (16, 24, 16 + 60, 16 + 64);
    answer[inode..inode + 8].copy_from_slice(&1_u64.to_ne_bytes());
    answer[size..size + 8].copy_from_slice(&4096_u64.to_ne_bytes());
    answer[mode..mode + 4].copy_from_slice(&0o100_444_u32.to_ne_bytes());
    answer[links..links + 4].copy_from_slice(&1_u32.to_ne_bytes());
    answer
}
