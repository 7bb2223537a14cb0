//! Checks the source tree: the dependencies of the core and between folders, the form of files, and that every rule has
//! its file and its test.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::source::{Source, files, has_word, root};

/// Who may name whom, of the rooms under `src`. The same table is the picture in `ARCHITECTURE.md`; a new room or a
/// new arrow is a decision and is written down in both.
const ARROWS: [(&str, &[&str]); 16] = [
    (
        "cli",
        &[
            "server",
            "keys",
            "settings",
            "runtime",
            "journal",
            "env",
            "replay",
            "sample",
            "explain_text",
            "wire",
            "domain",
        ],
    ),
    (
        "server",
        &[
            "api",
            "http",
            "webhooks",
            "keys",
            "settings",
            "telemetry",
            "runtime",
            "journal",
            "env",
            "domain",
        ],
    ),
    (
        "api",
        &[
            "http",
            "webhooks",
            "runtime",
            "explain_text",
            "wire",
            "domain",
        ],
    ),
    ("http", &["webhooks", "keys", "runtime", "domain"]),
    ("webhooks", &["runtime", "journal", "env", "domain"]),
    ("keys", &["env", "domain"]),
    ("settings", &["domain"]),
    ("telemetry", &["domain"]),
    ("runtime", &["journal", "env", "wire", "domain"]),
    ("journal", &["env", "domain"]),
    ("env", &["domain"]),
    ("sample", &["wire", "domain"]),
    ("replay", &["wire", "domain"]),
    ("explain_text", &["domain"]),
    ("wire", &["domain"]),
    ("domain", &[]),
];

/// Files of the crate's root, which name every room: the map and the door.
const ROOT_FILES: [&str; 2] = ["lib.rs", "main.rs"];

/// What the core may not know: no IO, no async, no clock, no luck.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant::now",
    "tokio",
    "actix",
    "sled",
    "async fn",
    ".await",
    "rand",
    "println!",
    "eprintln!",
];

/// A file that is longer may be two rooms: it is named, and nothing fails. A file is cut at a boundary, not at a size.
const LINES_MAX: usize = 400;

/// What has no home has no name yet.
const NO_NAMES: [&str; 6] = ["common", "util", "helpers", "misc", "types", "manager"];

/// The rules by their letters, and how many there are of each.
const RULES: [(&str, usize); 6] = [("R", 9), ("P", 4), ("S", 6), ("I", 13), ("Q", 6), ("M", 6)];

/// Mentions of folders of somebody's machine that cannot be helped: the file, and why.
const ELSEWHERE: [(&str, &str); 0] = [];

fn sources() -> Vec<Source> {
    let sources = files("src", &[".rs"]);
    assert!(sources.len() > 20, "the sources were not found");
    sources
}

/// Fails with all that was found, one a line.
fn report(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn the_core_is_pure() {
    let found = sources()
        .iter()
        .filter(|source| source.room() == "domain")
        .flat_map(impure)
        .collect::<Vec<_>>();
    report(&found, "the core is a calculation, but");
}

fn impure(source: &Source) -> Vec<String> {
    let code = source.code();
    let grouped = IMPURE.iter().filter_map(|name| name.strip_prefix("std::"));
    let std_groups: Vec<&str> = code
        .match_indices("std::{")
        .map(|(at, _)| until_semicolon(&code[at..]))
        .collect();
    let in_group = grouped.filter(|name| std_groups.iter().any(|group| has_word(group, name)));
    let named = IMPURE.iter().filter(|word| has_word(&code, word));
    let mut found: Vec<String> = named.copied().chain(in_group).map(str::to_owned).collect();
    found.extend(
        source
            .named_rooms()
            .into_iter()
            .filter(|room| is_room(room) && room != "domain"),
    );
    found
        .iter()
        .map(|name| format!("{} names {name}", source.name))
        .collect()
}

fn until_semicolon(code: &str) -> &str {
    code.split(';').next().unwrap_or_default()
}

fn is_room(name: &str) -> bool {
    root().join("src").join(name).is_dir()
}

#[test]
fn arrows_point_down() {
    let allowed = BTreeMap::from(ARROWS);
    let mut found = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !ROOT_FILES.contains(&source.room()))
    {
        let room = source.room();
        match allowed.get(room) {
            None => found.push(format!(
                "{} is in a room that the table does not have",
                source.name
            )),
            Some(allowed) => {
                let named: BTreeSet<String> = source.named_rooms().into_iter().collect();
                let up = named
                    .iter()
                    .filter(|other| is_room(other) && *other != room);
                let up = up.filter(|other| !allowed.contains(&other.as_str()));
                found.extend(up.map(|other| format!("{}: {room} -> {other}", source.name)));
            }
        }
    }
    report(&found, "arrows that are not in the table of tests/house.rs");
}

