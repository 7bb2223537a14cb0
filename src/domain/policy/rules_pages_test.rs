//! The tables of `docs/rules.md` and `docs/zh/rules.md`, made of the table of keys and of the presets.
//!
//! `UPDATE_EXPECT=1 cargo test --lib rules_pages` writes them again, between the marks in the pages. What else is on the
//! pages is written by hand.

use expect_test::{ExpectFile, expect_file};
use serde_json::Value;

use super::{ObjectTable, Policy, PolicyKey, Preset, Shape};

/// The comment before a generated part, and the one after it.
const MARKS: [(&str, Part); 2] = [("presets", Part::Presets), ("keys", Part::Keys)];

#[derive(Clone, Copy)]
enum Part {
    Presets,
    Keys,
}

#[derive(Clone, Copy, PartialEq)]
enum PageLanguage {
    English,
    Chinese,
}

use PageLanguage::{Chinese, English};

#[test]
fn the_rules_pages_are_the_table() {
    let english: (&str, ExpectFile) = (
        include_str!("../../../docs/rules.md"),
        expect_file!["../../../docs/rules.md"],
    );
    let chinese = (
        include_str!("../../../docs/zh/rules.md"),
        expect_file!["../../../docs/zh/rules.md"],
    );
    for (language, (page, file)) in [(English, english), (Chinese, chinese)] {
        let mut text = page.to_owned();
        for (name, part) in MARKS {
            let (begin, end) = (
                format!("<!-- {name}: generated -->\n"),
                format!("<!-- {name}: end -->"),
            );
            let (before, rest) = text.split_once(&begin).expect(name);
            let (_, after) = rest.split_once(&end).expect(name);
            let made = match part {
                Part::Presets => presets(language),
                Part::Keys => keys(language),
            };
            text = format!("{before}{begin}\n{made}\n{end}{after}");
        }
        file.assert_eq(&text);
    }
}

/// The keys that differ between the presets.
fn presets(language: PageLanguage) -> String {
    let policies = Preset::ALL.iter().map(|&preset| {
        let policy = serde_json::to_value(Policy::preset(preset)).expect("a policy");
        (preset, policy)
    });
    let policies: Vec<(Preset, Value)> = policies.collect();
    let names: Vec<String> = policies
        .iter()
        .map(|(preset, _)| code(preset.word()))
        .collect();
    let head = match language {
        English => "key",
        Chinese => "配置项",
    };
    let mut text = format!(
        "| {head} | {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(names.len() + 1)
    );
    for (path, key) in leaves(Policy::TABLE, "") {
        let at = |policy: &Value| {
            policy
                .pointer(&format!("/{}", path.replace('.', "/")))
                .cloned()
        };
        let values: Vec<Option<Value>> = policies.iter().map(|(_, policy)| at(policy)).collect();
        if path == "preset" || values.iter().all(|value| *value == values[0]) {
            continue;
        }
        let cells: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(at, value)| match value {
                value if at > 0 && *value == values[0] => "=".to_owned(),
                Some(value) => cell(value, language),
                None => String::new(),
            })
            .collect();
        let name = match language {
            English => code(&path),
            Chinese => format!("{} {}", code(&path), term(key)),
        };
        text += &format!("| {name} | {} |\n", cells.join(" | "));
    }
    text
}

/// Every key: a table for each object.
fn keys(language: PageLanguage) -> String {
    let mut text = String::new();
    let root = match language {
        English => (
            "The policy itself".to_owned(),
            "The keys at the top of a policy.",
        ),
        Chinese => ("整体".to_owned(), "写在规则配置最外层的配置项。"),
    };
    object(&root.0, root.1, Policy::TABLE, "", language, &mut text);
    text.trim_end().to_owned() + "\n"
}

fn object(
    heading: &str,
    about: &str,
    table: &'static ObjectTable,
    path: &str,
    language: PageLanguage,
    text: &mut String,
) {
    let is_row = |key: &&PolicyKey| !matches!(key.shape, Shape::Object(_));
    let rows: Vec<&PolicyKey> = table.keys.iter().filter(is_row).collect();
    if !rows.is_empty() {
        let head = match language {
            English => "| key | default | what it does | rule | 中文 |",
            Chinese => "| 配置项 | 默认值 | 名称 | 含义 | 规则 |",
        };
        *text += &format!("### {heading}\n\n{about}\n\n{head}\n| --- | --- | --- | --- | --- |\n");
        for key in rows {
            *text += &row(key, language);
        }
        *text += "\n";
    }
    let inner = table
        .keys
        .iter()
        .filter_map(|key| Some((key, inner_table(key)?)));
    for (key, (below, suffix)) in inner {
        let path = [path, key.name].join(".");
        let path = path.trim_start_matches('.');
        let heading = code(&format!("{path}{suffix}"));
        let about = match language {
            English => sentence(key.english),
            Chinese => key.chinese.to_owned(),
        };
        object(&heading, &about, below, path, language, text);
    }
}

/// The table of an object, of the objects of a map, or of those of a list, and how its path continues.
fn inner_table(key: &PolicyKey) -> Option<(&'static ObjectTable, &'static str)> {
    match key.shape {
        Shape::Object(table) => Some((table, "")),
        Shape::Map(Shape::Object(table)) => Some((table, ".NAME")),
        Shape::List(Shape::Object(table)) => Some((table, "[]")),
        Shape::Flag
        | Shape::Text { .. }
        | Shape::Duration
        | Shape::Whole { .. }
        | Shape::Decimal { .. }
        | Shape::Choice(_)
        | Shape::Member
        | Shape::Map(_)
        | Shape::List(_) => None,
    }
}

