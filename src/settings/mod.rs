//! Settings: defaults, then a file, then the environment, then flags.
//!
//! [`Settings`] is one table: a row is a setting's name, form, default, range and what it is for. Reading, printing
//! and the commented file are made of its rows, so that no setting is without a default or an explanation.
//!
//! The room reads no file and no environment: it is given their content, and answers the settings or what to change.

mod error;
mod layers;
mod network;
mod origin;
mod render;
mod table;
mod value;

pub use error::SettingsError;
pub use layers::{Origins, Sources};
pub use network::Network;
pub use origin::Origin;
pub use table::{SettingRow, Settings};
pub use value::{BuyerSpace, LogFormat, LogLevel, MetricsPublic, Size};