#[test]
fn there_is_no_circle() {
    let sources = sources();
    let rooms = ARROWS.iter().map(|(room, _)| room);
    let found = rooms.flat_map(|room| circles(room, &sources));
    report(
        &found.collect::<Vec<_>>(),
        "files or folders that name each other in a circle",
    );
}

/// The circles of the files and folders that stand beside each other, in a room and all below it.
fn circles(room: &str, sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(Source::module).collect();
    // By folder: who names whom in it.
    let mut folders: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for source in sources {
        let from = source.module();
        if from.first().is_none_or(|first| first != room) {
            continue;
        }
        for path in source.paths() {
            let known = (0..=path.len())
                .rev()
                .find(|&end| modules.contains(&path[..end]));
            let to = &path[..known.unwrap_or(0)];
            let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                let folder = folders.entry(from[..shared].to_vec()).or_default();
                folder.entry(a.clone()).or_default().insert(b.clone());
            }
        }
    }
    let each = folders.iter().filter_map(|(folder, names)| {
        let mut left = names.clone();
        // What names nothing that is left is in no circle.
        while let Some(free) = left
            .keys()
            .find(|name| left[*name].iter().all(|to| !left.contains_key(to)))
            .cloned()
        {
            left.remove(&free);
        }
        let circle: Vec<&str> = left.keys().map(String::as_str).collect();
        (!circle.is_empty())
            .then(|| format!("in {}: among {}", folder.join("/"), circle.join(", ")))
    });
    each.collect()
}

/// Types whose names stand in more than one file, and why.
const NAMED_TWICE: [(&str, &str); 4] = [
    ("Chunk", "a stored form, frozen"),
    ("Chunks", "a stored form, frozen"),
    ("Stored", "stored forms of a record, a file each"),
    ("StoredKind", "stored forms of a record, a file each"),
];

#[test]
fn a_type_has_a_name_of_its_own() {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for name in all_types(&source) {
            named.entry(name).or_default().insert(source.name.clone());
        }
    }
    let twice = named.iter().filter(|(_, files)| files.len() > 1);
    let found = twice.filter(|(name, _)| !NAMED_TWICE.iter().any(|(known, _)| known == name));
    let found: Vec<String> = found
        .map(|(name, files)| {
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            format!("{name}: {}", files.join(", "))
        })
        .collect();
    report(&found, "type names that mean two things");
}

/// The types that a file declares at its top, without those of its tests.
fn types(source: &Source) -> Vec<String> {
    let code = source.code();
    let lines = code.lines().take(source.lines_without_tests());
    let named = lines.filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
            Some(rest) => rest.strip_prefix(' ')?,
            None => line,
        };
        let kinds = ["struct ", "enum ", "trait ", "type "];
        let name = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
        Some(name[..end.unwrap_or(name.len())].to_owned())
    });
    named.collect()
}

/// Files in which one type may have methods of its own, outside the folder of the rules.
const IMPL_FILES_MAX: usize = 3;

#[test]
fn a_type_has_its_methods_in_few_files() {
    let mut files: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        if source.name.starts_with("src/domain/rules/") {
            continue;
        }
        for name in impls(&source) {
            files.entry(name).or_default().insert(source.name.clone());
        }
    }
    let many = files.iter().filter(|(_, of)| of.len() > IMPL_FILES_MAX);
    let found: Vec<String> = many
        .map(|(name, of)| format!("{name} in {} files", of.len()))
        .collect();
    report(&found, "types that are spread over many files");
}

/// The types that a file gives methods to, but for traits.
fn impls(source: &Source) -> Vec<String> {
    let code = source.code();
    let lines = code.lines().take(source.lines_without_tests());
    let named = lines.filter_map(|line| {
        let rest = line.strip_prefix("impl")?;
        let rest = match rest.strip_prefix('<') {
            Some(generic) => generic.split_once("> ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        if rest.contains(" for ") {
            return None;
        }
        let path = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')?];
        let (_, name) = path.rsplit_once("::").unwrap_or(("", path));
        Some(name.to_owned())
    });
    named.collect()
}

#[test]
fn the_picture_is_the_table() {
    let path = root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("ARCHITECTURE.md, the map of the house, cannot be read: {error}")
    });
    let (_, block) = text.split_once("```arrows\n").expect(
        "ARCHITECTURE.md has no block that begins with ```arrows, with lines like `wire -> domain`",
    );
    let (block, _) = block
        .split_once("```")
        .expect("the block of arrows does not end");
    let mut picture = BTreeMap::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (from, to) = line
            .split_once("->")
            .unwrap_or_else(|| panic!("no arrow in {line:?}"));
        picture.insert(from.trim(), to.split_whitespace().collect::<BTreeSet<_>>());
    }
    let table = ARROWS.map(|(from, to)| (from, to.iter().copied().collect::<BTreeSet<_>>()));
    assert_eq!(
        picture,
        BTreeMap::from(table),
        "the picture in ARCHITECTURE.md and the table of tests/house.rs"
    );
}

