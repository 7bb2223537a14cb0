//! Resident memory: a server that has just started, and one with many shops that all have open sessions.

use std::io;

use super::Asked;
use super::load::{Connection, Load};
use super::support::deadline::Stopwatch;
use super::support::served::{Launch, folder};

/// Open sessions of each shop.
const SESSIONS: usize = 100;

/// A policy under which nobody is sent off for being silent while the shops fill.
const PATIENT: &[u8] = br#"{"policy":{"session":{"close_after_buyer_silence":"1d"}}}"#;

fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}

/// Prints both figures.
pub async fn measure(asked: &Asked) -> io::Result<()> {
    let (_place, data) = folder();
    let served = Launch::on(&data).start();
    let fresh = served.resident_bytes();
    println!("\nmemory: fresh {} MB", megabytes(fresh));
    let shops = asked.number("crowd", 10_000) as usize;
    let load = Load {
        connections: 64,
        shops,
        seconds: 0,
        batch: SESSIONS,
        life: 0,
    };
    let watch = Stopwatch::start();
    load.configure(&served).await?;
    let mut connection = Connection::new(served.address).await?;
    for shop in 0..shops {
        let path = format!("/v1/shops/shop-{shop}");
        let (status, _) = connection.send("PUT", &path, PATIENT).await?;
        assert!(status < 300, "{path}: {status}");
        let mut body = b"[".to_vec();
        for session in 0..SESSIONS {
            let comma = if session == 0 { "" } else { "," };
            let event = format!(
                r#"{comma}{{"type":"session.opened","id":"o{session}","session":"s{shop}-{session}","buyer":"buyer-{shop}-{session}"}}"#
            );
            body.extend_from_slice(event.as_bytes());
        }
        body.push(b']');
        let (status, answer) = connection
            .send("POST", &format!("{path}/events"), &body)
            .await?;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(answer));
    }
    let full = served.resident_bytes();
    println!(
        "memory: {shops} shops with {SESSIONS} open sessions each {} MB, filled in {:.0?}",
        megabytes(full),
        watch.passed()
    );
    Ok(())
}
