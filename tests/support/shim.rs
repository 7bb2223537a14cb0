//! Shims that stand before the C library, built when a test needs them: a disk that fails, a clock that jumps.

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
}

impl Fault {
    /// No call fails; they are counted.
    pub const NONE: Fault = Fault {
        first: 0,
        last: 0,
        error: rustix::io::Errno::IO,
    };
}

/// A server on a failing disk, and what the shim wrote down.
pub struct Failing {
    log: PathBuf,
}

impl Failing {
    /// Puts the shim before a server; its log goes into `place`.
    pub fn disk(launch: Launch, shim: &Path, place: &Path, fault: Fault) -> (Launch, Failing) {
        let (variables, failing) = Failing::under(&place.join("data"), shim, place, fault);
        let mut launch = launch;
        for (name, value) in &variables {
            launch = launch.env(name, value);
        }
        (launch, failing)
    }

    /// Puts the shim before a command that changes a folder.
    pub fn command(
        command: &mut Command,
        under: &Path,
        shim: &Path,
        place: &Path,
        fault: Fault,
    ) -> Failing {
        let (variables, failing) = Failing::under(under, shim, place, fault);
        command.envs(variables);
        failing
    }

    fn under(
        under: &Path,
        shim: &Path,
        place: &Path,
        fault: Fault,
    ) -> ([(&'static str, String); 6], Failing) {
        let log = place.join("shim.log");
        let _ = std::fs::remove_file(&log);
        let variables = [
            ("LD_PRELOAD", argument(shim).to_owned()),
            ("SHIM_UNDER", argument(under).to_owned()),
            ("SHIM_LOG", argument(&log).to_owned()),
            ("SHIM_AT", fault.first.to_string()),
            ("SHIM_LAST", fault.last.to_string()),
            ("SHIM_ERRNO", fault.error.raw_os_error().to_string()),
        ];
        (variables, Failing { log })
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
        let text = log.get(8..)?.split(|byte| *byte == 0).next()?;
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }
}
