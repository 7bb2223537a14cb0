//! Checks webhook signatures with the packages that receivers use: `standardwebhooks` for Python and for npm.
//!
//! `.ci/run` installs them next to the builds. If they are missing the tests print a line and are skipped; with `CI`
//! set they fail.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::privilege::cannot_run;
use crate::support::verifiers;
use serde_json::{Value, json};
use xiaoer::env::Env;
use xiaoer::webhooks::{Secret, sign};

/// Reads cases as one JSON array, and answers for each whether the package takes it.
const PYTHON: &str = r#"
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError

def takes(case):
    try:
        Webhook(case["secret"]).verify(case["body"], case["headers"], json_parse=False)
        return True
    except WebhookVerificationError:
        return False

print(json.dumps([takes(case) for case in json.load(sys.stdin)]))
"#;

/// The same for Node.
const NODE: &str = r#"
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

function takes(one) {
    try {
        new Webhook(one.secret).verify(one.body, one.headers, { jsonParse: false });
        return true;
    } catch (error) {
        if (error instanceof WebhookVerificationError) return false;
        throw error;
    }
}

const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(takes)));
"#;

/// Bodies as they may come: JSON with and without blanks, Chinese text, what Unicode has beyond its first plane, the
/// marks that signatures themselves are written with, and a long one.
fn bodies() -> Vec<String> {
    let texts = [
        "{}",
        r#"{"type":"invite.decided","data":{"seq":1}}"#,
        "{ \"type\": \"invite.decided\",\n\t\"data\": { \"seq\": 2 } }\n",
        r#"{"question":"买家问：运费多少？","agent":"客服小二"}"#,
        r#"{"text":"谢谢！🎉 𠮷野家"}"#,
        r#"{"text":"v1,abc v1,def. whsec_ %20 \u0000 \\ \" 1614265330."}"#,
    ];
    let long = format!("{{\"text\":\"{}\"}}", "长".repeat(6000));
    texts.map(str::to_owned).into_iter().chain([long]).collect()
}

/// A case, and whether it has to be taken.
type Case = (&'static str, Value, bool);

fn cases() -> Vec<Case> {
    // Receivers refuse what is more than five minutes old.
    let now_s = Env::real().clock.now().ms() / 1000;
    let secret = || Secret::new().expect("a secret");
    let (new, old, other) = (secret(), secret(), secret());
    let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
    let case = |secret: &Secret, id: &str, at_s: i64, body: &str, signature: &str| {
        json!({
            "secret": secret.text(),
            "body": body,
            "headers": {
                "webhook-id": id,
                "webhook-timestamp": at_s.to_string(),
                "webhook-signature": signature,
            },
        })
    };
    let mut cases = Vec::new();
    for body in bodies() {
        let one = sign(std::slice::from_ref(&new), id, now_s, body.as_bytes());
        let both = sign(&[new.clone(), old.clone()], id, now_s, body.as_bytes());
        let changed = body.replacen(['{', '1', '2'], "{ ", 1);
        let mut add =
            |what, secret: &Secret, id: &str, at_s, body: &str, signature: &str, taken| {
                cases.push((what, case(secret, id, at_s, body, signature), taken));
            };
        add("one secret", &new, id, now_s, &body, &one, true);
        add("two secrets, the new", &new, id, now_s, &body, &both, true);
        add("two secrets, the old", &old, id, now_s, &body, &both, true);
        add("another secret", &other, id, now_s, &body, &both, false);
        add("the old one alone", &old, id, now_s, &body, &one, false);
        add("a changed body", &new, id, now_s, &changed, &both, false);
        add("another id", &new, "msg_1", now_s, &body, &both, false);
        add("another time", &new, id, now_s + 1, &body, &both, false);
    }
    cases
}

fn check(test: &str, mut command: Command) {
    let cases = cases();
    let sent: Vec<&Value> = cases.iter().map(|(_, case, _)| case).collect();
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("its process");
    let mut input = child.stdin.take().expect("its input");
    let sent = serde_json::to_vec(&sent).expect("the cases");
    input.write_all(&sent).expect("a reader");
    drop(input);
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{test}: {output:?}");
    let taken: Vec<bool> = serde_json::from_slice(&output.stdout).expect("what it takes");
    assert_eq!(taken.len(), cases.len());
    for ((what, case, expected), taken) in cases.iter().zip(taken) {
        assert_eq!(taken, *expected, "{test}: {what}: {case}");
    }
}

#[test]
fn the_package_of_python_takes_them() {
    match verifiers::python() {
        Ok(program) => {
            let mut python = Command::new(program);
            python.args(["-c", PYTHON]);
            check("Python", python);
        }
        Err(why) => cannot_run("the_package_of_python_takes_them", why),
    }
}

#[test]
fn the_package_of_npm_takes_them() {
    match verifiers::node_modules() {
        Ok(modules) => {
            let mut node = Command::new("node");
            node.args(["-e", NODE]).env("NODE_PATH", modules);
            check("Node", node);
        }
        Err(why) => cannot_run("the_package_of_npm_takes_them", why),
    }
}