#[test]
fn every_file_says_what_lives_in_it() {
    let mut found = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            found.push(format!(
                "{} does not begin with a `//!` sentence",
                source.name
            ));
        }
        let lines = source.lines_without_tests();
        if lines > LINES_MAX {
            println!("{} has {lines} lines: is it two?", source.name);
        }
    }
    found.extend(
        files("tests", &[".rs"])
            .iter()
            .filter(|source| !source.text.starts_with("//!"))
            .map(|source| format!("{} does not begin with a `//!` sentence", source.name)),
    );
    report(&found, "files without a first sentence");
}

#[test]
fn no_module_is_a_drawer() {
    let found: Vec<String> = sources().iter().flat_map(drawers).collect();
    report(&found, "modules whose names say nothing");
}

fn drawers(source: &Source) -> Vec<String> {
    let code = source.code();
    let named = NO_NAMES
        .iter()
        .filter(|name| has_word(&code, &format!("mod {name}")));
    named
        .map(|name| format!("{} has `mod {name}`", source.name))
        .collect()
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let folders = ["work", "tmp", "root"].map(|name| format!("/{name}/"));
    let mut texts = files("", &[".rs", ".md", ".toml"]);
    texts.extend(files(".ci", &[""]));
    let texts = texts
        .iter()
        .filter(|text| !ELSEWHERE.iter().any(|(file, _)| *file == text.name));
    let found: Vec<String> = texts.flat_map(|text| mentions(text, &folders)).collect();
    report(&found, "folders of somebody's machine");
}

fn mentions(text: &Source, folders: &[String]) -> Vec<String> {
    let lines = text.text.lines().enumerate();
    let found =
        lines.filter(|(_, line)| folders.iter().any(|folder| line.contains(folder.as_str())));
    found
        .map(|(number, line)| format!("{}:{}: {}", text.name, number + 1, line.trim()))
        .collect()
}

#[test]
fn every_rule_has_its_code_and_its_test() {
    let rules = RULES
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |n| format!("{letter}{n}")));
    let (code, mut tests) = (files("src/domain", &[".rs"]), files("tests", &[".rs"]));
    // The model carries out every rule, but it tests none.
    tests.retain(|test| test.name != "tests/house.rs" && !test.name.starts_with("tests/model/"));
    let missing = |rule: &str, sources: &[Source], place: &str| {
        let named = sources.iter().any(|source| has_word(&source.text, rule));
        (!named).then(|| format!("{rule} is not named in {place}"))
    };
    let found: Vec<String> = rules
        .flat_map(|rule| {
            [
                missing(&rule, &code, "src/domain"),
                missing(&rule, &tests, "tests"),
            ]
        })
        .flatten()
        .collect();
    report(&found, "rules without code or without a test");
}

/// The glossary has at least so many terms.
const TERMS_MIN: usize = 60;

#[test]
fn the_glossary_names_what_is_there() {
    let path = root().join("docs/glossary.md");
    let text = std::fs::read_to_string(path).expect("docs/glossary.md can be read");
    let known = Known::of(&sources());
    let terms = terms(&text);
    report(&unknown(&terms, &known), "the glossary and the source");
    assert!(terms.len() >= TERMS_MIN, "{} terms", terms.len());
}

/// A row of the glossary: the term in both languages, and its names in the code.
struct Term<'a> {
    english: &'a str,
    chinese: &'a str,
    names: Vec<&'a str>,
}

fn terms(text: &str) -> Vec<Term<'_>> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let rows = rows.filter(|line| !line.starts_with("| --- ") && !line.starts_with("| English "));
    let read = rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [english, chinese, code, _meaning] = cells[..] else {
            panic!("a row of the glossary has four columns, but not this one: {line}");
        };
        Term {
            english,
            chinese,
            names: code.split('`').skip(1).step_by(2).collect(),
        }
    });
    read.collect()
}

/// What the glossary may name: types, modules, and the sources in which wire names stand.
struct Known {
    types: BTreeSet<String>,
    modules: BTreeSet<String>,
    texts: Vec<String>,
    codes: Vec<String>,
}

