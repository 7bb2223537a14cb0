//! `xiaoer key`: makes, lists and revokes keys, whether a server runs on the folder or not.

use std::io::Write;

use clap::{Args, Subcommand};

use super::Failure;
use super::serve::LayersArguments;
use crate::domain::id::Id;
use crate::env::Env;
use crate::keys::{KeyError, Keys, NewKey, Scope};

/// Make, list and revoke keys
#[derive(Args)]
pub(super) struct Key {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make a key; it is printed once
    New {
        /// What it is for: events, read, owner or admin
        #[arg(long, value_parser = scope)]
        scope: Scope,
        /// The shop that it opens; an admin's key has none
        #[arg(long)]
        shop: Option<String>,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Its holder may send its own `at`, after having been cut off; owners and admins always may
        #[arg(long)]
        own_clock: bool,
        #[command(flatten)]
        layers: LayersArguments,
    },
    /// List all keys, without their secrets
    List {
        #[command(flatten)]
        layers: LayersArguments,
    },
    /// Take a key back
    Revoke {
        /// Its id: the eight letters and digits after `xek_`
        id: String,
        #[command(flatten)]
        layers: LayersArguments,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| "it is one of events, read, owner, admin".to_owned())
}

fn failure(error: &KeyError) -> Failure {
    Failure::bad_input(error.to_string())
}

fn open(layers: &LayersArguments) -> Result<Keys, Failure> {
    let (settings, _) = layers.load(Vec::new())?;
    std::fs::create_dir_all(&settings.data).map_err(|error| {
        let folder = settings.data.display();
        Failure::bad_input(format!(
            "{folder} cannot be made: {error}; name another with --data"
        ))
    })?;
    Keys::open(&settings.data).map_err(|error| failure(&error))
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{text}")
        .map_err(|error| Failure::failed(format!("the answer could not be written: {error}")))
}

impl Key {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.what {
            What::New {
                scope,
                shop,
                name,
                own_clock,
                layers,
            } => {
                let shop = shop.map(|shop| {
                    Id::new(&shop).ok_or_else(|| {
                        Failure::bad_input(
                            "--shop is no id: 1 to 128 bytes without control characters",
                        )
                    })
                });
                let new = NewKey {
                    shop: shop.transpose()?,
                    scope,
                    name,
                    own_clock,
                    at: Env::real().clock.now(),
                };
                let (_, text) = open(&layers)?
                    .new_key(new)
                    .map_err(|error| failure(&error))?;
                print(&text)
            }
            What::List { layers } => {
                for row in open(&layers)?.list() {
                    let shop = row.shop.as_deref().unwrap_or("every shop");
                    let name = row.name.as_deref().unwrap_or_default();
                    print(&format!(
                        "{}  {:6}  {shop}  {name}",
                        row.id,
                        row.scope.code()
                    ))?;
                }
                Ok(())
            }
            What::Revoke { id, layers } => {
                open(&layers)?
                    .revoke(&id)
                    .map_err(|error| failure(&error))?;
                print(&format!("{id} opens nothing any more"))
            }
        }
    }
}
