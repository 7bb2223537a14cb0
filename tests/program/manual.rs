//! The manual: every shell block in the READMEs and in `docs` runs as printed, from a clean folder, and prints what the
//! page says. Every relative link leads to an existing file and heading.
//!
//! The commands need curl and Python. If one is missing the test prints a line and is skipped; with `CI` set it fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::privilege::cannot_run;
use crate::support::served::{
    Launch, SMALL, Said, argument, clear_variables, folder, program, run, run_to_end,
};
use crate::support::source::{files, root};
use crate::support::verifiers::works;

/// The address of the server on the pages.
const PRINTED_SERVER: &str = "http://127.0.0.1:7600";

/// The data folder on the pages.
const PRINTED_FOLDER: &str = "/var/lib/xiaoer";

/// The longest README, in lines: it is a front page.
const README_LINES_MAX: usize = 200;

/// What a page's commands talk to.
#[derive(Clone, Copy, PartialEq)]
enum Server {
    /// Nothing.
    None,
    /// A server without keys, as the demo is.
    WithoutKeys,
    /// A server with keys; `ADMIN_KEY` is set.
    WithKeys,
}

/// A page with commands.
struct Page {
    file: &'static str,
    server: Server,
    /// The page whose commands come first.
    after: Option<&'static str>,
    /// How many of its blocks run.
    blocks: usize,
    /// What the output contains.
    output: &'static [&'static str],
}

const RUNNING: &[&str] = &[
    r#"{"ok":true}"#,
    r#""policy":{"preset":"douyin""#,
    r#""agent":"anna","presence":"online""#,
    r#""type":"session.assigned","session":"s-1","buyer":"b-1","agent":"anna""#,
    "journal.retention",
];

const API: &[&str] = &[
    r#"{"id":"e-1","decisions":[{"#,
    r#""seq":2,"type":"session.assigned","session":"s-2","buyer":"b-2","agent":"anna""#,
    "[R4a]",
    r#""type":"invite.blocked","session":"s-2","buyer":"b-2","agent":"anna""#,
    r#""items":[{"#,
    "id: 2\nevent: session.assigned\n",
    r#""lease":"30s""#,
];

const WEBHOOKS: &[&str] = &[
    r#""url":"https://example.com/xiaoer""#,
    r#""secret":"whsec_"#,
];

const RULES: &[&str] = &[
    r#""seq":1,"type":"session.assigned","session":"s1","buyer":"b1","agent":"anna""#,
    "[R4a]",
    r#""buyer":"买家"#,
];

/// The pages with commands, and what their output must contain.
const PAGES: &[Page] = &[
    Page {
        file: "README.md",
        server: Server::WithoutKeys,
        after: None,
        blocks: 3,
        output: &[
            r#""seq":1,"type":"session.assigned","session":"s-1","buyer":"b-1","agent":"anna""#,
            r#""seq":2,"type":"session.assigned","session":"s-2","buyer":"b-2","agent":"bo""#,
            "bo     online              0/5      0       1          never  picked",
            "anna   online              1/3      1       1             #1  more saturated",
        ],
    },
    Page {
        file: "README.zh-CN.md",
        server: Server::WithoutKeys,
        after: None,
        blocks: 3,
        output: &["anna  在线        1/3         1     1        #1  饱和度更高"],
    },
    Page {
        file: "docs/running.md",
        server: Server::WithKeys,
        after: None,
        blocks: 7,
        output: RUNNING,
    },
    Page {
        file: "docs/zh/running.md",
        server: Server::WithKeys,
        after: None,
        blocks: 7,
        output: RUNNING,
    },
    Page {
        file: "docs/api.md",
        server: Server::WithKeys,
        after: Some("docs/running.md"),
        blocks: 6,
        output: API,
    },
    Page {
        file: "docs/zh/api.md",
        server: Server::WithKeys,
        after: Some("docs/zh/running.md"),
        blocks: 6,
        output: API,
    },
    Page {
        file: "docs/webhooks.md",
        server: Server::WithKeys,
        after: Some("docs/running.md"),
        blocks: 1,
        output: WEBHOOKS,
    },
    Page {
        file: "docs/zh/webhooks.md",
        server: Server::WithKeys,
        after: Some("docs/zh/running.md"),
        blocks: 1,
        output: WEBHOOKS,
    },
    Page {
        file: "docs/rules.md",
        server: Server::None,
        after: None,
        blocks: 2,
        output: RULES,
    },
    Page {
        file: "docs/zh/rules.md",
        server: Server::None,
        after: None,
        blocks: 2,
        output: RULES,
    },
];