impl Known {
    fn of(sources: &[Source]) -> Known {
        let tested = |text: &str, source: &Source| {
            let lines = text.lines().take(source.lines_without_tests());
            lines.collect::<Vec<_>>().join("\n")
        };
        let texts = sources.iter().map(|source| tested(&source.text, source));
        let codes = sources.iter().map(|source| tested(&source.code(), source));
        Known {
            types: sources.iter().flat_map(all_types).collect(),
            modules: sources.iter().flat_map(Source::module).collect(),
            texts: texts.collect(),
            codes: codes.collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        if name.starts_with(char::is_uppercase) {
            return self.types.contains(name);
        }
        // A word of its own, a key inside of JSON, a field that is sent by its name, or what is asked.
        let written = [format!("\"{name}\""), format!("\\\"{name}\\\"")];
        let named = [format!(" {name}: "), format!("fn {name}(")];
        self.modules.contains(name)
            || self
                .texts
                .iter()
                .any(|text| written.iter().any(|word| text.contains(word)))
            || self
                .codes
                .iter()
                .any(|code| named.iter().any(|word| code.contains(word)))
    }
}

/// What is wrong with these terms.
fn unknown(terms: &[Term<'_>], known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for term in terms {
        let Term {
            english, chinese, ..
        } = term;
        if english.is_empty() || !seen.insert(*english) || !seen.insert(*chinese) {
            found.push(format!("{english}, {chinese}: stands twice, or is empty"));
        }
        if term.names.is_empty() {
            found.push(format!("{english}: no name in the code"));
        }
        let missing = term.names.iter().filter(|name| !known.has(name));
        found.extend(missing.map(|name| format!("{english}: src has no `{name}`")));
        // A type that is called as the term is what the term means.
        let own = camel_case(english);
        if known.types.contains(&own) && !term.names.contains(&own.as_str()) {
            found.push(format!(
                "{english}: there is a type `{own}`, and it is not named"
            ));
        }
    }
    found
}

/// The type's name that a term would have, without what stands in brackets.
fn camel_case(term: &str) -> String {
    let term = term.split('(').next().unwrap_or_default();
    let words = term.split(|c: char| !c.is_ascii_alphanumeric());
    let big = words.filter_map(|word| {
        let (first, rest) = word.split_at_checked(1)?;
        Some(first.to_uppercase() + rest)
    });
    big.collect()
}

/// The types of a file, those too that `codes!` and its like make of a table.
fn all_types(source: &Source) -> Vec<String> {
    let mut found = types(source);
    let code = source.code();
    let mut inside = false;
    for line in code.lines().take(source.lines_without_tests()) {
        if !line.starts_with([' ', '\t']) && !line.is_empty() {
            inside = TABLES.iter().any(|table| line.starts_with(table));
        }
        let Some(item) = line.strip_prefix("    ").filter(|_| inside) else {
            continue;
        };
        let end = item.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = item.split_at(end.unwrap_or(item.len()));
        if name.starts_with(char::is_uppercase) && rest.ends_with('{') {
            found.push(name.to_owned());
        }
    }
    found
}

/// Macros whose tables make types.
const TABLES: [&str; 3] = ["codes! {", "choices! {", "policy_objects! {"];

/// Pages print the program's name with its version, as webhooks send it.
#[test]
fn the_pages_name_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let (mut named, mut found) = (0, Vec::new());
    for page in files("docs", &[".md"]) {
        for (at, mark) in page.text.match_indices("xiaoer/") {
            let rest = &page.text[at + mark.len()..];
            if !rest.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            named += 1;
            if rest.split_whitespace().next() != Some(version) {
                let line = rest.lines().next().unwrap_or_default();
                found.push(format!("{}: {mark}{line}", page.name));
            }
        }
    }
    report(
        &found,
        &format!("pages that name another version than {version}"),
    );
    assert!(named > 0, "no page names the version");
}

