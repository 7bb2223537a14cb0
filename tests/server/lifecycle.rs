//! The life of a server: its first start, keys, TLS, settings, timers, backups and shutdown.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::served::{Launch, SMALL, argument, folder, program, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A server that asks for keys, and what it says.
struct Keyed {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
}

impl Keyed {
    fn start(data: &Path, more: &[&str]) -> Keyed {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", argument(data)]);
        for setting in SMALL {
            command.args(["--set", setting]);
        }
        command
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the server's process");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let mut keyed = Keyed {
            child,
            out,
            url: String::new(),
        };
        let line = keyed.line();
        keyed.url = line.trim().replace("listening on ", "");
        keyed
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a process");
        let ended = self.child.wait().expect("its end");
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn agent(root: Option<&[u8]>) -> ureq::Agent {
    let mut tls = ureq::tls::TlsConfig::builder();
    if let Some(pem) = root {
        let root = ureq::tls::Certificate::from_pem(pem).expect("a certificate");
        tls = tls.root_certs(ureq::tls::RootCerts::Specific(Arc::new(vec![root])));
    }
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.tls_config(tls.build()).build().into()
}

fn get(agent: &ureq::Agent, url: &str, key: Option<&str>) -> (u16, Value) {
    let mut request = agent.get(url);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let mut answer = request.call().expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.body_mut().read_json().unwrap_or_default())
}

fn send(agent: &ureq::Agent, method: &str, url: &str, key: &str, body: &Value) -> (u16, Value) {
    let request = match method {
        "PUT" => agent.put(url),
        _ => agent.post(url),
    };
    let request = request.header("authorization", format!("Bearer {key}"));
    let mut answer = request.send_json(body).expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.body_mut().read_json().unwrap_or_default())
}

#[test]
fn the_first_start_shows_a_key_once_and_keys_open_what_they_are_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut keyed = Keyed::start(&data, &[]);
    assert!(keyed.line().contains("first start"));
    let admin = keyed.line().trim().to_owned();
    assert!(admin.starts_with("xek_"), "{admin}");
    let (agent, url) = (agent(None), keyed.url.clone());
    let shops = format!("{url}/v1/shops");
    assert_eq!(get(&agent, &shops, None).0, 401);
    assert_eq!(
        get(
            &agent,
            &shops,
            Some("xek_00000000_000000000000000000000000000000000000")
        )
        .0,
        401
    );
    assert_eq!(get(&agent, &shops, Some(&admin)).0, 200);
    for shop in ["a", "b"] {
        let made = send(
            &agent,
            "PUT",
            &format!("{shops}/{shop}"),
            &admin,
            &json!({"policy": {}}),
        );
        assert_eq!(made.0, 200, "{}", made.1);
    }
    // Made beside the running server, it is known to it within moments; what it may not do it is told.
    let made = run(&[
        "key",
        "new",
        "--scope",
        "events",
        "--shop",
        "a",
        "--data",
        argument(&data),
    ]);
    let events = made.out.trim().to_owned();
    let agents = format!("{shops}/a/agents");
    let known =
        Deadline::seconds(60).poll(|| (get(&agent, &agents, Some(&events)).0 == 403).then_some(()));
    assert!(known.is_some(), "the new key is not known: {made:?}");
    let clock = json!({"type": "clock"});
    let told = send(
        &agent,
        "POST",
        &format!("{shops}/a/events"),
        &events,
        &clock,
    );
    assert_eq!(told, (200, json!({"results": [{"decisions": []}]})));
    // Of another shop it learns nothing, not even that it is there.
    let other = send(
        &agent,
        "POST",
        &format!("{shops}/b/events"),
        &events,
        &clock,
    );
    let none = send(
        &agent,
        "POST",
        &format!("{shops}/c/events"),
        &events,
        &clock,
    );
    assert_eq!(other.0, 404);
    assert_eq!(
        other.1.to_string().replace("\\\"b\\\"", "\\\"c\\\""),
        none.1.to_string()
    );
    // Its own instant is for those who may.
    let dated = json!({"type": "clock", "at": "2026-01-01T00:00:00Z"});
    let told = send(
        &agent,
        "POST",
        &format!("{shops}/a/events"),
        &events,
        &dated,
    );
    assert_eq!((told.0, &told.1["code"]), (400, &json!("malformed")));
    // Only the owner configures.
    let policy = json!({"type": "shop.configured", "policy": {}});
    let told = send(
        &agent,
        "POST",
        &format!("{shops}/a/events"),
        &events,
        &policy,
    );
    assert_eq!(told.0, 403);
    let id = &events[4..12];
    assert!(
        run(&["key", "revoke", id, "--data", argument(&data)])
            .status
            .success()
    );
    let gone =
        Deadline::seconds(60).poll(|| (get(&agent, &agents, Some(&events)).0 == 401).then_some(()));
    assert!(gone.is_some(), "a revoked key opens");
    keyed.stop();
    // The second start shows no key.
    let mut keyed = Keyed::start(&data, &[]);
    assert!(keyed.line().contains("/docs"));
    keyed.stop();
}

