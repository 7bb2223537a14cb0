//! Operation of a server: signals and reloaded files, system limits, access without a key, and the responses when the
//! server itself fails.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::http::{Answer, read_answer};
use crate::support::privilege::cannot_run;
use crate::support::served::{
    Launch, SMALL, Served, argument, clear_variables, folder, program, run,
};
use rustix::process::Signal;
use serde_json::json;

/// Nothing that is waited for takes longer.
const WAIT_S: u64 = 60;

/// One request with these headers, over a connection of its own.
fn ask(at: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(at).expect("a connection");
    let wait = Some(Duration::from_secs(WAIT_S));
    stream.set_read_timeout(wait).expect("a timeout");
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("content-length: {}\r\n", body.len());
    }
    text += &format!("\r\n{body}");
    stream.write_all(text.as_bytes()).expect("a request");
    read_answer(&mut BufReader::new(stream)).expect("an answer")
}

const HOST: (&str, &str) = ("host", "localhost");
const JSON: (&str, &str) = ("content-type", "application/json");

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// A new key of a folder.
fn new_key(data: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["key", "new", "--data", argument(data)];
    all.extend(arguments);
    let made = run(&all);
    assert!(made.status.success(), "{made:?}");
    made.out.trim().to_owned()
}

#[test]
fn a_server_without_keys_answers_this_machine_and_no_page_of_another_site() {
    let (_place, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    let at = served.address;
    let own = format!("http://{at}");
    let here = at.to_string();
    let here = ("host", here.as_str());
    let made = ask(at, "PUT", "/v1/shops/s", &[HOST, JSON], "{\"policy\":{}}");
    assert_eq!(made.status, 200, "{}", made.text());
    // By another name nothing is answered: the address behind a name may change.
    for path in [
        "/v1/shops",
        "/v1/shops/s/decisions",
        "/docs",
        "/openapi.json",
        "/metrics",
        "/healthz",
        "/x",
    ] {
        for host in ["evil.example", "evil.example:7600", "10.0.0.1", ""] {
            let answer = ask(at, "GET", path, &[("host", host)], "");
            assert_eq!(answer.status, 421, "{path} of {host:?}: {}", answer.text());
            assert_eq!(answer.json()["code"], "host_not_local");
        }
        let good = ask(at, "GET", path, &[here], "");
        assert_ne!(good.status, 421, "{path}: {}", good.text());
    }
    let deleted = ask(at, "DELETE", "/v1/shops/s", &[("host", "evil.example")], "");
    assert_eq!(deleted.status, 421);
    // What changes something comes from here.
    let event = "{\"type\":\"clock\"}";
    let hook = "{\"url\":\"https://evil.example/\"}";
    for (method, path, body, good) in [
        ("POST", "/v1/shops/s/events", event, 200),
        ("POST", "/v1/shops/s/webhooks", hook, 200),
        ("PUT", "/v1/shops/s", "{\"policy\":{}}", 200),
        ("DELETE", "/v1/shops/s/agents/a", "", 404),
    ] {
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:1")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", &own), ("sec-fetch-site", "cross-site")],
        ] {
            let headers = [&[here, JSON][..], foreign].concat();
            let answer = ask(at, method, path, &headers, body);
            assert_eq!(
                answer.status,
                403,
                "{method} {path} {foreign:?}: {}",
                answer.text()
            );
            assert_eq!(answer.json()["code"], "cross_site");
        }
        for own in [
            &[][..],
            &[("origin", &own[..]), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
        ] {
            let headers = [&[here, JSON][..], own].concat();
            let answer = ask(at, method, path, &headers, body);
            assert_eq!(
                answer.status,
                good,
                "{method} {path} {own:?}: {}",
                answer.text()
            );
        }
    }
    // What a page may send without asking first has no type that is read here.
    for headers in [&[here][..], &[here, ("content-type", "text/plain")]] {
        for (method, path, body) in [
            ("POST", "/v1/shops/s/events", event),
            ("POST", "/v1/shops/s/webhooks", hook),
            ("PUT", "/v1/shops/s", "{\"policy\":{}}"),
        ] {
            let answer = ask(at, method, path, headers, body);
            assert_eq!(answer.status, 415, "{path} {headers:?}: {}", answer.text());
            assert!(answer.text().contains("Content-Type"), "{}", answer.text());
        }
    }
    // A page may look at what it cannot read: the answer is for itself alone.
    let read = ask(
        at,
        "GET",
        "/v1/shops",
        &[here, ("sec-fetch-site", "cross-site")],
        "",
    );
    assert_eq!(
        (read.status, read.header("access-control-allow-origin")),
        (200, None)
    );
    assert!(served.stop().status.success());
}

