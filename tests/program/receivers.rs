//! The receivers in `examples`: each stores every decision exactly once, also after a crash of the receiver, and
//! refuses a body without a valid signature.
//!
//! `.ci/run` installs the packages that they use to check signatures. If those are missing a test prints a line and is
//! skipped; with `CI` set it fails.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::http::{Answer, Client};
use crate::support::port::Port;
use crate::support::privilege::cannot_run;
use crate::support::served::{Launch, SMALL, Served, folder};
use crate::support::source::root;
use crate::support::verifiers::{node_modules, python, works};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use xiaoer::env::Env;
use xiaoer::webhooks::{Secret, sign};

/// For how long something may be on its way: a few tries.
const ARRIVES_WITHIN_S: u64 = 120;

/// A receiver that does not listen by then will not.
const STARTS_WITHIN_S: u64 = 120;

const SHOP: &str = "/v1/shops/myshop";

/// The text of an example.
fn example(file: &str) -> String {
    let path = root().join("examples").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The server with a shop of one agent.
struct World {
    _place: tempfile::TempDir,
    /// Where the receiver lives.
    at: PathBuf,
    served: Served,
    client: Client,
    sessions: u32,
}

impl World {
    fn new() -> World {
        let (place, data) = folder();
        let served = Launch::on(&data)
            .set(&SMALL)
            .set(&["webhook.private_addresses=true"])
            .start();
        let mut client = served.client();
        let at = place.path().to_owned();
        good(&mut client, "PUT", "", &json!({ "policy": {} }));
        let agent = json!({ "capacity": 1000 });
        good(&mut client, "PUT", "/agents/anna", &agent);
        let online = json!({ "presence": "online" });
        good(&mut client, "PUT", "/agents/anna/presence", &online);
        World {
            _place: place,
            at,
            served,
            client,
            sessions: 0,
        }
    }

    /// Opens sessions and closes each: two or three decisions.
    fn happens(&mut self, sessions: u32) {
        for _ in 0..sessions {
            self.sessions += 1;
            let name = format!("会话{}", self.sessions);
            let events = json!([
                { "type": "session.opened", "session": name, "buyer": name },
                { "type": "session.closed", "session": name, "by": "agent" },
            ]);
            good(&mut self.client, "POST", "/events", &events);
        }
    }

    /// All decisions, as the server lists them.
    fn decided(&mut self) -> Vec<Value> {
        let list = good(
            &mut self.client,
            "GET",
            "/decisions?limit=500",
            &Value::Null,
        );
        assert_eq!(list["next"], Value::Null, "more than one page");
        list["items"].as_array().expect("a list").clone()
    }

    /// Waits until all decisions were written down.
    fn arrived(&mut self, read: impl Fn(&Path) -> Vec<Value>) {
        let decided = self.decided();
        let (store, mut found) = (self.store(), Vec::new());
        let all = Deadline::seconds(ARRIVES_WITHIN_S).poll(|| {
            found = read(&store);
            (found.len() >= decided.len()).then_some(())
        });
        found.sort_by_key(|decision| decision["seq"].as_u64());
        assert!(all.is_some(), "{found:#?} is not all of {decided:#?}");
        assert_eq!(found, decided, "each once, and as the server has it");
    }

    fn store(&self) -> PathBuf {
        self.at.join("store.jsonl")
    }
}

fn good(client: &mut Client, method: &str, path: &str, body: &Value) -> Value {
    let (content, text) = if body.is_null() {
        ("", String::new())
    } else {
        ("application/json", body.to_string())
    };
    let path = format!("{SHOP}{path}");
    let answer = client.send(method, &path, content, text.as_bytes());
    let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    assert!(answer.status < 300, "{method} {path}: {}", answer.text());
    answer.json()
}

/// A receiver that runs; it ends with this, and all that it has started.
struct Running(Child);

impl Running {
    fn start(world: &World, mut command: Command) -> Running {
        let log = File::create(world.at.join("log")).expect("a file for what it says");
        command
            .current_dir(&world.at)
            .env("XIAOER", format!("http://{}", world.served.address))
            .env("STORE", world.store())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0);
        Running(command.spawn().expect("its process"))
    }

    /// Waits until it listens.
    fn listens(mut self, world: &World, port: u16) -> Running {
        let up = Deadline::seconds(STARTS_WITHIN_S).poll(|| {
            let ended = self.0.try_wait().ok().flatten();
            assert_eq!(ended, None, "it ended: {}", said(world));
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(up.is_some(), "it does not listen: {}", said(world));
        self
    }
}

fn said(world: &World) -> String {
    std::fs::read_to_string(world.at.join("log")).unwrap_or_default()
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process_group(group.expect("its process"), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// What a receiver keeps of a message: its id and its decisions.
fn lines(store: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(store).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.filter_map(Result::ok).collect()
}

fn decisions(store: &Path) -> Vec<Value> {
    let all = lines(store).into_iter();
    all.flat_map(|line| line["decisions"].as_array().cloned().unwrap_or_default())
        .collect()
}

/// Posts to a receiver what may be no message of ours.
fn post(port: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let length = body.len();
    let mut request = format!("POST / HTTP/1.1\r\nhost: receiver\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("\r\n{body}"));
    let mut client = Client::new(([127, 0, 0, 1], port).into());
    client.exchange(request.as_bytes()).expect("an answer")
}

/// What is forged is answered 400, and what came before is taken and not kept again.
fn check_door(store: &Path, port: u16, secret: &Secret) {
    let before = lines(store);
    let known = before.iter().rev().find_map(|line| line["id"].as_str());
    let known = known.expect("a message").to_owned();
    let now_s = Env::real().clock.now().ms() / 1000;
    let body =
        r#"{"type":"x","shop":"myshop","seq":999,"data":{"seq":999,"at":"2026-11-11T00:00:00Z"}}"#;
    let signed = |secret: &Secret, at_s: i64| {
        sign(std::slice::from_ref(secret), &known, at_s, body.as_bytes())
    };
    let other = Secret::new().expect("a secret");
    for (what, at_s, signature, expected) in [
        ("by another secret", now_s, signed(&other, now_s), 400),
        ("of another time", now_s, signed(secret, now_s - 1), 400),
        ("too old", now_s - 3600, signed(secret, now_s - 3600), 400),
        ("no signature", now_s, String::new(), 400),
        ("nonsense", now_s, "v1".to_owned(), 400),
        ("no base64", now_s, "v1,*".to_owned(), 400),
        ("an id that was there", now_s, signed(secret, now_s), 204),
    ] {
        let at = at_s.to_string();
        let headers = [
            ("webhook-id", known.as_str()),
            ("webhook-timestamp", &at),
            ("webhook-signature", &signature),
        ];
        assert_eq!(post(port, &headers, body).status, expected, "{what}");
    }
    assert_eq!(post(port, &[], body).status, 400, "without headers");
    assert_eq!(lines(store), before);
}

fn check_receiver(file: &str, command: impl Fn(&Path) -> Command) {
    let mut world = World::new();
    std::fs::write(world.at.join(file), example(file)).expect("the receiver");
    world.happens(2);
    let held = Port::hold();
    let port = held.number;
    let hook = json!({ "url": format!("http://127.0.0.1:{port}/") });
    let made = good(&mut world.client, "POST", "/webhooks", &hook);
    let (id, secret) = (made["id"].as_str(), made["secret"].as_str());
    let (id, secret) = (id.expect("an id"), secret.expect("a secret"));
    let start = |world: &World| {
        let mut command = command(&world.at);
        command.env("WEBHOOK_SECRET", secret);
        command.env("PORT", port.to_string());
        Running::start(world, command).listens(world, port)
    };
    let webhook = format!("/webhooks/{id}");
    let running = start(&world);
    world.happens(5);
    world.arrived(decisions);
    let tested = good(
        &mut world.client,
        "POST",
        &format!("{webhook}/test"),
        &Value::Null,
    );
    assert_eq!(tested["delivered"], true, "{tested}");
    check_door(
        &world.store(),
        port,
        &Secret::parse(secret).expect("a secret"),
    );
    drop(running);

    // Its life is taken in the middle of a line.
    let store = OpenOptions::new().append(true).open(world.store());
    let cut = "\n{\"id\":\"msg_cut\",\"decisions\":[{\"seq\":";
    store
        .and_then(|mut store| store.write_all(cut.as_bytes()))
        .expect("a line");
    world.happens(5);
    let batches = json!({ "batch": 4 });
    good(&mut world.client, "PATCH", &webhook, &batches);
    let _running = start(&world);
    world.arrived(decisions);
    world.happens(5);
    let last = world.decided().last().expect("a decision")["seq"].clone();
    let caught_up = Deadline::seconds(ARRIVES_WITHIN_S).poll(|| {
        let shown = good(&mut world.client, "GET", &webhook, &Value::Null);
        let done = shown["seq"] == last && shown["retrying"] == 0 && shown["given_up"] == 0;
        done.then_some(())
    });
    assert!(caught_up.is_some(), "{}", said(&world));
    world.arrived(decisions);
}

#[test]
fn the_receiver_in_python_has_each_decision_once() {
    match python() {
        Ok(program) => check_receiver("receiver.py", |_| {
            let mut python = Command::new(&program);
            python.arg("receiver.py");
            python
        }),
        Err(why) => cannot_run("the_receiver_in_python_has_each_decision_once", why),
    }
}

#[test]
fn the_receiver_in_node_has_each_decision_once() {
    match node_modules() {
        Ok(modules) => check_receiver("receiver.mjs", |at| {
            // As `npm install` leaves them: beside the file.
            let _ = std::os::unix::fs::symlink(&modules, at.join("node_modules"));
            let mut node = Command::new("node");
            node.arg("receiver.mjs");
            node
        }),
        Err(why) => cannot_run("the_receiver_in_node_has_each_decision_once", why),
    }
}

#[test]
fn the_follower_in_curl_misses_nothing() {
    if !works(Command::new("curl").arg("--version")) {
        return cannot_run("the_follower_in_curl_misses_nothing", "there is no curl");
    }
    let mut world = World::new();
    std::fs::write(world.at.join("follow.sh"), example("follow.sh")).expect("the script");
    let start = |world: &World| {
        let mut sh = Command::new("sh");
        sh.arg("follow.sh");
        Running::start(world, sh)
    };
    let read = |store: &Path| {
        // A decision may be there twice where the end came between it and how far it is.
        let mut found = lines(store);
        found.dedup();
        found
    };
    world.happens(2);
    let running = start(&world);
    world.happens(3);
    world.arrived(read);
    // How far it is was noted as well.
    std::thread::sleep(Duration::from_millis(200));
    drop(running);
    world.happens(3);
    let _running = start(&world);
    world.arrived(read);
}