#[test]
fn it_speaks_tls_by_certificate_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let made =
        rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let (certificate, key) = (
        format!("tls.certificate={}", certificate.display()),
        format!("tls.key={}", key.display()),
    );
    let data = folder.path().join("data");
    let keyed = Keyed::start(&data, &["--set", &certificate, "--set", &key]);
    assert!(keyed.url.starts_with("https://"), "{}", keyed.url);
    let health = format!("{}/healthz", keyed.url);
    assert_eq!(
        get(&agent(Some(made.cert.pem().as_bytes())), &health, None).0,
        200
    );
    assert!(
        agent(None).get(&health).call().is_err(),
        "nobody vouches for it"
    );
    keyed.stop();
    let half = run(&["serve", "--data", argument(&data), "--set", &certificate]);
    assert_eq!(half.code(), Some(2));
    assert!(half.err.contains("tls.key"), "{}", half.err);
}

#[test]
fn settings_are_printed_with_their_origin_and_an_unknown_one_gets_a_suggestion() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("xiaoer.toml"), "[shop]\nidle = \"2m\"\n").expect("a file");
    let data = argument(folder.path());
    let said = run(&[
        "serve",
        "--data",
        data,
        "--print-settings",
        "--set",
        "log.level=warn",
    ]);
    assert!(
        said.out.contains("xiaoer.toml") && said.out.contains("idle"),
        "{}",
        said.out
    );
    for (arguments, hint) in [
        (
            &["serve", "--data", data, "--set", "shop.idel=2m"][..],
            "shop.idle",
        ),
        (
            &["serve", "--data", data, "--set", "shop.idle=soon"],
            "shop.idle",
        ),
        (
            &[
                "serve",
                "--data",
                data,
                "--listen",
                "0.0.0.0:0",
                "--insecure",
            ],
            "insecure",
        ),
        (
            &["serve", "--data", data, "--config", "nowhere.toml"],
            "nowhere.toml",
        ),
    ] {
        let said = run(arguments);
        assert_eq!(said.code(), Some(2), "{arguments:?}");
        assert!(said.err.contains(hint), "{}", said.err);
    }
}

const ANNA: &str = r#"[{"type":"agent.configured","agent":"anna","capacity":1000},{"type":"agent.online","agent":"anna"}]"#;

#[test]
fn timers_fire_by_themselves_also_those_that_were_due_while_it_was_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Launch::on(folder.path())
        .set(&SMALL)
        .set(&["shop.idle=100ms"])
        .start();
    let mut client = served.client();
    let policy = json!({"policy": {"session": {
        "close_after_buyer_silence": "1s", "requires_agent_reply": false
    }}});
    client
        .put("/v1/shops/s", &policy.to_string())
        .expect("an answer");
    client.post("/v1/shops/s/events", ANNA).expect("an answer");
    let open = |session: &str| {
        json!({"type":"session.opened","session":session,"buyer":session}).to_string()
    };
    client
        .post("/v1/shops/s/events", &open("first"))
        .expect("an answer");
    let closed = |client: &mut crate::support::http::Client, session: &str| {
        let page = client
            .get("/v1/shops/s/decisions?limit=500")
            .expect("an answer")
            .json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        items
            .into_iter()
            .find(|d| d["type"] == "session.closed" && d["session"] == session)
    };
    let first = Deadline::seconds(60)
        .poll(|| closed(&mut client, "first"))
        .expect("it closes by itself");
    assert_eq!(first["reason"], "timeout");
    client
        .post("/v1/shops/s/events", &open("second"))
        .expect("an answer");
    served.kill();
    // Nobody asks for the shop but for its decisions, which wakes it not.
    let served = Launch::on(folder.path()).set(&SMALL).start();
    let mut client = served.client();
    let second = Deadline::seconds(60)
        .poll(|| closed(&mut client, "second"))
        .expect("it closes late");
    assert_eq!(second["reason"], "timeout");
    served.stop();
}

