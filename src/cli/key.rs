//! `xiaoer key`: makes, lists and revokes keys, whether a server runs on the folder or not.

use std::io::Write;

use clap::{Args, Subcommand};

use super::Failure;
use super::serve::LayersArguments;
use crate::domain::base::id::Id;
use crate::env::Env;
use crate::env::print_stderr_line;
use crate::env::private_files::{self, OwnerGuard};
use crate::journal::{JournalError, number_in};
use crate::keys::{KeyError, Keys, NewKey, Scope};
use crate::server::{ask_number, journal_settings};
use crate::settings::Settings;

/// Make, list and revoke keys
#[derive(Args)]
pub(super) struct KeyCommand {
    #[command(subcommand)]
    what: KeyAction,
}

#[derive(Subcommand)]
enum KeyAction {
    /// Make a key; it is printed once
    New {
        /// Its scope: events, read, owner or admin
        #[arg(long, value_parser = scope)]
        scope: Scope,
        /// Its shop; a key of scope admin has none
        #[arg(long)]
        shop: Option<String>,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// Allow its holder to send `at` for delayed events; owners and admins always may
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
    /// Revoke a key
    Revoke {
        /// Its id: the eight letters and digits after `xek_`
        id: String,
        #[command(flatten)]
        layers: LayersArguments,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::named(text).ok_or_else(|| "it is one of events, read, owner, admin".to_owned())
}

fn failure(error: &KeyError) -> Failure {
    Failure::bad_input(error.to_string())
}

fn open(settings: &Settings) -> Result<Keys, Failure> {
    private_files::make_folder(&settings.data).map_err(|error| {
        let folder = settings.data.display();
        Failure::bad_input(format!(
            "{folder} cannot be made: {error}; name another with --data"
        ))
    })?;
    Keys::open(&settings.data).map_err(|error| failure(&error))
}

/// The number of a shop, from the running server if there is one. Where the number or the shop is unknown, a note is
/// printed and the key is made all the same, since a shop may be made after its keys.
fn number_of(settings: &Settings, shop: &Id) -> Option<u64> {
    let found = match ask_number(&settings.data, shop) {
        Some(answered) => {
            answered.map_err(|error| format!("the running server gave no answer ({error})"))
        }
        None => number_in(&journal_settings(settings), shop).map_err(|error| match error {
            JournalError::Unusable(_) => "another xiaoer has just taken the folder".to_owned(),
            JournalError::Damaged(why) | JournalError::Failed(why) => why,
        }),
    };
    match found {
        Ok(Some(number)) => return Some(number),
        Ok(None) => print_stderr_line(&format!(
            "xiaoer: warning: {} has no shop {shop:?}. The key opens the first shop of that name that is made: check \
             the \
             name, or make the shop with `PUT /v1/shops/{{shop}}` and an admin's key",
            settings.data.display()
        )),
        Err(why) => print_stderr_line(&format!(
            "xiaoer: warning: whether there is a shop {shop:?} could not be checked: {why}"
        )),
    }
    None
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{text}")
        .map_err(|error| Failure::failed(format!("the answer could not be written: {error}")))
}

impl KeyCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.what {
            KeyAction::New {
                scope,
                shop,
                name,
                own_clock,
                layers,
            } => {
                let shop = shop.map(|shop| {
                    Id::new(&shop).ok_or_else(|| {
                        Failure::bad_input(
                            "--shop is not an id: it must have 1 to 128 bytes without control characters",
                        )
                    })
                });
                let shop = shop.transpose()?;
                let (settings, _) = layers.load(Vec::new())?;
                let _owner = OwnerGuard::of(&settings.data);
                let keys = open(&settings)?;
                let of_a_shop = shop.as_ref().filter(|_| scope.is_of_a_shop());
                let new = NewKey {
                    number: of_a_shop.and_then(|shop| number_of(&settings, shop)),
                    shop,
                    scope,
                    name,
                    own_clock,
                    at: Env::real().clock.now(),
                };
                let (_, text) = keys.new_key(new).map_err(|error| failure(&error))?;
                print(&text)
            }
            KeyAction::List { layers } => {
                let (settings, _) = layers.load(Vec::new())?;
                for row in open(&settings)?.list() {
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
            KeyAction::Revoke { id, layers } => {
                let (settings, _) = layers.load(Vec::new())?;
                let _owner = OwnerGuard::of(&settings.data);
                let keys = open(&settings)?;
                keys.revoke(&id).map_err(|error| failure(&error))?;
                print(&format!("{id} is revoked"))
            }
        }
    }
}
