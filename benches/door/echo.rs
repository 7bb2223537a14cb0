//! The yardstick: an actix-web endpoint that parses the events and answers what the server would, and keeps nothing.
//!
//! It runs as a process of its own, as the server does: this program again, with a variable of the environment that
//! names the file of answers by the type of event.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;
use serde_json::{Map, Value};

use super::support::served::{Launch, Served};

/// The variable that names the answers.
pub const ANSWERS: &str = "ECHO_ANSWERS";

/// Starts the yardstick's process.
pub fn start(place: &Path, answers: &Value) -> Served {
    let file = place.join("answers.json");
    std::fs::write(&file, answers.to_string()).expect("a file of answers");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(ANSWERS, &file);
    Launch::by(command, place).start()
}

#[derive(Serialize)]
struct Answer<'a> {
    results: Vec<Of<'a>>,
}

#[derive(Serialize)]
struct Of<'a> {
    id: &'a Value,
    decisions: &'a Value,
}

/// Serves until it is killed.
pub fn serve(answers: &str) -> io::Result<()> {
    let answers: Map<String, Value> = serde_json::from_slice(&std::fs::read(answers)?)?;
    let answers = web::Data::new(answers);
    actix_web::rt::System::new().block_on(async move {
        let app = move || {
            let events = web::resource("/v1/shops/{shop}/events").route(web::post().to(echo));
            App::new()
                .app_data(answers.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .service(events)
        };
        let server = HttpServer::new(app).bind("127.0.0.1:0")?;
        let address = server.addrs()[0];
        println!("listening on http://{address}");
        io::stdout().flush()?;
        server.run().await
    })
}

async fn echo(
    _shop: web::Path<String>,
    answers: web::Data<Map<String, Value>>,
    body: web::Bytes,
) -> HttpResponse {
    let Ok(events) = serde_json::from_slice::<Value>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    let of = |event| of(event, &answers);
    let results = match &events {
        Value::Array(events) => events.iter().map(of).collect(),
        Value::Object(_) => vec![of(&events)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![],
    };
    HttpResponse::Ok().json(Answer { results })
}

fn of<'a>(event: &'a Value, answers: &'a Map<String, Value>) -> Of<'a> {
    let kind = event["type"].as_str().unwrap_or_default();
    Of {
        id: &event["id"],
        decisions: answers.get(kind).unwrap_or(&Value::Null),
    }
}
