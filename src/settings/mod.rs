//! Settings: defaults, then a file, then the environment, then flags.
//!
//! [`Settings`] is one table. A row has a setting's name, form, default, range and explanation. Reading, printing and
//! the commented file use these rows, so every setting has a default and an explanation.
//!
//! This module reads neither files nor the environment: it gets their content, and returns the settings or an error.

mod error;
mod ip_network;
mod layers;
mod origin;
mod render;
mod table;
mod value;

pub use error::SettingsError;
pub use ip_network::Network;
pub use layers::{Origins, Sources};
pub use origin::Origin;
pub use table::{SettingRow, Settings};
pub use value::{BuyerSpace, LogFormat, LogLevel, MetricsPublic, Size};