#[test]
fn a_server_with_keys_has_any_name_and_wants_the_kind_of_a_body() {
    let (_place, data) = folder();
    let key = bearer(&new_key(&data, &["--scope", "admin"]));
    let key = ("authorization", key.as_str());
    let served = Launch::with_keys(&data).set(&SMALL).start();
    let at = served.address;
    let named = ("host", "desk.example");
    let origin = ("origin", "https://shop.example");
    let put = |headers: &[(&str, &str)]| {
        let answer = ask(at, "PUT", "/v1/shops/s", headers, "{\"policy\":{}}");
        answer.status
    };
    assert_eq!(put(&[named, key, origin, JSON]), 200);
    assert_eq!(put(&[named, key]), 415);
    assert_eq!(put(&[named]), 401, "a key comes first");
    // Where there is no body there is no kind of it.
    let empty = ask(at, "POST", "/v1/shops/s/events", &[named, key], "");
    assert_eq!(empty.status, 400, "{}", empty.text());
    assert!(served.stop().status.success());
}

#[test]
fn metrics_are_for_admins_where_others_can_reach_the_server() {
    let (_place, data) = folder();
    let admin = bearer(&new_key(&data, &["--scope", "admin"]));
    let admin = ("authorization", admin.as_str());
    for (listen, setting, public) in [
        ("127.0.0.1:0", "http.metrics_public=auto", true),
        ("127.0.0.1:0", "http.metrics_public=false", false),
        ("0.0.0.0:0", "http.metrics_public=auto", false),
        ("0.0.0.0:0", "http.metrics_public=true", true),
    ] {
        let launch = Launch::with_keys_at(&data, listen);
        let served = launch.set(&SMALL).set(&[setting]).start();
        let at = SocketAddr::from(([127, 0, 0, 1], served.address.port()));
        let bare = ask(at, "GET", "/metrics", &[HOST], "");
        let expected = if public { 200 } else { 401 };
        assert_eq!(bare.status, expected, "{listen} {setting}");
        let known = ask(at, "GET", "/metrics", &[HOST, admin], "");
        assert_eq!(known.status, 200, "{listen} {setting}");
        assert!(known.text().contains("xiaoer_connections"));
        assert!(served.stop().status.success());
    }
}

#[test]
fn callers_learn_nothing_of_the_servers_files() {
    let (_place, data) = folder();
    let admin = bearer(&new_key(&data, &["--scope", "admin"]));
    let headers = [HOST, JSON, ("authorization", admin.as_str())];
    let served = Launch::with_keys(&data).set(&SMALL).start();
    let at = served.address;
    let made = ask(at, "PUT", "/v1/shops/s", &headers, "{\"policy\":{}}");
    assert_eq!(made.status, 200, "{}", made.text());
    let keys = data.join("keys.json");
    let good = std::fs::read(&keys).expect("the keys");
    for break_it in [
        |keys: &Path| std::fs::write(keys, "{").expect("a file"),
        |keys: &Path| std::fs::remove_file(keys).expect("a file"),
        |keys: &Path| {
            std::fs::remove_file(keys).ok();
            std::fs::create_dir(keys).expect("a folder");
        },
    ] {
        break_it(&keys);
        for (method, path, body) in [
            ("POST", "/v1/keys", "{\"scope\":\"read\",\"shop\":\"s\"}"),
            ("DELETE", "/v1/keys/00000000", ""),
            ("DELETE", "/v1/shops/s", ""),
        ] {
            let answer = ask(at, method, path, &headers, body);
            let text = answer.text();
            assert!(!text.contains(argument(&data)), "{method} {path}: {text}");
            assert!(!text.contains("keys.json"), "{method} {path}: {text}");
        }
        let refused = ask(at, "POST", "/v1/keys", &headers, "{\"scope\":\"admin\"}");
        assert_eq!(refused.status, 500, "{}", refused.text());
        assert!(refused.text().contains("log"), "{}", refused.text());
        std::fs::remove_dir(&keys).ok();
        std::fs::write(&keys, &good).expect("the keys");
    }
    assert!(served.log().contains("keys.json"), "the log says it");
    assert!(served.stop().status.success());
}

