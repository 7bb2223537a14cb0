//! The privileges of a test on this machine: mounting file systems needs root, shims need a C compiler.
//!
//! A test that cannot run prints a line. With `CI` set it fails instead, so that nothing is skipped there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Says why a test does not run; fails with `CI` set.
pub fn cannot_run(test: &str, why: &str) {
    let line = format!("{test} did not run: {why}");
    assert!(std::env::var_os("CI").is_none(), "{line}");
    println!("{line}");
}

/// Runs a command of the system to its end.
pub fn system(command: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(command).args(arguments).output();
    let output = output.map_err(|error| format!("{command}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{command} {}: {}",
        arguments.join(" "),
        said.trim()
    ))
}

/// A file system that is mounted as long as this lives.
pub struct Mounted {
    /// Where.
    pub at: PathBuf,
}

impl Mounted {
    /// A file system in memory.
    pub fn memory(at: &Path, bytes: u64) -> Result<Mounted, String> {
        let options = format!("size={bytes}");
        Mounted::new(at, &["-t", "tmpfs", "-o", &options, "none"])
    }

    /// An ext4 image. Nothing but an order to sync makes it write within the minutes that a test lasts.
    pub fn image(at: &Path, image: &Path) -> Result<Mounted, String> {
        let image = image.to_str().ok_or("a path that is no text")?;
        Mounted::new(at, &["-t", "ext4", "-o", "loop,commit=300", image])
    }

    fn new(at: &Path, arguments: &[&str]) -> Result<Mounted, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let mut arguments = arguments.to_vec();
        arguments.push(at.to_str().ok_or("a path that is no text")?);
        system("mount", &arguments)?;
        Ok(Mounted { at: at.to_owned() })
    }

    /// From now on it can only be read.
    pub fn read_only(&self) -> Result<(), String> {
        let at = self.at.to_str().ok_or("a path that is no text")?;
        system("mount", &["-o", "remount,ro", at])
    }

    /// Bytes that are free.
    pub fn free_bytes(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.at).expect("its figures");
        stat.f_bavail * stat.f_frsize
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let at = self.at.to_string_lossy().into_owned();
        if system("umount", &[&at]).is_err() {
            // A process that is about to go may still have it open.
            let _ = system("umount", &["-l", &at]);
        }
    }
}

/// Makes an empty ext4 image.
pub fn make_image(image: &Path, bytes: u64) -> Result<(), String> {
    let file = std::fs::File::create(image).map_err(|error| error.to_string())?;
    file.set_len(bytes).map_err(|error| error.to_string())?;
    drop(file);
    let image = image.to_str().ok_or("a path that is no text")?;
    system(
        "mkfs.ext4",
        &[
            "-q",
            "-F",
            "-E",
            "lazy_itable_init=0,lazy_journal_init=0",
            image,
        ],
    )
}
