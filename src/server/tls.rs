//! TLS with certificate files, which may be replaced while the server runs.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::ServeError;

/// The server's certificate and its key: the latest valid pair of the two files.
pub(super) struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    config: Arc<ServerConfig>,
    current: Arc<Current>,
    seen: Mutex<CertificateSeen>,
}

/// The pair for handshakes.
#[derive(Debug)]
struct Current(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&held(&self.0)))
    }
}

/// The files at the last check, and the error they had.
struct CertificateSeen {
    files: [Option<CertificateCheck>; 2],
    wrong: Option<String>,
}

/// Properties of a file that change when it is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CertificateCheck {
    inode: u64,
    bytes: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reloaded {
    /// The files have not changed.
    Same,
    /// The new pair is used from now on.
    Taken,
    /// The files are invalid, which is reported once; the earlier pair stays in use.
    Refused(String),
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Certificate {
    /// Reads a certificate's chain and its key, both PEM files.
    pub(super) fn open(certificate: &Path, key: &Path) -> Result<Arc<Certificate>, ServeError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Taken before the files are read, so that a later write is noticed.
        let files = [look(certificate), look(key)];
        let pair = read(certificate, key, &provider).map_err(ServeError::Unusable)?;
        let current = Arc::new(Current(Mutex::new(Arc::new(pair))));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| ServeError::Failed(format!("TLS cannot be set up: {error}")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        Ok(Arc::new(Certificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            provider,
            config: Arc::new(config),
            current,
            seen: Mutex::new(CertificateSeen { files, wrong: None }),
        }))
    }

    /// The configuration of handshakes.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Reads the files again where they have changed or were invalid: a renewal writes two files, one after the other.
    pub(super) fn reload_if_changed(&self) -> Reloaded {
        let files = [look(&self.certificate), look(&self.key)];
        let mut seen = held(&self.seen);
        if seen.files == files && seen.wrong.is_none() {
            return Reloaded::Same;
        }
        seen.files = files;
        match read(&self.certificate, &self.key, &self.provider) {
            Ok(pair) => {
                seen.wrong = None;
                let mut current = held(&self.current.0);
                // The content may be the same after all.
                if current.cert == pair.cert {
                    return Reloaded::Same;
                }
                *current = Arc::new(pair);
                Reloaded::Taken
            }
            Err(wrong) => {
                let known = seen.wrong.as_ref() == Some(&wrong);
                seen.wrong = Some(wrong.clone());
                match known {
                    true => Reloaded::Same,
                    false => Reloaded::Refused(wrong),
                }
            }
        }
    }
}

/// The properties of a file; `None` where it does not exist.
fn look(path: &Path) -> Option<CertificateCheck> {
    let look = |file: Metadata| CertificateCheck {
        inode: file.ino(),
        bytes: file.size(),
        written: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    };
    std::fs::metadata(path).ok().map(look)
}

/// The pair of the files, if they are a valid pair.
fn read(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let wrong = |path: &Path, what: &dyn std::fmt::Display| {
        format!(
            "{} cannot be used for TLS: {what}; it must be a PEM file",
            path.display()
        )
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"it holds no certificate"));
    }
    let own = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let own = provider.key_provider.load_private_key(own);
    let own = own.map_err(|error| wrong(key, &error))?;
    let pair = CertifiedKey::new(chain, own);
    match pair.keys_match() {
        // Some keys cannot be compared with a certificate.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(pair)
        }
        Err(error) => Err(format!(
            "{} and {} do not belong together: {error}. Set a certificate and its own key",
            certificate.display(),
            key.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pem {
        certificate: String,
        key: String,
    }

    fn pem() -> Pem {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        Pem {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    #[test]
    fn a_new_pair_is_taken_once_it_is_whole_and_what_is_wrong_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let (old, new) = (pem(), pem());
        std::fs::write(&certificate, &old.certificate).unwrap();
        std::fs::write(&key, &old.key).unwrap();
        let both = Certificate::open(&certificate, &key).unwrap();
        let shown = || held(&both.current.0).cert[0].to_vec();
        let first = shown();
        let half = &new.certificate[..new.certificate.len() / 2];
        for (file, text, expected, is_new) in [
            (&certificate, old.certificate.as_str(), "same", false),
            (&certificate, half, "refused", false),
            (&certificate, half, "same", false),
            (&certificate, &new.certificate, "refused", false),
            (&certificate, &new.certificate, "same", false),
            (&key, "", "refused", false),
            (&key, &new.key, "taken", true),
            (&key, &new.key, "same", true),
        ] {
            std::fs::write(file, text).unwrap();
            let found = match both.reload_if_changed() {
                Reloaded::Same => "same",
                Reloaded::Taken => "taken",
                Reloaded::Refused(_) => "refused",
            };
            assert_eq!(found, expected, "{file:?} {text:?}");
            assert_eq!(shown() != first, is_new, "{file:?} {text:?}");
        }
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(both.reload_if_changed(), Reloaded::Refused(_)));
        assert_eq!(both.reload_if_changed(), Reloaded::Same, "said once");
        assert!(shown() != first);
    }
}