/// A certificate and its key in files.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

struct Pem {
    certificate: String,
    key: String,
}

fn new_pem() -> Pem {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]);
    let made = made.expect("a certificate");
    Pem {
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    }
}

impl Pair {
    fn new(folder: &Path, pem: &Pem) -> Pair {
        let pair = Pair {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        std::fs::write(&pair.certificate, &pem.certificate).expect("a file");
        std::fs::write(&pair.key, &pem.key).expect("a file");
        pair
    }

    fn settings(&self) -> [String; 2] {
        [
            format!("tls.certificate={}", self.certificate.display()),
            format!("tls.key={}", self.key.display()),
        ]
    }
}

/// Whether the server shows this certificate to a new connection.
fn shows(served: &Served, pem: &Pem) -> bool {
    let root = ureq::tls::Certificate::from_pem(pem.certificate.as_bytes()).expect("a certificate");
    let roots = ureq::tls::RootCerts::Specific(Arc::new(vec![root]));
    let tls = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let config = ureq::Agent::config_builder().tls_config(tls);
    let config = config.timeout_global(Some(Duration::from_secs(WAIT_S)));
    let agent: ureq::Agent = config.build().into();
    let url = format!("https://{}/healthz", served.address);
    agent.get(url).call().is_ok()
}

fn soon(what: &str, look: impl FnMut() -> bool) {
    let mut look = look;
    let seen = Deadline::seconds(WAIT_S).poll(|| look().then_some(()));
    assert!(seen.is_some(), "{what}");
}

#[test]
fn a_certificate_is_replaced_while_the_server_runs() {
    let (place, data) = folder();
    let (old, new, newer) = (new_pem(), new_pem(), new_pem());
    let pair = Pair::new(place.path(), &old);
    let [certificate, key] = pair.settings();
    let launch = Launch::with_keys(&data).set(&SMALL);
    let served = launch.set(&[&certificate, &key]).start();
    assert!(shows(&served, &old) && !shows(&served, &new));
    // Half of a renewal changes nothing, and is said once.
    std::fs::write(&pair.certificate, &new.certificate).expect("a file");
    let said = || {
        served
            .log()
            .matches("the certificate was not reloaded; the earlier one stays in use")
            .count()
    };
    soon("half a pair is not noticed", || said() == 1);
    assert!(shows(&served, &old));
    std::fs::write(&pair.key, &new.key).expect("a file");
    soon("the new pair is not taken", || shows(&served, &new));
    assert!(!shows(&served, &old));
    assert_eq!(said(), 1, "{}", served.log());
    // A signal has it looked at too; nothing but TERM and INT ends a server.
    std::fs::write(&pair.certificate, &newer.certificate).expect("a file");
    std::fs::write(&pair.key, &newer.key).expect("a file");
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2, Signal::HUP] {
        served.signal(signal);
    }
    soon("the newer pair is not taken", || shows(&served, &newer));
    assert!(served.stop().status.success());
}