/// The police can see: each of these was planted and has to be found.
#[test]
fn planted_faults_are_found() {
    let domain = |text: &str| Source {
        name: "src/domain/shop.rs".to_owned(),
        text: text.to_owned(),
    };
    for (text, guilty) in [
        ("use std::fs::File;", true),
        ("use std::{collections::BTreeMap, io};", true),
        ("let now = Instant::now();", true),
        ("let random = 1; let brand = 2;", false),
        ("// println!(\"in a comment\") of tokio", false),
        (
            "let text = \"std::fs and rand\"; let c = '\"'; let d = \"async fn\";",
            false,
        ),
        (
            "let text = r#\"a \" std::fs\"#; let life: &'static str = text;",
            false,
        ),
        ("let c = '\"'; use std::fs;", true),
        ("future.await?;", true),
        ("session.awaited = 1;", false),
        ("use crate::wire::Line;", true),
        ("use crate::{domain::id::Id, wire::{Line, json}};", true),
        ("use super::super::replay::replay;", true),
        (
            "use super::session::Session; use crate::domain::id::Id;",
            false,
        ),
        ("use crate::{domain::{id::Id, wire}};", false),
    ] {
        assert_eq!(!impure(&domain(text)).is_empty(), guilty, "{text}");
    }
    for (text, guilty) in [
        ("mod util;", true),
        ("pub mod types {", true),
        ("mod utility;", false),
        ("// mod misc", false),
    ] {
        assert_eq!(!drawers(&domain(text)).is_empty(), guilty, "{text}");
    }
    let nested = Source {
        name: "src/domain/policy/parse.rs".to_owned(),
        text: "use super::super::wire;".to_owned(),
    };
    assert!(
        impure(&nested).is_empty(),
        "src/domain/wire.rs would be a room of the core"
    );
    let of = |name: &str, text: &str| Source {
        name: format!("src/domain/{name}.rs"),
        text: text.to_owned(),
    };
    for (one, other, guilty) in [
        ("use super::b::Other;", "use crate::domain::a::One;", true),
        (
            "use super::{b::{Other, more}, c};",
            "let one = super::a::one();",
            true,
        ),
        ("use super::b::Other;", "use super::c::Third;", false),
        (
            "use super::b::Other;",
            "#[cfg(test)]\nmod tests {\n    use super::super::a::One;",
            false,
        ),
        ("use super::b::Other;", "// use super::a::One;", false),
    ] {
        let both = [of("a", one), of("b", other), of("c", "")];
        assert_eq!(
            !circles("domain", &both).is_empty(),
            guilty,
            "{one} {other}"
        );
    }
    for (text, names) in [
        ("pub struct One;", vec!["One"]),
        ("pub(super) enum Two<A> {", vec!["Two"]),
        ("type Three = u8;", vec!["Three"]),
        ("    type Output = u8;", vec![]),
        ("#[cfg(test)]\nmod tests {\nstruct Four;", vec![]),
    ] {
        assert_eq!(types(&domain(text)), names, "{text}");
    }
    for (text, names) in [
        ("impl One {", vec!["One"]),
        ("impl<A: Two> One<A> {", vec!["One"]),
        ("impl super::two::One {", vec!["One"]),
        ("impl Clone for One {", vec![]),
    ] {
        assert_eq!(impls(&domain(text)), names, "{text}");
    }
    let known = Known::of(&[domain(
        "pub struct Agent;\ncodes! {\n    Pool (\"x\") {\n        Full = \"pool.full\",\n    }\n}\nstruct S {\n    seat: u8,\n}\n\
         #[cfg(test)]\nmod tests {\n    \"planted\"",
    )]);
    for (row, faults) in [
        ("| agent | 客服 | `Agent` | m |", 0),
        ("| agent | 客服 | | m |", 2),
        ("| agent | 客服 | `seat` | m |", 1),
        ("| agent | 客服 | `Agent`, `Clerk` | m |", 1),
        ("| pool | 池 | `Pool`, `pool.full`, `shop` | m |", 0),
        ("| pool (`p`) | 池 | `pool.empty`, `Pool` | m |", 1),
        ("| thing | 物 | `planted` | m |", 1),
        ("| seat | 座 | `seat` | m |\n| seat | 席 | `seat` | m |", 1),
        ("| seat | 座 | `seat` | m |\n| chair | 座 | `seat` | m |", 1),
    ] {
        let found = unknown(&terms(row), &known);
        assert_eq!(found.len(), faults, "{row}: {found:?}");
    }
    let long = domain(&"let x = 1;\n".repeat(LINES_MAX + 1));
    assert!(long.lines_without_tests() > LINES_MAX);
    let tested = domain(&format!(
        "//! A room.\n#[cfg(test)]\nmod tests {{\n{}",
        "\n".repeat(LINES_MAX)
    ));
    assert_eq!(tested.lines_without_tests(), 1);
    let folder = [format!("/{}/", "tmp")];
    assert_eq!(
        mentions(&domain(&format!("//! See {}x.", folder[0])), &folder).len(),
        1
    );
    assert!(has_word("(R1, I13)", "R1") && !has_word("(R12, I13)", "R1") && !has_word("AR1", "R1"));
}
