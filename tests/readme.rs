//! The lines of shell that the READMEs have for a shop of one's own, pasted one after the other as they are printed:
//! each is answered with success, and what they make is there.
//!
//! They need curl. Where it is absent the test says so in one line; with `CI` set it fails.

mod support;

use std::path::Path;
use std::process::Command;

use support::privilege::cannot_run;
use support::served::{Launch, SMALL, Said, argument, folder, program, run, run_to_end};
use support::verifiers::works;

const READMES: [(&str, &str); 2] = [
    ("README.md", include_str!("../README.md")),
    ("README.zh-CN.md", include_str!("../README.zh-CN.md")),
];

/// What the printed lines go to.
const PRINTED_SERVER: &str = "http://127.0.0.1:7600";

const PRINTED_FOLDER: &str = "/var/lib/xiaoer";

/// The blocks of shell that talk to the shop `myshop`, in their order, but for a stream, which does not end.
fn blocks(readme: &str) -> Vec<&str> {
    let shells = readme.split("\n```sh\n").skip(1);
    let shells = shells.filter_map(|rest| rest.split_once("\n```").map(|(code, _)| code));
    shells
        .filter(|code| code.contains("/v1/shops/myshop") && !code.contains("curl -N"))
        .collect()
}

/// Runs the blocks in one shell, as who pastes them does.
fn pasted(blocks: &[&str], server: &str, data: &Path, admin: &str) -> Said {
    // A line that fails ends it. A key is good once the server has read it, and not by a time.
    let before = r#"set -eu
curl() { command curl --fail-with-body "$@"; }
sudo() { shift 2; "$@"; }
xiaoer() { "$PROGRAM" "$@"; }
sleep() { until command curl -sf -o /dev/null "$SERVER/v1/shops/myshop/policy" -H "Authorization: Bearer $READ_KEY"; do command sleep 0.05; done; }
"#;
    let printed = blocks.join("\n");
    let script = printed
        .replace(PRINTED_SERVER, server)
        .replace(PRINTED_FOLDER, argument(data));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{before}{script}")])
        .env("ADMIN_KEY", admin)
        .env("SERVER", server)
        .env("PROGRAM", program().get_program());
    run_to_end(shell)
}

#[test]
fn the_lines_for_a_shop_of_ones_own_work_as_they_are_printed() {
    if !works(Command::new("curl").arg("--version")) {
        cannot_run("the lines of the READMEs", "there is no curl");
        return;
    }
    for (name, readme) in READMES {
        let blocks = blocks(readme);
        assert!(blocks.len() >= 4, "{name} has {} such blocks", blocks.len());
        let (_place, data) = folder();
        let made = run(&["key", "new", "--scope", "admin", "--data", argument(&data)]);
        assert!(made.status.success(), "{made:?}");
        let served = Launch::with_keys(&data).set(&SMALL).start();
        let server = format!("http://{}", served.address);
        let said = pasted(&blocks, &server, &data, made.out.trim());
        assert!(said.status.success(), "{name}: {said:?}");
        assert!(
            said.out.contains(
                r#""type":"session.assigned","session":"s-1","buyer":"b-1","agent":"anna""#
            ),
            "{name}: {said:?}"
        );
        assert!(said.out.contains(r#""secret":"whsec_"#), "{name}: {said:?}");
        assert!(said.out.contains(r#""lease":"30s""#), "{name}: {said:?}");
    }
}