#[test]
fn sighup_reads_the_settings_and_the_keys_again() {
    let (_place, data) = folder();
    let admin = new_key(&data, &["--scope", "admin"]);
    let file = data.join("xiaoer.toml");
    let write = |text: &str| std::fs::write(&file, text).expect("settings");
    write("[log]\nlevel = \"warn\"\n");
    let mut served = Launch::with_keys(&data).set(&SMALL).start();
    let at = served.address;
    let good = |key: &str| {
        let key = bearer(key);
        ask(at, "GET", "/v1/shops", &[HOST, ("authorization", &key)], "").status == 200
    };
    assert!(good(&admin));
    let requests = |served: &Served| served.log().matches(" request ").count();
    assert_eq!(requests(&served), 0);
    write("[log]\nlevel = \"info\"\n[shop]\nidle = \"7m\"\n");
    served.signal(Signal::HUP);
    soon("the new level is not taken", || {
        good(&admin) && requests(&served) > 0
    });
    let log = served.log();
    assert!(
        log.contains("need a restart") && log.contains("shop.idle"),
        "{log}"
    );
    // What cannot be read changes nothing.
    write("[log]\nlevel = \"loud\"\n");
    served.signal(Signal::HUP);
    soon("wrong settings are not told of", || {
        served.log().contains("loud")
    });
    assert!(good(&admin));
    write("[log]\nlevel = \"error\"\n");
    served.signal(Signal::HUP);
    soon("the level is not lowered", || {
        let before = requests(&served);
        good(&admin) && requests(&served) == before
    });
    let other = new_key(&data, &["--scope", "admin"]);
    served.signal(Signal::HUP);
    soon("the new key is not known", || good(&other));
    for signal in [Signal::USR1, Signal::USR2, Signal::HUP] {
        served.signal(signal);
        assert!(good(&admin));
    }
    assert!(!served.has_ended());
    assert!(served.stop().status.success());
}

/// Whether the other end has closed.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("no waiting");
    match stream.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn handshakes_that_say_nothing_hold_up_nobody_and_end() {
    let (place, data) = folder();
    let pem = new_pem();
    let [certificate, key] = Pair::new(place.path(), &pem).settings();
    let start = |more: &[&str]| {
        let launch = Launch::with_keys(&data).set(&SMALL);
        let launch = launch.set(&[&certificate, &key, "workers=2"]);
        launch.set(more).start()
    };
    let silent = |served: &Served, count: usize| -> Vec<TcpStream> {
        let connect = |_| TcpStream::connect(served.address).expect("a connection");
        (0..count).map(connect).collect()
    };
    // None of them ends while this looks: a good one gets through beside them.
    let served = start(&["tls.handshake_timeout=1h"]);
    let mut held = silent(&served, 600);
    assert!(shows(&served, &pem), "a good handshake waits");
    assert!(!held.iter_mut().any(is_closed));
    drop(held);
    assert!(served.stop().status.success());
    let served = start(&["tls.handshake_timeout=500ms"]);
    let mut held = silent(&served, 20);
    soon("silent handshakes do not end", || {
        held.iter_mut().all(is_closed)
    });
    assert!(shows(&served, &pem));
    assert!(served.stop().status.success());
    let served = start(&["tls.handshake_timeout=1h", "tls.handshakes_max=5"]);
    let mut held = silent(&served, 40);
    soon("there are more handshakes than may be", || {
        held.retain_mut(|stream| !is_closed(stream));
        held.len() <= 10
    });
    drop(held);
    soon("no handshake after too many", || shows(&served, &pem));
    assert!(served.stop().status.success());
}

/// The program with a limit of the shell's.
fn limited(limit: &str) -> Command {
    let mut command = Command::new("sh");
    let program = program();
    command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]);
    command.arg(program.get_program());
    clear_variables(&mut command);
    command
}

