//! Reloads files of a running server: its certificate and its keys every second and at SIGHUP, and the log level at
//! SIGHUP. The log names other settings that have changed, because they need a restart.

use std::sync::Arc;

use tokio::signal::unix::Signal;

use super::tls::{Certificate, Reloaded};
use crate::env;
use crate::keys::{KeyError, Keys};
use crate::settings::Settings;
use crate::telemetry::logs;

/// Reads the settings again in the same way as at the start; the error says why they are invalid.
pub type ReadSettings = Box<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// The setting that a running server follows.
const RELOADABLE: &str = "log.level";

/// The files that are checked.
#[derive(Clone)]
pub(super) struct ReloadedFiles {
    pub keys: Option<Arc<Keys>>,
    pub certificate: Option<Arc<Certificate>>,
}

/// The result of a check.
pub(super) struct ReloadFindings {
    keys: Option<Result<bool, KeyError>>,
    certificate: Reloaded,
}

impl ReloadedFiles {
    /// Checks the files, and loads those that are new and valid. It may wait for the disk.
    fn check(&self) -> ReloadFindings {
        let certificate = self.certificate.as_ref();
        let keys = self.keys.as_ref().map(|keys| {
            let reloaded = keys.reload_if_changed()?;
            keys.write_bindings().map(|()| reloaded)
        });
        ReloadFindings {
            keys,
            certificate: certificate.map_or(Reloaded::Same, |files| files.reload_if_changed()),
        }
    }
}

/// Checks the files on another thread, and logs the result. The same error is logged once.
pub(super) async fn check_files(files: &ReloadedFiles, wrong_keys: &mut String) {
    let of_work = files.clone();
    let Ok(found) = env::blocking(move || of_work.check()).await else {
        // The next check is in a second.
        return;
    };
    match found.keys {
        Some(Ok(true)) => tracing::info!("the keys were changed by another process"),
        Some(Ok(false)) | None => {}
        Some(Err(error)) => {
            let text = error.to_string();
            if text != *wrong_keys {
                tracing::error!(%error, "the keys were not reloaded; the earlier ones stay in use");
                *wrong_keys = text;
            }
        }
    }
    match found.certificate {
        Reloaded::Same => {}
        Reloaded::Taken => {
            tracing::info!("the certificate was replaced: new connections get the new one")
        }
        Reloaded::Refused(error) => tracing::error!(
            error,
            "the certificate was not reloaded; the earlier one stays in \
        use"
        ),
    }
}

/// Reads everything again at each SIGHUP.
pub(super) async fn reload_on_hangup(
    mut hangup: Signal,
    mut settings: Settings,
    read: Option<ReadSettings>,
    files: ReloadedFiles,
) {
    let read = read.map(Arc::new);
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: the settings, the keys and the certificate are read again");
        if let Some(read) = &read {
            let read = Arc::clone(read);
            match env::blocking(move || read()).await {
                Ok(Ok(new)) => apply_reloadable(&mut settings, &new),
                Ok(Err(error)) => tracing::error!(
                    error,
                    "the settings were not reloaded; the earlier ones stay in \
                use"
                ),
                Err(error) => {
                    tracing::error!(%error, "the settings were not reloaded; the earlier ones stay in use")
                }
            }
        }
        check_files(&files, &mut String::new()).await;
    }
}

/// Applies the settings that a running server can change, and logs the rest.
fn apply_reloadable(settings: &mut Settings, new: &Settings) {
    let fixed = differing(settings, new);
    if settings.log_level != new.log_level {
        match logs::set_level(new.log_level.code()) {
            Ok(()) => {
                settings.log_level = new.log_level;
                tracing::info!(level = new.log_level.code(), "the log level was changed");
            }
            Err(error) => tracing::error!(%error, "the log level was not changed"),
        }
    }
    if !fixed.is_empty() {
        let names = fixed.join(", ");
        tracing::warn!(settings = names, "changed settings need a restart");
    }
}

/// The settings that have changed, except for the one that is followed.
fn differing(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let values = old.values().into_iter().zip(new.values());
    let rows = Settings::ROWS.iter().zip(values);
    rows.filter(|(row, (old, new))| row.name != RELOADABLE && old != new)
        .map(|(row, _)| row.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    fn settings(flags: &[(&str, &str)]) -> Settings {
        let flags = flags
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let sources = Sources {
            file: None,
            env: std::iter::empty(),
            flags: flags.collect(),
        };
        Settings::load(sources).unwrap().0
    }

    #[test]
    fn what_wants_a_restart_is_named() {
        assert!(Settings::ROWS.iter().any(|row| row.name == RELOADABLE));
        for (new, named) in [
            (&[][..], &[][..]),
            (&[("log.level", "debug")], &[]),
            (
                &[
                    ("log.level", "debug"),
                    ("shop.idle", "1m"),
                    ("workers", "2"),
                ],
                &["workers", "shop.idle"],
            ),
        ] {
            assert_eq!(differing(&settings(&[]), &settings(new)), named);
        }
    }
}