/// A line of a block that does not run here, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "cargo run --release -- demo",
        "tests/program/demo.rs runs the demo; `cargo test` runs this test",
    ),
    (
        "sudo useradd",
        "builds a release, and changes the users and programs of the machine",
    ),
    ("sudo systemctl", "changes the services of the machine"),
    (
        "--set tls.certificate=fullchain.pem",
        "serves until it is stopped; tests/server/administration.rs covers certificates",
    ),
    (
        "pip install standardwebhooks",
        "downloads a package; tests/program/receivers.rs runs the receiver",
    ),
    (
        "npm install standardwebhooks",
        "downloads a package; tests/program/receivers.rs runs the receiver",
    ),
    ("cargo bench", "takes minutes"),
    ("XIAOER_KILLS=2000", "takes hours"),
];

/// The definitions that the pasted commands run under. A failed command is noted in a file, because a shell forgets the
/// status of a command inside a pipe or a substitution.
const SHELL: &str = r#"set -eu
noted() { "$@" || { status=$?; echo "$*" >>"$FAILED"; return $status; }; }
curl() {
    case " $* " in
        *" -N "*) command curl --fail-with-body --max-time 2 "$@" || [ $? = 28 ] || noted false "$@" ;;
        *) noted command curl --fail-with-body "$@" ;;
    esac
}
sudo() { [ "$1" = -u ] && shift 2 && "$@"; }
xiaoer() {
    case " $* " in *" --data damaged "*) [ -d damaged ] || cp -R restored damaged ;; esac
    noted "$PROGRAM" "$@"
}
sleep() { until command curl -sf -o /dev/null "$SERVER/v1/shops/myshop/policy" -H "Authorization: Bearer $READ_KEY"; do command sleep 0.05; done; }
"#;