#[test]
fn too_few_files_are_said_at_the_start_and_just_enough_are_enough() {
    let (_place, data) = folder();
    let start = |files: u64| {
        let command = limited(&format!("ulimit -n {files}"));
        let launch = Launch::by(command, &data).set(&SMALL);
        launch.set(&["workers=2"]).begin().ready()
    };
    let mut needed = 0;
    for files in [16, 20, 24, 28, 32, 40] {
        let Err(said) = start(files) else {
            panic!("it starts with {files} files");
        };
        assert_eq!(said.code(), Some(2), "{files}: {said:?}");
        let told = said.err.split("needs at least ").nth(1);
        let told = told.and_then(|text| text.split(',').next()?.parse().ok());
        needed = told.unwrap_or_else(|| panic!("{files}: {said:?}"));
    }
    let served = match start(needed) {
        Ok(served) => served,
        Err(said) => panic!("it does not start with {needed} files: {said:?}"),
    };
    let made = ask(
        served.address,
        "PUT",
        "/v1/shops/s",
        &[HOST, JSON],
        "{\"policy\":{}}",
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let mut held: Vec<TcpStream> = (0..10)
        .map(|_| TcpStream::connect(served.address).expect("a connection"))
        .collect();
    for stream in &mut held {
        let request = b"GET /v1/shops HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).expect("a request");
        let stream = stream.try_clone().expect("the same socket");
        assert_eq!(
            read_answer(&mut BufReader::new(stream))
                .expect("an answer")
                .status,
            200
        );
    }
    drop(held);
    assert!(served.stop().status.success());
}

/// Threads and processes that a user may have.
const THREADS: u32 = 100;

/// A process that goes with the test.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A user whom nobody else is: the system counts threads by user.
fn stranger() -> u32 {
    100_000 + std::process::id()
}

#[test]
fn without_more_threads_reads_are_answered_and_a_start_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return cannot_run(
            "the test of too few threads",
            "only root may be somebody else",
        );
    }
    let (place, data) = folder();
    let as_stranger = |limit: &str| {
        let mut command = limited(limit);
        command.uid(stranger()).gid(stranger());
        command
    };
    std::fs::create_dir(&data).expect("a folder");
    for folder in [place.path(), &data] {
        chown(folder, Some(stranger()), Some(stranger())).expect("its owner");
    }
    let seen = as_stranger("true").arg("--version").output();
    if !seen.is_ok_and(|seen| seen.status.success()) {
        return cannot_run(
            "the test of too few threads",
            "others cannot run the program",
        );
    }
    // One shell calls it so, another so.
    let threads = |count: u32| format!("ulimit -p {count} 2>/dev/null || ulimit -u {count}");
    let few = Launch::by(as_stranger(&threads(12)), &data).set(&SMALL);
    match few.set(&["workers=2"]).begin().ready() {
        Ok(_) => panic!("it starts with 12 threads"),
        Err(said) => {
            assert_eq!(said.code(), Some(2), "{said:?}");
            assert!(said.err.contains("threads"), "{said:?}");
        }
    }
    let launch = Launch::by(as_stranger(&threads(THREADS)), &data).set(&SMALL);
    let served = launch.set(&["workers=2"]).start();
    let at = served.address;
    let made = ask(at, "PUT", "/v1/shops/s", &[HOST, JSON], "{\"policy\":{}}");
    assert_eq!(made.status, 200, "{}", made.text());
    let opened = json!([{"type": "session.opened", "session": "s1", "buyer": "b1"}]).to_string();
    let opened = ask(at, "POST", "/v1/shops/s/events", &[HOST, JSON], &opened);
    assert_eq!(opened.status, 200, "{}", opened.text());
    // From here on no new thread comes: others of this user's have taken them all.
    let _others: Vec<Other> = (0..THREADS)
        .map(|_| {
            let mut command = Command::new("sleep");
            command.arg("600").uid(stranger()).gid(stranger());
            Other(command.spawn().expect("a process"))
        })
        .collect();
    let asking: Vec<_> = (0..40)
        .map(|number| {
            let paths = [
                "/v1/shops/s/decisions",
                "/v1/shops/s/decisions/1/why",
                "/v1/shops",
            ];
            let path = paths[number % paths.len()];
            std::thread::spawn(move || (path, ask(at, "GET", path, &[HOST], "").status))
        })
        .collect();
    for one in asking {
        let (path, status) = one.join().expect("an answer");
        assert_eq!(status, 200, "{path}");
    }
    assert!(!served.log().contains("panicked"), "{}", served.log());
    assert!(served.stop().status.success());
}
