//! A server with keys, as an operator starts it, and requests with a key.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::served::{SMALL, argument, program};

/// A server that asks for keys. Dropped, it is killed.
pub struct Keyed {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where it is found.
    pub url: String,
    /// The admin's key, where this is the first start.
    pub admin: String,
}

impl Keyed {
    /// On a folder, at a free port.
    pub fn start(data: &Path, settings: &[&str]) -> Keyed {
        Keyed::by(program(), data, settings)
    }

    /// The same by another command, which runs the program with what follows.
    pub fn by(mut command: Command, data: &Path, settings: &[&str]) -> Keyed {
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", argument(data)]);
        for setting in SMALL.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the server's process");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (url, admin) = (String::new(), String::new());
        let mut keyed = Keyed {
            child,
            out,
            url,
            admin,
        };
        keyed.url = keyed.line().trim().replace("listening on ", "");
        if keyed.line().contains("first start") {
            keyed.admin = keyed.line().trim().to_owned();
        }
        keyed
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a process");
        assert!(self.child.wait().expect("its end").success());
    }

    /// One request with a key: its status and what it says.
    pub fn ask(&self, key: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.build().into();
        let url = format!("{}{path}", self.url);
        let key = format!("Bearer {key}");
        let empty = json!({});
        let answer = match method {
            "GET" => agent.get(url).header("authorization", key).call(),
            "DELETE" => agent.delete(url).header("authorization", key).call(),
            "PUT" => agent
                .put(url)
                .header("authorization", key)
                .send_json(body.unwrap_or(&empty)),
            "PATCH" => agent
                .patch(url)
                .header("authorization", key)
                .send_json(body.unwrap_or(&empty)),
            _ => agent
                .post(url)
                .header("authorization", key)
                .send_json(body.unwrap_or(&empty)),
        };
        let mut answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
