//! The packages with which webhook receivers check signatures. `.ci/run` installs them next to the builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the builds, in which `.ci/run` puts the packages.
fn verifiers() -> PathBuf {
    let builds = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    builds.expect("the folder of the builds").join("verifiers")
}

/// Whether a command ends well.
pub fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    quiet
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A Python that has the package.
pub fn python() -> Result<PathBuf, &'static str> {
    let programs = [verifiers().join("python/bin/python"), "python3".into()];
    let has_it =
        |program: &PathBuf| works(Command::new(program).args(["-c", "import standardwebhooks"]));
    let found = programs.into_iter().find(has_it);
    found.ok_or("Python cannot import standardwebhooks")
}

/// The folder of packages of Node in which the package is.
pub fn node_modules() -> Result<PathBuf, &'static str> {
    let modules = verifiers().join("node/node_modules");
    let mut node = Command::new("node");
    node.args(["-e", "require('standardwebhooks')"]);
    if works(node.env("NODE_PATH", &modules)) {
        Ok(modules)
    } else {
        Err("Node cannot require standardwebhooks")
    }
}