fn text_of(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The blocks of shell of a page.
fn blocks(page: &str) -> Vec<&str> {
    let shells = page.split("\n```sh\n").skip(1);
    shells
        .filter_map(|rest| rest.split_once("\n```").map(|(code, _)| code))
        .collect()
}

fn is_run(block: &str) -> bool {
    !NOT_RUN.iter().any(|(line, _)| block.contains(line))
}

/// The blocks of a file that run, as one script.
fn script(file: &str) -> (usize, String) {
    let page = text_of(file);
    let run: Vec<&str> = blocks(&page)
        .into_iter()
        .filter(|block| is_run(block))
        .collect();
    (run.len(), run.join("\n") + "\n")
}

/// The pages of the manual.
fn pages() -> Vec<String> {
    let all = files("", &[".md"]);
    let mut pages: Vec<String> = all.iter().map(|file| file.name.clone()).collect();
    pages.retain(|path| path.starts_with("README") || path.starts_with("docs/"));
    pages
}

/// Pastes a script into one shell in a clean folder.
fn pasted(script: &str, at: &Path, server: &str, data: &Path, admin: &str) -> Said {
    let script = script
        .replace(PRINTED_SERVER, server)
        .replace(PRINTED_FOLDER, argument(data));
    let failed = at.with_extension("failed");
    std::fs::create_dir(at).expect("a clean folder");
    let mut shell = Command::new("sh");
    clear_variables(&mut shell);
    shell
        .args(["-c", &format!("{SHELL}{script}")])
        .current_dir(at)
        .env("ADMIN_KEY", admin)
        .env("SERVER", server)
        .env("FAILED", &failed)
        .env("PROGRAM", program().get_program());
    let said = run_to_end(shell);
    let failed = std::fs::read_to_string(failed).unwrap_or_default();
    assert!(failed.is_empty(), "failed: {failed}{said:?}");
    said
}

/// Runs the commands of a page against a server of its own.
fn run_page(page: &Page) {
    let (blocks, own) = script(page.file);
    assert_eq!(blocks, page.blocks, "{}: blocks that run", page.file);
    let script = page.after.map_or(String::new(), |before| script(before).1) + &own;
    let (place, data) = folder();
    let at = place.path().join("clean");
    let said = match page.server {
        Server::None => pasted(&script, &at, "", &data, ""),
        Server::WithoutKeys => {
            let served = Launch::on(&data).set(&SMALL).start();
            pasted(
                &script,
                &at,
                &format!("http://{}", served.address),
                &data,
                "",
            )
        }
        Server::WithKeys => {
            let made = run(&["key", "new", "--scope", "admin", "--data", argument(&data)]);
            assert!(made.status.success(), "{made:?}");
            let served = Launch::with_keys(&data).set(&SMALL).start();
            let server = format!("http://{}", served.address);
            pasted(&script, &at, &server, &data, made.out.trim())
        }
    };
    assert!(said.status.success(), "{}: {said:?}", page.file);
    for expected in page.output {
        assert!(
            said.out.contains(expected),
            "{}: no {expected} in {said:?}",
            page.file
        );
    }
}

#[test]
fn the_commands_of_every_page_work_as_they_are_printed() {
    for tool in ["curl", "python3"] {
        if !works(Command::new(tool).arg("--version")) {
            cannot_run("the commands of the manual", &format!("there is no {tool}"));
            return;
        }
    }
    for page in PAGES {
        run_page(page);
    }
}

#[test]
fn every_block_of_shell_runs_or_has_a_reason_not_to() {
    let mut reasons_used = BTreeSet::new();
    for path in pages() {
        let text = text_of(&path);
        for block in blocks(&text) {
            let reason = NOT_RUN.iter().position(|(line, _)| block.contains(line));
            reasons_used.extend(reason);
            let in_table = PAGES.iter().any(|page| page.file == path);
            assert!(
                reason.is_some() || in_table,
                "{path} is not in the table:\n{block}"
            );
        }
    }
    assert_eq!(
        reasons_used.len(),
        NOT_RUN.len(),
        "an exception that no page needs"
    );
}

/// A block without its comments and without the language that it asks for.
fn without_language(block: &str) -> String {
    let lines = block
        .lines()
        .map(|line| line.split(" # ").next().unwrap_or(line).trim_end());
    let code: Vec<&str> = lines.collect();
    let code = code.join("\n");
    code.replace("--lang zh", "--lang en")
        .replace(r#"["zh"]"#, r#"["en"]"#)
}

#[test]
fn both_languages_have_the_same_commands() {
    let mut compared = 0;
    for path in pages() {
        let chinese = match path.strip_prefix("docs/") {
            Some(page) => format!("docs/zh/{page}"),
            None => path.replace("README.md", "README.zh-CN.md"),
        };
        if chinese == path || !root().join(&chinese).is_file() {
            continue;
        }
        let [english, chinese] = [&path, &chinese].map(|file| text_of(file));
        let [english, chinese] = [&english, &chinese].map(|page| {
            blocks(page)
                .into_iter()
                .map(without_language)
                .collect::<Vec<_>>()
        });
        assert_eq!(english, chinese, "{path}");
        compared += 1;
    }
    assert_eq!(compared, 7, "pages in both languages");
}

#[test]
fn the_readmes_are_front_pages() {
    for file in ["README.md", "README.zh-CN.md"] {
        let lines = text_of(file).lines().count();
        assert!(lines <= README_LINES_MAX, "{file} has {lines} lines");
    }
}

/// The name of a heading in a link, as GitHub forms it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for file in files("", &[".md"]) {
        let at = root().join(&file.name);
        let folder = at.parent().expect("its folder");
        for link in file.text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                at.clone()
            } else {
                folder.join(path)
            };
            let text = std::fs::read_to_string(&target).unwrap_or_default();
            let mut headings = text.lines().filter(|line| line.starts_with('#'));
            let leads = target.exists()
                && (heading.is_empty() || headings.any(|line| anchor(line) == heading));
            if !leads {
                broken.push(format!("{}: {link}", file.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_change_says_what_why_who_and_what_to_do() {
    let parts = [
        "# ",
        "**What:**",
        "**Why:**",
        "**Who is affected:**",
        "**What to do:**",
    ];
    for file in files("changes", &[".md"]) {
        if file.name.ends_with("README.md") {
            continue;
        }
        let starts: Vec<&str> = file.text.split("\n\n").collect();
        let right = starts.len() == parts.len()
            && starts
                .iter()
                .zip(parts)
                .all(|(text, part)| text.starts_with(part));
        assert!(right, "{}: its parts are {parts:?}", file.name);
    }
}