fn row(key: &PolicyKey, language: PageLanguage) -> String {
    let default = match key.default_value() {
        // Another key provides the value, or every object of a list states its own.
        None | Some(Value::Null) => "–".to_owned(),
        Some(value) => cell(&value, language),
    };
    let (name, rules) = (code(key.name), rules_of(key.english));
    match language {
        English => format!(
            "| {name} | {default} | {} | {rules} | {} |\n",
            with_words(&sentence(key.english), key, language),
            term(key)
        ),
        Chinese => {
            let (term, meaning) = key.chinese.split_once('：').unwrap_or(("", key.chinese));
            let (meaning, rules) = (
                with_words(meaning, key, language),
                rules.replace(", ", "、"),
            );
            format!("| {name} | {default} | {term} | {meaning} | {rules} |\n")
        }
    }
}

/// The leaves of the table with their paths, maps and lists included.
fn leaves(table: &'static ObjectTable, above: &str) -> Vec<(String, &'static PolicyKey)> {
    let below = |key: &'static PolicyKey| {
        let path = [above, key.name].join(".");
        let path = path.trim_start_matches('.').to_owned();
        match key.shape {
            Shape::Object(table) => leaves(table, &path),
            Shape::Flag
            | Shape::Text { .. }
            | Shape::Duration
            | Shape::Whole { .. }
            | Shape::Decimal { .. }
            | Shape::Choice(_)
            | Shape::Member
            | Shape::Map(_)
            | Shape::List(_) => vec![(path, key)],
        }
    };
    table.keys.iter().flat_map(below).collect()
}

/// The name of the switch, that of the platforms where they have one: what stands before the colon of the Chinese line.
fn term(key: &PolicyKey) -> &'static str {
    key.chinese.split_once('：').map_or("", |(term, _)| term)
}

/// The numbers of the rules in the brackets of an English line.
fn rules_of(english: &str) -> String {
    let numbers = brackets(english).map(|(from, to)| &english[from + 1..to - 1]);
    numbers.unwrap_or_default().replace(" to ", "–")
}

/// An English line without the numbers of the rules.
fn sentence(english: &str) -> String {
    match brackets(english) {
        Some((from, to)) => format!("{}{}", english[..from].trim_end(), &english[to..]),
        None => english.to_owned(),
    }
}

/// Where the numbers of the rules stand.
fn brackets(english: &str) -> Option<(usize, usize)> {
    let opens = english.match_indices('(').map(|(at, _)| at);
    let mut ranges = opens.filter_map(|from| Some((from, from + english[from..].find(')')? + 1)));
    ranges.find(|&(from, to)| {
        let inner = &english[from + 1..to - 1];
        let mut words = inner
            .split([',', ' '])
            .filter(|word| !word.is_empty() && *word != "to");
        words.all(|word| {
            let digits = word.trim_start_matches(|sign: char| sign.is_ascii_uppercase());
            digits.len() < word.len() && digits.starts_with(|sign: char| sign.is_ascii_digit())
        })
    })
}

/// A value in a cell.
fn cell(value: &Value, language: PageLanguage) -> String {
    match value {
        Value::Null => match language {
            English => "as `service.min_sample`".to_owned(),
            Chinese => "同 `service.min_sample`".to_owned(),
        },
        Value::String(text) if text.is_empty() => match language {
            English => "empty".to_owned(),
            Chinese => "空".to_owned(),
        },
        Value::String(text) => code(text),
        Value::Array(items) if items.is_empty() => match language {
            English => "none".to_owned(),
            Chinese => "无".to_owned(),
        },
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let words = items.iter().filter_map(Value::as_str);
            code(&words.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let window = |item: &Value| {
                let end = |name| item[name].as_str().unwrap_or_default().replace('T', " ");
                format!("{}–{}", end("from"), end("to"))
            };
            items.iter().map(window).collect::<Vec<_>>().join("<br>")
        }
        Value::Object(object) if object.is_empty() => match language {
            English => "none".to_owned(),
            Chinese => "无".to_owned(),
        },
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => code(&value.to_string()),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A sentence with the words of a choice as code: in English each once after the colon, in Chinese everywhere.
fn with_words(sentence: &str, key: &PolicyKey, language: PageLanguage) -> String {
    let shape = if let Shape::List(items) = key.shape {
        *items
    } else {
        key.shape
    };
    let Shape::Choice(choice) = shape else {
        return sentence.to_owned();
    };
    let begin = match language {
        English => sentence.find(": ").unwrap_or(0),
        Chinese => 0,
    };
    let mut text = sentence[..begin].to_owned();
    let mut marked: Vec<&str> = Vec::new();
    let is_of_word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let mut rest = &sentence[begin..];
    while let Some(sign) = rest.chars().next() {
        let length = rest.find(|sign| !is_of_word(sign)).unwrap_or(rest.len());
        let length = length.max(sign.len_utf8());
        let word = &rest[..length];
        if choice.words.contains(&word) && (language == Chinese || !marked.contains(&word)) {
            text += &code(word);
            marked.push(word);
        } else {
            text += word;
        }
        rest = &rest[length..];
    }
    text
}
