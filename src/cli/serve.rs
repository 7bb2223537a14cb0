//! `xiaoer serve`: runs the server.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::env::Env;
use crate::env::private_files::OwnerGuard;
use crate::journal::JournalError;
use crate::server::{Listening, ReadSettings, ServeError, serve};
use crate::settings::{Origin, Origins, Settings, Sources};

/// The file of settings in the data folder.
const SETTINGS_FILE: &str = "xiaoer.toml";

/// Serve shops over HTTP, with all data in one folder
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    layers: LayersArguments,
    /// Where to listen [default: 127.0.0.1:7600]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Allow all requests without a key; only on a loopback address
    #[arg(long)]
    insecure: bool,
    /// Convert a folder of an older form in place, where the disk has no room for a copy; it cannot be undone
    #[arg(long)]
    upgrade_in_place: bool,
    /// Accept the machine's clock for this start, however far it is past the last record of the folder
    #[arg(long)]
    accept_clock: bool,
    /// Print every setting and where it was set, and stop
    #[arg(long)]
    print_settings: bool,
}

/// Where settings come from.
#[derive(Args)]
pub(super) struct LayersArguments {
    /// The data folder [default: xiaoer-data]
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
    /// A file of settings; without it `xiaoer.toml` in the data folder, if it is there
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Set one setting, over the file and the environment; --print-settings shows all settings
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut flags = Vec::new();
        if let Some(listen) = &self.listen {
            flags.push(("listen".to_owned(), listen.clone()));
        }
        if self.insecure {
            flags.push(("insecure".to_owned(), "true".to_owned()));
        }
        if self.upgrade_in_place {
            flags.push(("upgrade.in_place".to_owned(), "true".to_owned()));
        }
        if self.accept_clock {
            flags.push(("clock.accept".to_owned(), "true".to_owned()));
        }
        let (settings, origins) = self.layers.load(flags.clone())?;
        if self.print_settings {
            let text = settings.print(&origins);
            return std::io::stdout()
                .lock()
                .write_all(text.as_bytes())
                .map_err(|error| {
                    Failure::failed(format!("the settings could not be written: {error}"))
                });
        }
        let _owner = OwnerGuard::of(&settings.data);
        let greet = |listening: Listening| {
            print_address(&listening, &settings.data);
            std::future::ready(())
        };
        let (layers, of_reload) = (self.layers, flags);
        let read_settings: ReadSettings = Box::new(move || {
            let loaded = layers.load(of_reload.clone());
            loaded
                .map(|(settings, _)| settings)
                .map_err(|failure| failure.message)
        });
        serve(&settings, Env::real(), Some(read_settings), greet).map_err(failure)
    }
}

/// The text that is printed once the server accepts requests.
fn print_address(listening: &Listening, data: &Path) {
    let url = listening.url();
    let mut text = format!("listening on {url}\n");
    if let Some(key) = &listening.first_key {
        text += &format!(
            "This is the first start, and there was no key. The new key may do everything. It is shown only now:\n  \
             {key}\n\
             Make more keys with `xiaoer key new --data {}`.\n",
            data.display()
        );
    }
    text += &format!("The API is described at {url}/docs\n");
    // Standard output may not be read.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
    std::io::stdout().lock().flush().ok();
}

/// An error of the server, for the command line.
pub(super) fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Unusable(what) => Failure::bad_input(what),
        ServeError::Journal(error) => journal_failure(&error),
        ServeError::Failed(what) => Failure::failed(what),
    }
}

/// An error of a folder, for the command line.
pub(super) fn journal_failure(error: &JournalError) -> Failure {
    match error {
        JournalError::Damaged(what) | JournalError::Unusable(what) => Failure::bad_input(what),
        JournalError::Failed(what) => Failure::disk(what),
    }
}

impl LayersArguments {
    /// The settings, with `flags` over those of `--set`.
    pub(super) fn load(
        &self,
        flags: Vec<(String, String)>,
    ) -> Result<(Settings, Origins), Failure> {
        let mut all = Vec::new();
        for set in &self.set {
            let (name, value) = set.split_once('=').ok_or_else(|| {
                Failure::bad_input(format!(
                    "--set {set}: write NAME=VALUE, such as --set shop.idle=10m"
                ))
            })?;
            all.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        if let Some(data) = &self.data {
            all.push(("data".to_owned(), data.display().to_string()));
        }
        all.extend(flags);
        let load = |file| {
            let sources = Sources {
                file,
                env: std::env::vars(),
                flags: all.clone(),
            };
            Settings::load(sources).map_err(|error| Failure::bad_input(error.to_string()))
        };
        if let Some(path) = &self.config {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::bad_input(format!("{} could not be read: {error}", path.display()))
            })?;
            return load(Some((path.display().to_string(), text)));
        }
        let (settings, origins) = load(None)?;
        let path = settings.data.join(SETTINGS_FILE);
        let Ok(text) = std::fs::read_to_string(&path) else {
            return Ok((settings, origins));
        };
        let name = path.display().to_string();
        let (settings, origins) = load(Some((name.clone(), text)))?;
        if origins.of("data") == Origin::File(name.clone()) {
            return Err(Failure::bad_input(format!(
                "{name} sets `data`, but was found in that folder: remove that line, or name the file with --config"
            )));
        }
        Ok((settings, origins))
    }
}
