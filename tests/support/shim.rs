//! Shims in front of the C library, built when a test needs them: a disk that fails, a clock that jumps.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::privilege::system;
use super::served::{Launch, argument};

/// Builds a shim of `tests/shim`.
pub fn build(name: &str, place: &Path) -> Result<PathBuf, String> {
    let source = format!("{}/tests/shim/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let built = place.join(format!("{name}.so"));
    let flags = ["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"];
    let files = [argument(&built), &source, "-ldl"];
    system("cc", &[&flags[..], &files].concat())?;
    Ok(built)
}

/// Which calls of the disk fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The first that fails, from 1; 0 for none.
    pub first: u64,
    /// The last that fails.
    pub last: u64,
    /// With which error.
    pub error: rustix::io::Errno,
    /// Whether the first fails only after [`LATE_MS`].
    pub late: bool,
}

/// How long a call takes that is to fail while others wait for it: long enough for all that needs no disk.
pub const LATE_MS: u64 = 300;

impl Fault {
    /// No call fails; they are counted.
    pub const NONE: Fault = Fault {
        first: 0,
        last: 0,
        error: rustix::io::Errno::IO,
        late: false,
    };

    fn deed(self) -> Deed {
        match self.late {
            true => Deed::FailLate(self.error),
            false => Deed::Fail(self.error),
        }
    }
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It fails.
    Fail(rustix::io::Errno),
    /// It fails after [`LATE_MS`]. Calls that others make meanwhile do not fail.
    FailLate(rustix::io::Errno),
    /// It waits so many milliseconds first.
    Pause(u64),
    /// The process is killed before it.
    Kill,
}

/// A program on a failing disk, and what the shim wrote down.
pub struct Failing {
    log: PathBuf,
}

impl Failing {
    /// Puts the shim before a server; its log goes into `place`.
    pub fn disk(launch: Launch, shim: &Path, place: &Path, fault: Fault) -> (Launch, Failing) {
        let under = place.join("data");
        let (failing, variables) = Failing::under(&under, shim, place, fault.deed());
        failing.arm(fault.first, fault.last);
        let env = |launch: Launch, (name, value): &(&str, String)| launch.env(name, value);
        (variables.iter().fold(launch, env), failing)
    }

    /// Puts the shim before a command that changes a folder.
    pub fn command(
        command: &mut Command,
        folder: &Path,
        shim: &Path,
        place: &Path,
        fault: Fault,
    ) -> Failing {
        let (failing, variables) = Failing::under(folder, shim, place, fault.deed());
        failing.arm(fault.first, fault.last);
        command.envs(variables);
        failing
    }

    /// Nothing happens before it is armed. The variables put the shim before a program.
    pub fn under(
        folder: &Path,
        shim: &Path,
        place: &Path,
        deed: Deed,
    ) -> (Failing, Vec<(&'static str, String)>) {
        let failing = Failing {
            log: place.join("shim.log"),
        };
        let _ = std::fs::remove_file(&failing.log);
        failing.arm(0, 0);
        let mut variables = vec![
            ("LD_PRELOAD", argument(shim).to_owned()),
            ("SHIM_UNDER", argument(folder).to_owned()),
            ("SHIM_LOG", argument(&failing.log).to_owned()),
        ];
        match deed {
            Deed::Fail(error) | Deed::FailLate(error) => {
                variables.push(("SHIM_ERRNO", error.raw_os_error().to_string()));
            }
            Deed::Pause(ms) => variables.push(("SHIM_PAUSE", ms.to_string())),
            Deed::Kill => variables.push(("SHIM_KILL", "1".to_owned())),
        }
        if let Deed::FailLate(_) = deed {
            variables.push(("SHIM_LATE", LATE_MS.to_string()));
        }
        (failing, variables)
    }

    /// From now on it happens at the calls with these numbers.
    pub fn arm(&self, first: u64, last: u64) {
        let mut log = File::options();
        let log = log.write(true).create(true).truncate(false);
        let log = log.open(&self.log).expect("the shim's log");
        let numbers = [first.to_ne_bytes(), last.to_ne_bytes()].concat();
        log.write_all_at(&numbers, 8).expect("the shim's log");
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let count = log.first_chunk::<8>();
        count.map_or(0, |count| u64::from_ne_bytes(*count))
    }

    /// The call that failed, and the file under the folder: `fdatasync /db`.
    pub fn failed(&self) -> Option<String> {
        let log = std::fs::read(&self.log).ok()?;
        let text = log.get(24..)?.split(|byte| *byte == 0).next()?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }
}