#[test]
fn it_is_backed_up_while_it_serves_and_answers_what_it_took_when_told_to_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let served = Launch::on(&data).set(&SMALL).start();
    let mut client = served.client();
    client
        .put("/v1/shops/s", r#"{"policy":{}}"#)
        .expect("an answer");
    client.post("/v1/shops/s/events", ANNA).expect("an answer");
    let address = served.address;
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            std::thread::spawn(move || {
                let mut client = crate::support::http::Client::new(address);
                let mut taken = 0u32;
                for n in 0.. {
                    let name = format!("{sender}-{n}");
                    let event =
                        json!({"type":"session.opened","session":name,"buyer":name}).to_string();
                    // Every request that was taken is answered: 200, or a problem that says that it closes.
                    match client.post("/v1/shops/s/events", &event) {
                        Ok(answer) if answer.status == 200 => taken += 1,
                        Ok(answer) => {
                            assert_eq!(answer.status, 503, "{}", answer.text());
                            break;
                        }
                        Err(_) => break,
                    }
                }
                taken
            })
        })
        .collect();
    let copy = folder.path().join("copy");
    let saved = run(&["backup", "--data", argument(&data), "--to", argument(&copy)]);
    assert!(saved.status.success(), "{saved:?}");
    let said = served.stop();
    assert!(said.status.success(), "{said:?}");
    let taken: u32 = senders
        .into_iter()
        .map(|sender| sender.join().expect("a sender"))
        .sum();
    let kept = run(&["export", "--data", argument(&data), "--decisions"]);
    let assigned = kept
        .out
        .lines()
        .filter(|line| line.contains("session.assigned"))
        .count();
    assert!(assigned >= taken as usize, "{assigned} of {taken}");
    let restored = folder.path().join("restored");
    let made = run(&[
        "restore",
        "--from",
        argument(&copy),
        "--data",
        argument(&restored),
    ]);
    assert!(made.status.success(), "{made:?}");
    let earlier = run(&["export", "--data", argument(&restored), "--decisions"]);
    assert!(
        kept.out.starts_with(&earlier.out),
        "a backup is what was there at a moment"
    );
    let verified = run(&["verify", "--data", argument(&restored)]);
    assert!(verified.out.contains("is sound"), "{verified:?}");
}

/// A shop that falls asleep just as it is asked answers all the same: who asks wakes it again. Two connections a shop, so
/// that it is asked from another thread than its own.
#[test]
fn reads_are_answered_while_shops_fall_asleep() {
    let (_place, data) = folder();
    let launch = Launch::on(&data).set(&SMALL);
    let served = launch.set(&["shop.idle=10ms", "workers=2"]).start();
    std::thread::scope(|threads| {
        for shop in 0..16 {
            let path = format!("/v1/shops/s{}", shop / 2);
            let served = &served;
            threads.spawn(move || {
                let mut client = served.client();
                let made = client.put(&path, r#"{"policy":{}}"#).expect("an answer");
                assert_eq!(made.status, 200, "{}", made.text());
                for number in 0..200 {
                    let answer = client.get(&format!("{path}/agents")).expect("an answer");
                    assert_eq!(answer.status, 200, "{number}: {}", answer.text());
                    // About as long as it takes to fall asleep.
                    std::thread::sleep(Duration::from_micros(9_500 + number * 20));
                }
            });
        }
    });
    assert!(served.stop().status.success());
}
